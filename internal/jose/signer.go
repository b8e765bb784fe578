package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Signer holds one private key and signs with it. It has no printable form.
type Signer struct {
	private crypto.Signer // raw: a jwk.Key would be converted anew for every signature
	key     Key
	jws     jws.Signer
	headers map[string]string // encoded, by typ, with the dot after it
}

// NewSigner makes a key for ES256, RS256 (2048 bits) or EdDSA. random is passed
// to the generators of the standard library, which from Go 1.26 on read the
// system's randomness whatever they are given.
func NewSigner(alg string, random io.Reader) (*Signer, error) {
	private, err := generate(alg, random)
	if err != nil {
		return nil, err
	}
	return newSigner(alg, private)
}

func generate(alg string, random io.Reader) (private crypto.Signer, err error) {
	switch alg {
	case ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), random)
	case RS256:
		private, err = rsa.GenerateKey(random, MinRSABits)
	case EdDSA:
		_, private, err = ed25519.GenerateKey(random)
	default:
		return nil, errSigner
	}
	if err != nil {
		return nil, fmt.Errorf("jose: making a key: %w", err)
	}
	return private, nil
}

var errSigner = errors.New("jose: signing is with ES256, RS256 or EdDSA")

// LoadSigner takes a private key in PKCS #8 and the algorithm it is for.
func LoadSigner(alg string, pkcs8 []byte) (*Signer, error) {
	private, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, errors.New("jose: not a PKCS #8 private key") // the cause could quote the key
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errSigner
	}
	return newSigner(alg, signer)
}

// ParseSignerPEM takes the one private key of a PEM text (PRIVATE KEY, EC
// PRIVATE KEY or RSA PRIVATE KEY); its type is its algorithm: P-256 for ES256,
// RSA for RS256, Ed25519 for EdDSA.
func ParseSignerPEM(data []byte) (*Signer, error) {
	blocks, err := pemBlocks(data)
	if err != nil {
		return nil, err
	}
	if len(blocks) != 1 || len(blocks[0].Headers) != 0 {
		return nil, errors.New("jose: a signing key file holds one PEM block, not encrypted")
	}
	private, err := parsePrivate(blocks[0].Type, blocks[0].Bytes)
	if err != nil {
		return nil, err
	}
	return newSigner(naturalAlgorithm(private), private)
}

func parsePrivate(kind string, der []byte) (crypto.Signer, error) {
	var private any
	var err error
	switch kind {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(der)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(der)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(der)
	default:
		return nil, errors.New("jose: PEM does not hold a private key")
	}
	signer, ok := private.(crypto.Signer)
	if err != nil || !ok {
		return nil, errors.New("jose: the private key does not parse")
	}
	return signer, nil
}

func naturalAlgorithm(private crypto.Signer) string {
	for _, alg := range [...]string{ES256, RS256, EdDSA} {
		if algorithms[alg].takes(private.Public()) {
			return alg
		}
	}
	return ""
}

func newSigner(alg string, private crypto.Signer) (*Signer, error) {
	if alg != ES256 && alg != RS256 && alg != EdDSA {
		return nil, errSigner
	}
	key, err := NewKey(private.Public())
	if err != nil {
		return nil, err
	}
	if !key.Fits(alg) {
		return nil, keyErrorf("does not fit algorithm %s", alg)
	}
	key.ID, key.Algorithm, key.Use = key.Thumbprint, alg, "sig"
	headers := map[string]string{}
	for _, kind := range []string{TypeJWT, TypeAccessToken} {
		header, err := strictjson.Marshal(map[string]any{"alg": alg, "kid": key.ID, "typ": kind})
		if err != nil {
			return nil, fmt.Errorf("jose: header: %w", err)
		}
		headers[kind] = encode(header) + "."
	}
	s, err := jws.NewSigner(jwa.SignatureAlgorithm(alg))
	if err != nil {
		return nil, fmt.Errorf("jose: %w", err)
	}
	return &Signer{private: private, key: key, jws: s, headers: headers}, nil
}

// Key is the public half, with its ID (the thumbprint), algorithm and use.
func (s *Signer) Key() Key { return s.key }

// PKCS8 is the private key, for keeping it sealed.
func (s *Signer) PKCS8() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(s.private)
	if err != nil {
		return nil, fmt.Errorf("jose: %w", err)
	}
	return der, nil
}

// The types of tokens that a Signer makes.
const (
	TypeJWT         = "JWT"
	TypeAccessToken = "at+jwt" // RFC 9068 §2.1
)

// Sign makes a compact JWS of the payload, a JSON object. The header is
// {"alg", "kid", "typ": "JWT"}.
func (s *Signer) Sign(payload []byte) (string, error) { return s.SignAs(TypeJWT, payload) }

// SignAs is Sign with another of the types.
func (s *Signer) SignAs(kind string, payload []byte) (string, error) {
	header, known := s.headers[kind]
	if !known {
		return "", errors.New("jose: a type that no signer makes")
	}
	input := header + encode(payload)
	signature, err := s.jws.Sign([]byte(input), s.private)
	if err != nil {
		return "", fmt.Errorf("jose: signing: %w", err)
	}
	var b strings.Builder
	b.Grow(len(input) + 1 + len(signature)*4/3 + 2)
	b.WriteString(input)
	b.WriteByte('.')
	b.WriteString(encode(signature))
	return b.String(), nil
}

// Format prints algorithm and kid alone, whatever the verb, so that no log holds the private key.
func (s *Signer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "jose.Signer(%s %s)", s.key.Algorithm, s.key.ID)
}
