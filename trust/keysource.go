package trust

import (
	"context"
	"crypto"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// KeySource answers the public keys of an issuer. PEMKeys, FileKeys and
// NewRemoteKeys are sources; for keys kept elsewhere (a database, a cloud's key
// service, SPIFFE bundles), implement the one method.
//
// A source that also has the method Status() KeyStatus is described by
// Profile.Explain.
type KeySource interface {
	// Keys answers the keys that may have signed a token: those of the kid that the
	// hint names or, where it names none, all. A kid that is not there may mean keys
	// that have no kid.
	//
	// No key and no error means that the issuer has no such key: the token is refused
	// with key_unknown. Any error means that the keys are unavailable now: the
	// verification fails with ErrKeysUnavailable, which is an outage and no refusal.
	// Its text is logged, so it must hold no secret.
	//
	// Keys is called by many goroutines at once, when a token is verified and each
	// time a cached verification is used, which is good only while the key that made it
	// is among the answer. It should answer from memory where it can, and must
	// return when ctx ends. The hint comes from a token that is not verified: it may select among
	// keys that are held, and never be part of a URL, a file name or a query (RFC
	// 8725 §3.10); a source that asks elsewhere for an unknown kid must bound how
	// often. The answer is not changed afterwards, by either side.
	Keys(ctx context.Context, hint KeyHint) ([]Key, error)
}

// KeyHint is what the header of a token that is not verified says about the key that
// signed it.
type KeyHint struct {
	// ID is the kid, empty where the header names none; at most 256 bytes.
	ID string
	// Algorithm is the alg, one that the profile lists.
	Algorithm string
	// Installation is the value of Config.SecretClaim; empty where there is none that can be.
	Installation string
}

// Key is a public key that may verify tokens. The zero Key verifies nothing.
type Key struct{ key jose.Key }

// NewKey checks a public key: an *rsa.PublicKey of 2048 to 8192 bits, an
// *ecdsa.PublicKey on P-256, P-384 or P-521, or an ed25519.PublicKey (RFC 7518 §3,
// RFC 8037). id is its kid, empty where it has none. algorithm is the one alg that
// it serves (RFC 7517 §4.4); empty leaves what its type and the profile allow.
func NewKey(id string, public crypto.PublicKey, algorithm string) (Key, error) {
	key, err := jose.NewKey(public)
	if err != nil {
		return Key{}, fmt.Errorf("trust: key: %w", err)
	}
	if len(id) > jose.MaxKeyID {
		return Key{}, fmt.Errorf("trust: key: a kid of more than %d bytes", jose.MaxKeyID)
	}
	if algorithm != "" && !key.Fits(algorithm) {
		return Key{}, fmt.Errorf("trust: key: not for algorithm %q", algorithm)
	}
	key.ID, key.Algorithm = id, algorithm
	return Key{key}, nil
}

func (v *verification) keyHint() KeyHint {
	return KeyHint{ID: v.header().KeyID, Algorithm: v.header().Algorithm, Installation: v.installation}
}
