package trust

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// MaxKeys is how many keys a source may hold.
const MaxKeys = 100

// maxTrials bounds the signatures checked for a token whose header does not say
// which key made it.
const maxTrials = 16

// KeySource is where a profile's keys come from. The sources are those of this
// package: PEMKeys, FileKeys and NewRemoteKeys.
type KeySource interface {
	// find answers the keys that the header may mean, fetching them if need be:
	// none if the source can be asked and has none. It fails with
	// ErrKeysUnavailable.
	find(ctx context.Context, h jose.Header) ([]jose.Key, error)
	// held is what the source holds now, without fetching: nil if nothing.
	held() *keyIndex
	// digest names the source in a profile's digest.
	digest() [32]byte
}

// keyIndex is a set of keys, ready to be asked. It does not change.
type keyIndex struct {
	all       []jose.Key
	named     map[string][]jose.Key // one key each: a set never holds a kid twice
	anonymous []jose.Key
	dropped   []jose.Dropped
}

func newKeyIndex(set jose.KeySet) *keyIndex {
	x := &keyIndex{all: set.Keys, named: map[string][]jose.Key{}, dropped: set.Dropped}
	for _, k := range set.Keys {
		if k.ID == "" {
			x.anonymous = append(x.anonymous, k)
			continue
		}
		x.named[k.ID] = []jose.Key{k}
	}
	return x
}

// candidates are the key of that kid and no other (RFC 8725 §3.10). A token
// without kid may mean any key; a kid that is not there may mean one that has
// none, as in a PEM file.
func (x *keyIndex) candidates(h jose.Header) []jose.Key {
	if !h.HasKeyID {
		return x.all
	}
	if keys := x.named[h.KeyID]; keys != nil {
		return keys
	}
	return x.anonymous
}

// holds tells whether the very key that once verified a token of this header is
// still a candidate for it, and still fit.
func (x *keyIndex) holds(h jose.Header, thumbprint string) bool {
	for _, k := range x.candidates(h) {
		if k.Thumbprint == thumbprint && k.Fits(h.Algorithm) {
			return true
		}
	}
	return false
}

// whyDropped says what is wrong with the key of that kid, if it is in the set.
func (x *keyIndex) whyDropped(kid string) string {
	for _, d := range x.dropped {
		if d.ID == kid {
			return d.Reason
		}
	}
	return ""
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
	if len(set.Keys) > maxTrials {
		return nil, fmt.Errorf("trust: %d public keys without kid, more than %d", len(set.Keys), maxTrials)
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

// parseKeys refuses a set without a usable key: no keys is never an answer.
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

func (s staticKeys) find(_ context.Context, h jose.Header) ([]jose.Key, error) {
	return s.index.candidates(h), nil
}

func (s staticKeys) held() *keyIndex { return s.index }

func (s staticKeys) digest() (sum [32]byte) {
	h := sha256.New()
	for _, k := range s.index.all {
		fmt.Fprintf(h, "%q %q %q\n", k.ID, k.Algorithm, k.Thumbprint)
	}
	h.Sum(sum[:0])
	return sum
}
