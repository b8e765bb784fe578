package trusttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// Key is a key pair of an issuer.
type Key struct {
	Private crypto.Signer
	// Public is published: its ID is the kid that Sign writes, none if empty.
	Public jose.Key
}

// NewKey makes a key for an algorithm of package jose, with its thumbprint for
// kid. RSA keys have 2048 bits.
func NewKey(t testing.TB, alg string) Key {
	t.Helper()
	private, err := generate(alg)
	if err != nil {
		t.Fatalf("trusttest: key for %s: %v", alg, err)
	}
	public, err := jose.NewKey(private.Public())
	if err != nil {
		t.Fatalf("trusttest: key for %s: %v", alg, err)
	}
	public.ID, public.Algorithm = public.Thumbprint, alg
	return Key{Private: private, Public: public}
}

func generate(alg string) (crypto.Signer, error) {
	switch {
	case alg == jose.EdDSA:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return private, err
	case strings.HasPrefix(alg, "ES"):
		return ecdsa.GenerateKey(curve(alg), rand.Reader)
	}
	return rsa.GenerateKey(rand.Reader, jose.MinRSABits)
}

func curve(alg string) elliptic.Curve {
	switch alg {
	case jose.ES384:
		return elliptic.P384()
	case jose.ES512:
		return elliptic.P521()
	}
	return elliptic.P256()
}

// WithoutID is the key with no kid.
func (k Key) WithoutID() Key {
	k.Public.ID = ""
	return k
}

// WithID is the key with another kid.
func (k Key) WithID(id string) Key {
	k.Public.ID = id
	return k
}

// WithoutAlgorithm is the key with no alg, as some issuers publish theirs.
func (k Key) WithoutAlgorithm() Key {
	k.Public.Algorithm = ""
	return k
}

// PEM is the public key as a PUBLIC KEY block.
func (k Key) PEM(t testing.TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(k.Private.Public())
	if err != nil {
		t.Fatalf("trusttest: PEM: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
