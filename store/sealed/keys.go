package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// MinSecret is how many bytes a secret must have: as many as the keys derived
// from it.
const MinSecret = 32

// Labels keep the uses of one secret apart (RFC 5869 §3.2).
const (
	saltLabel  = "attest store sealed"
	keyIDLabel = "key id"
	keyLabel   = "partition key"
)

const (
	keyIDBytes = 8
	keyBytes   = 32
)

// A master is what one secret gives.
type master struct {
	prk []byte
	id  [keyIDBytes]byte
}

// keyring holds the masters, the sealing one first.
type keyring []master

// ConfigError is a mistake in the secrets. Option is spelled as in the configuration;
// Reason shows no secret.
type ConfigError struct {
	Option, Reason string
}

func (e *ConfigError) Error() string { return "sealed: " + e.Option + ": " + e.Reason }

// CheckSecrets refuses what New would refuse. The error is a *ConfigError.
func CheckSecrets(secrets [][]byte) error {
	if len(secrets) == 0 {
		return &ConfigError{"secret", "none is given"}
	}
	for i, secret := range secrets {
		if len(secret) < MinSecret {
			return &ConfigError{"secret", fmt.Sprintf("number %d has %d bytes, want at least %d", i+1, len(secret), MinSecret)}
		}
	}
	return nil
}

func newKeyring(secrets [][]byte) (keyring, error) {
	if err := CheckSecrets(secrets); err != nil {
		return nil, err
	}
	var ring keyring
	for i, secret := range secrets {
		m, err := newMaster(secret)
		if err != nil {
			return nil, fmt.Errorf("sealed: secret %d: %w", i+1, err)
		}
		ring = append(ring, m)
	}
	return ring, nil
}

func newMaster(secret []byte) (master, error) {
	prk, err := hkdf.Extract(sha256.New, secret, []byte(saltLabel))
	if err != nil {
		return master{}, err
	}
	id, err := hkdf.Expand(sha256.New, prk, keyIDLabel, keyIDBytes)
	if err != nil {
		return master{}, err
	}
	return master{prk: prk, id: [keyIDBytes]byte(id)}, nil
}

// aead is the cipher of one partition.
func (m master) aead(partition string) (cipher.AEAD, error) {
	info := string(lengthPrefixed(nil, keyLabel, partition))
	key, err := hkdf.Expand(sha256.New, m.prk, info, keyBytes)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// A box seals and opens the records of one partition. Its ciphers are made when
// they are needed and kept as long as it is, which is one call.
type box struct {
	keys      keyring
	partition string
	made      []cipher.AEAD
}

func (k keyring) box(partition string) *box {
	return &box{keys: k, partition: partition, made: make([]cipher.AEAD, len(k))}
}

// cipher is that of the master at i.
func (b *box) cipher(i int) (cipher.AEAD, error) {
	if b.made[i] == nil {
		aead, err := b.keys[i].aead(b.partition)
		if err != nil {
			return nil, err
		}
		b.made[i] = aead
	}
	return b.made[i], nil
}

// indexOf is the place of the master with that id, or -1.
func (k keyring) indexOf(id []byte) int {
	for i, m := range k {
		if string(m.id[:]) == string(id) {
			return i
		}
	}
	return -1
}
