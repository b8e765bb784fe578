package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Bounds of an RSA modulus in bits (RFC 7518 §3.3 asks for 2048; more than 8192
// makes each verification slow). The fingerprint of keys made by the ROCA fault is
// not looked for: such keys are years past their recall, and nobody but the
// issuer could put one into its set.
const (
	MinRSABits = 2048
	MaxRSABits = 8192
)

// Key is a public key, or a Secret, and what it may be used for.
type Key struct {
	// ID is the kid, empty where the key has none.
	ID string
	// Algorithm is the one algorithm of the key; empty leaves what its type allows.
	Algorithm string
	// Use is the member of that name in a JWKS, empty where there is none.
	Use string
	// Public is an *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or Secret.
	Public crypto.PublicKey
	// Thumbprint names the key by what it is (RFC 7638, SHA-256, base64url).
	Thumbprint string
}

// NewKey checks that a public key is one we would verify with, and names it.
// Every error is a *KeyError.
func NewKey(public crypto.PublicKey) (Key, error) {
	if err := checkStrength(public); err != nil {
		return Key{}, err
	}
	k, err := jwk.FromRaw(public)
	if err != nil {
		return Key{}, keyErrorf("not representable")
	}
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, keyErrorf("not representable")
	}
	return Key{Public: public, Thumbprint: encode(sum)}, nil
}

// Fits tells whether the key can verify that algorithm: by its type, its curve
// and its own alg, so that a key for RS256 never serves PS256 (RFC 8725 §3.1).
func (k Key) Fits(alg string) bool {
	a := algorithms[alg]
	return a != nil && (k.Algorithm == "" || k.Algorithm == alg) && a.takes(k.Public)
}

// Confusable tells whether a token that can mean one of two keys can mean the other as
// well: by kid, by alg and by type and curve (RFC 7517 §4.5).
func (k Key) Confusable(other Key) bool {
	if k.ID != other.ID || k.Algorithm != other.Algorithm || k.Thumbprint == other.Thumbprint {
		return false
	}
	for _, a := range algorithms {
		if a.takes(k.Public) && a.takes(other.Public) {
			return true
		}
	}
	return false
}

func checkStrength(public crypto.PublicKey) error {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		return checkEC(k)
	case ed25519.PublicKey:
		return checkEd25519(k)
	}
	return keyErrorf("type %T is not supported", public)
}

func checkRSA(k *rsa.PublicKey) error {
	if k == nil || k.N == nil {
		return keyErrorf("no modulus")
	}
	switch bits := k.N.BitLen(); {
	case bits < MinRSABits:
		return keyErrorf("RSA modulus of %d bits, fewer than %d", bits, MinRSABits)
	case bits > MaxRSABits:
		return keyErrorf("RSA modulus of %d bits, more than %d", bits, MaxRSABits)
	case k.N.Bit(0) == 0:
		return keyErrorf("RSA modulus is even")
	case k.E < 3 || k.E&1 == 0:
		return keyErrorf("RSA exponent must be odd and at least 3")
	}
	return nil
}

func checkEC(k *ecdsa.PublicKey) error {
	if k == nil || k.Curve == nil || k.X == nil || k.Y == nil {
		return keyErrorf("no point")
	}
	if !curveKnown(k) {
		return keyErrorf("curve is not supported")
	}
	// An encoding of the point exists only if it lies on its curve and is not the
	// point at infinity; off the curve lie points of small order.
	if _, err := k.Bytes(); err != nil {
		return keyErrorf("point is not on its curve")
	}
	return nil
}

func curveKnown(k *ecdsa.PublicKey) bool {
	for _, a := range algorithms {
		if a.family == ecdsaRS && a.curve == k.Curve {
			return true
		}
	}
	return false
}

func checkEd25519(k ed25519.PublicKey) error {
	if len(k) != ed25519.PublicKeySize {
		return keyErrorf("Ed25519 key of %d bytes", len(k)) // crypto/ed25519 would panic
	}
	y := bytes.Clone(k)
	y[31] &= 0x7f // the sign of x
	for _, small := range smallOrder {
		if bytes.Equal(y, small[:]) {
			return keyErrorf("Ed25519 point of small order")
		}
	}
	return nil
}
