package trusttest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Claims of a token.
type Claims = map[string]any

// Absent is the value of a claim or header member that Sign shall leave out.
const Absent = absent("absent")

type absent string

// Option bends a token.
type Option func(*token)

type token struct {
	key     Key
	header  map[string]any
	payload []byte
	secret  []byte
	salt    int
}

// With sets a member of the header; Absent removes it.
func With(name string, value any) Option {
	return func(s *token) { set(s.header, name, value) }
}

// Type sets typ, KeyID kid, and NoKeyID leaves kid out.
func Type(typ string) Option { return With("typ", typ) }

// KeyID sets kid.
func KeyID(id string) Option { return With("kid", id) }

// NoKeyID leaves kid out.
func NoKeyID() Option { return With("kid", Absent) }

// Algorithm writes another alg and signs by it, if the key can.
func Algorithm(alg string) Option { return With("alg", alg) }

// By signs with another key than the issuer's current one.
func By(k Key) Option {
	return func(s *token) {
		s.key = k
		s.describe()
	}
}

// Secret signs with HMAC under alg: what an attacker makes of a public key.
func Secret(alg string, secret []byte) Option {
	return func(s *token) {
		s.secret = secret
		s.header["alg"] = alg
	}
}

// Payload is signed as it is, instead of the claims.
func Payload(data string) Option {
	return func(s *token) { s.payload = []byte(data) }
}

// SaltLength of a PSS signature, in bytes; by default that of the hash.
func SaltLength(n int) Option {
	return func(s *token) { s.salt = n }
}

// Sign makes a token. The claims iss, aud, sub, iat and exp (five minutes) are
// filled in unless they are given; a claim that is Absent is left out.
func (i *Issuer) Sign(claims Claims, options ...Option) string {
	i.t.Helper()
	now := i.Now()
	all := Claims{"iss": i.URL, "aud": Audience, "sub": "subject", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for name, value := range claims {
		set(all, name, value)
	}
	return Sign(i.t, i.Key(), all, options...)
}

// Sign makes a token of exactly these claims.
func Sign(t testing.TB, k Key, claims Claims, options ...Option) string {
	t.Helper()
	s := &token{key: k, header: map[string]any{"typ": "JWT"}, payload: marshal(t, claims), salt: rsa.PSSSaltLengthEqualsHash}
	s.describe()
	for _, option := range options {
		option(s)
	}
	input := encode(marshal(t, s.header)) + "." + encode(s.payload)
	return input + "." + encode(s.sign(t, []byte(input)))
}

func (s *token) describe() {
	set(s.header, "alg", s.key.Public.Algorithm)
	set(s.header, "kid", s.key.Public.ID)
	if s.key.Public.ID == "" {
		delete(s.header, "kid")
	}
	if s.key.Public.Algorithm == "" {
		s.header["alg"] = natural(s.key.Public)
	}
}

// natural is the algorithm of a key that names none.
func natural(k jose.Key) string {
	for _, alg := range []string{jose.RS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
		if k.Fits(alg) {
			return alg
		}
	}
	return ""
}

func set(object map[string]any, name string, value any) {
	if value == Absent {
		delete(object, name)
		return
	}
	object[name] = value
}

func (s *token) sign(t testing.TB, input []byte) []byte {
	alg, _ := s.header["alg"].(string)
	if s.secret != nil {
		mac := hmac.New(hashOf(alg).New, s.secret)
		mac.Write(input)
		return mac.Sum(nil)
	}
	signature, err := s.signature(alg, input)
	if err != nil {
		t.Fatalf("trusttest: sign %s: %v", alg, err)
	}
	return signature
}

func (s *token) signature(alg string, input []byte) ([]byte, error) {
	hash := hashOf(alg)
	switch k := s.key.Private.(type) {
	case *rsa.PrivateKey:
		if strings.HasPrefix(alg, "PS") {
			return rsa.SignPSS(rand.Reader, k, hash, digest(hash, input), &rsa.PSSOptions{SaltLength: s.salt})
		}
		return rsa.SignPKCS1v15(nil, k, hash, digest(hash, input))
	case *ecdsa.PrivateKey:
		r, q, err := ecdsa.Sign(rand.Reader, k, digest(hash, input))
		if err != nil {
			return nil, err
		}
		n := (k.Curve.Params().BitSize + 7) / 8
		return append(r.FillBytes(make([]byte, n)), q.FillBytes(make([]byte, n))...), nil
	}
	return s.key.Private.Sign(rand.Reader, input, crypto.Hash(0))
}

// hashOf reads the size at the end of an algorithm's name; SHA-256 for any other,
// so that a nonsense alg can be signed too.
func hashOf(alg string) crypto.Hash {
	switch {
	case strings.HasSuffix(alg, "384"):
		return crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		return crypto.SHA512
	}
	return crypto.SHA256
}

func digest(hash crypto.Hash, input []byte) []byte {
	h := hash.New()
	h.Write(input)
	return h.Sum(nil)
}

func marshal(t testing.TB, v map[string]any) []byte {
	t.Helper()
	data, err := strictjson.Marshal(v)
	if err != nil {
		t.Fatalf("trusttest: %v", err)
	}
	return data
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
