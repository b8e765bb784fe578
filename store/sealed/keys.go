package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/cache"
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

// keyring holds the masters, the sealing one first, and the ciphers used of late: to make
// one takes as long as to open ten records.
type keyring struct {
	masters []master
	ciphers *cache.Cache[cipherName, cipher.AEAD]
}

// keptCiphers bounds the ciphers that are kept, of about a kilobyte each.
const keptCiphers = 2048

// A cipherName is the place of a master and a partition.
type cipherName struct {
	master    int
	partition string
}

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
		return keyring{}, err
	}
	ring := keyring{ciphers: cache.New[cipherName, cipher.AEAD](keptCiphers)}
	for i, secret := range secrets {
		m, err := newMaster(secret)
		if err != nil {
			return keyring{}, fmt.Errorf("sealed: secret %d: %w", i+1, err)
		}
		ring.masters = append(ring.masters, m)
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

// A box seals and opens the records of one partition.
type box struct {
	keys      keyring
	partition string
}

func (k keyring) box(partition string) *box { return &box{k, partition} }

// cipher is that of the master at i.
func (b *box) cipher(i int) (cipher.AEAD, error) {
	name := cipherName{i, b.partition}
	if aead, ok := b.keys.ciphers.Get(name); ok {
		return aead, nil
	}
	aead, err := b.keys.masters[i].aead(b.partition)
	if err == nil {
		b.keys.ciphers.Set(name, aead)
	}
	return aead, err
}

// indexOf is the place of the master with that id, or -1.
func (k keyring) indexOf(id []byte) int {
	for i, m := range k.masters {
		if string(m.id[:]) == string(id) {
			return i
		}
	}
	return -1
}
