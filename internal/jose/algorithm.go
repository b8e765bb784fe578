package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"

	// The hashes of the algorithms below register themselves.
	_ "crypto/sha256"
	_ "crypto/sha512"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// The signature algorithms we have (RFC 7518 §3.1, RFC 8037 §3.1). Those with a shared
// secret take a Secret and nothing else, so that a public key can never serve as one.
const (
	HS256 = "HS256"
	HS384 = "HS384"
	HS512 = "HS512"
	RS256 = "RS256"
	RS384 = "RS384"
	RS512 = "RS512"
	PS256 = "PS256"
	PS384 = "PS384"
	PS512 = "PS512"
	ES256 = "ES256"
	ES384 = "ES384"
	ES512 = "ES512"
	EdDSA = "EdDSA"
)

type family int

const (
	rsaPKCS1 family = iota + 1
	rsaPSS
	ecdsaRS
	edwards
	shared
)

type algorithm struct {
	family family
	hash   crypto.Hash
	curve  elliptic.Curve
	// verifier checks the primitive; nil for PSS, where that of jwx takes a salt of
	// any length.
	verifier jws.Verifier
}

// algorithms is filled once and never changed. It holds jwx's own verifiers, so
// that other code in the process that registers another verifier has no effect here.
var algorithms = map[string]*algorithm{
	RS256: {rsaPKCS1, crypto.SHA256, nil, verifier(jwa.RS256)},
	RS384: {rsaPKCS1, crypto.SHA384, nil, verifier(jwa.RS384)},
	RS512: {rsaPKCS1, crypto.SHA512, nil, verifier(jwa.RS512)},
	PS256: {rsaPSS, crypto.SHA256, nil, nil},
	PS384: {rsaPSS, crypto.SHA384, nil, nil},
	PS512: {rsaPSS, crypto.SHA512, nil, nil},
	ES256: {ecdsaRS, crypto.SHA256, elliptic.P256(), verifier(jwa.ES256)},
	ES384: {ecdsaRS, crypto.SHA384, elliptic.P384(), verifier(jwa.ES384)},
	ES512: {ecdsaRS, crypto.SHA512, elliptic.P521(), verifier(jwa.ES512)},
	EdDSA: {edwards, 0, nil, verifier(jwa.EdDSA)},
	HS256: {shared, crypto.SHA256, nil, verifier(jwa.HS256)},
	HS384: {shared, crypto.SHA384, nil, verifier(jwa.HS384)},
	HS512: {shared, crypto.SHA512, nil, verifier(jwa.HS512)},
}

// canonical is the name under which we have an algorithm.
func canonical(alg string) string {
	if alg == "Ed25519" { // RFC 9864 §2.2
		return EdDSA
	}
	return alg
}

func verifier(alg jwa.SignatureAlgorithm) jws.Verifier {
	v, err := jws.NewVerifier(alg)
	if err != nil {
		panic("jose: " + err.Error()) // the library lacks an algorithm of its own list
	}
	return v
}

// Known tells whether alg is one of the algorithms above, letter for letter.
func Known(alg string) bool { return algorithms[alg] != nil }

// PSS tells whether alg is one of RSASSA-PSS, which shares its key type with
// PKCS #1 v1.5 but not its keys.
func PSS(alg string) bool {
	a := algorithms[alg]
	return a != nil && a.family == rsaPSS
}

// Shared tells whether alg is one of those with a shared secret.
func Shared(alg string) bool {
	a := algorithms[alg]
	return a != nil && a.family == shared
}

// takes tells whether the algorithm is made for that type and curve of key.
func (a *algorithm) takes(public crypto.PublicKey) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return a.family == rsaPKCS1 || a.family == rsaPSS
	case *ecdsa.PublicKey:
		return a.family == ecdsaRS && k.Curve == a.curve
	case ed25519.PublicKey:
		return a.family == edwards
	case Secret:
		return a.family == shared
	}
	return false
}
