package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// MaxKeys is how many keys a source may hold.
const MaxKeys = 500

// maxCandidates bounds the keys tried for a token whose header does not name its key.
const maxCandidates = 16

// keyIndex is a set of keys by kid. It does not change.
type keyIndex struct {
	all       []Key
	named     map[string][]Key
	anonymous []Key
	ambiguous []Key // that kid, alg and type do not tell from another: tokens of theirs are refused
	dropped   []jose.Dropped
}

func newKeyIndex(set jose.KeySet) *keyIndex {
	x := &keyIndex{named: map[string][]Key{}, dropped: set.Dropped}
	for _, k := range set.Keys {
		key := Key{k}
		x.all = append(x.all, key)
		if k.ID == "" {
			x.anonymous = append(x.anonymous, key)
			continue
		}
		x.named[k.ID] = append(x.named[k.ID], key)
	}
	x.noteAmbiguous()
	return x
}

func (x *keyIndex) noteAmbiguous() {
	for _, key := range x.all {
		if slices.ContainsFunc(x.named[key.key.ID], func(k Key) bool { return k.key.Confusable(key.key) }) {
			x.ambiguous = append(x.ambiguous, key)
		}
	}
}

// candidates are the keys of that kid and no other (RFC 8725 §3.10): more than one
// where the issuer has one kid for several types of key (RFC 7517 §4.5). A token
// without kid may mean any key; a kid that the set does not have may
// mean a key without kid, as in a PEM file.
func (x *keyIndex) candidates(hint KeyHint) []Key {
	if hint.ID == "" {
		return x.all
	}
	if keys := x.named[hint.ID]; keys != nil {
		return keys
	}
	return x.anonymous
}

func (x *keyIndex) status() KeyStatus {
	status := KeyStatus{Keys: len(x.all) - len(x.ambiguous)}
	for _, d := range x.dropped {
		status.Dropped = append(status.Dropped, DroppedKey{ID: d.ID, Reason: d.Reason})
	}
	for _, k := range x.ambiguous {
		status.Dropped = append(status.Dropped, DroppedKey{ID: k.key.ID, Reason: "neither kid, alg nor type tells it from another key of the set"})
	}
	return status
}

// staticKeys are keys that came with the configuration.
type staticKeys struct{ index *keyIndex }

// PEMKeys are the public keys of PEM texts: PUBLIC KEY, RSA PUBLIC KEY and
// CERTIFICATE. They have no kid, so that a token's kid is not looked at and each
// key that fits its algorithm is tried; at most 16 in all. A private key is
// refused.
func PEMKeys(pems ...[]byte) (KeySource, error) {
	var set jose.KeySet
	for n, text := range pems {
		keys, err := jose.ParsePEM(text)
		if err != nil {
			return nil, fmt.Errorf("trust: public key file %d: %w", n+1, err)
		}
		set.Keys = append(set.Keys, keys...)
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("trust: no public key file")
	}
	if len(set.Keys) > maxCandidates {
		return nil, fmt.Errorf("trust: %d public keys without kid, more than %d", len(set.Keys), maxCandidates)
	}
	return staticKeys{newKeyIndex(set)}, nil
}

// FileKeys are the keys of a JWKS that came with the configuration: at least one
// usable.
func FileKeys(jwks []byte) (KeySource, error) {
	set, err := parseKeys(jwks)
	if err != nil {
		return nil, fmt.Errorf("trust: key set file: %w", err)
	}
	return staticKeys{newKeyIndex(set)}, nil
}

// parseKeys refuses a set without a usable key.
func parseKeys(jwks []byte) (jose.KeySet, error) {
	set, err := jose.ParseKeySet(jwks, MaxKeys)
	if err != nil {
		return jose.KeySet{}, err
	}
	if len(set.Keys) == 0 {
		return jose.KeySet{}, fmt.Errorf("no usable key among %d%s", len(set.Dropped), firstReason(set.Dropped))
	}
	return set, nil
}

func firstReason(dropped []jose.Dropped) string {
	if len(dropped) == 0 {
		return ""
	}
	return " (" + dropped[0].Reason + ")"
}

// Keys is that of KeySource.
func (s staticKeys) Keys(_ context.Context, hint KeyHint) ([]Key, error) {
	return s.index.candidates(hint), nil
}

// Status of the keys, for operators.
func (s staticKeys) Status() KeyStatus { return s.index.status() }

// secretKeys are shared with the issuer.
type secretKeys struct{ staticKeys }

// MinSecretBytes is the least length of a shared secret.
const MinSecretBytes = jose.MinSecretBytes

// SharedSecrets are secrets of 32 bytes or more that the issuer has too, the newest first:
// whoever has one can sign any token of the profile. What is a key or a certificate is
// refused. A profile with them takes HS256, HS384 and HS512 and no other algorithm.
func SharedSecrets(secrets ...[]byte) (KeySource, error) {
	var set jose.KeySet
	for n, secret := range secrets {
		key, err := jose.NewSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("trust: shared secret %d: %w", n+1, err)
		}
		set.Keys = append(set.Keys, key)
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxCandidates {
		return nil, fmt.Errorf("trust: %d shared secrets; expected 1 to %d", len(set.Keys), maxCandidates)
	}
	return secretKeys{staticKeys{newKeyIndex(set)}}, nil
}

// shares tells whether the profile's keys are shared secrets.
func (p *Profile) shares() bool { return areShared(p.config.Keys) }

func areShared(keys KeySource) bool {
	switch keys.(type) {
	case secretKeys, *SecretFiles:
		return true
	}
	return false
}
