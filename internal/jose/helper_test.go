package jose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

const claims = `{"sub":"u1"}`

func b64(data string) string { return base64.RawURLEncoding.EncodeToString([]byte(data)) }

// forge makes a token of any header and payload text; sign gets the input.
func forge(header, payload string, sign func(input []byte) []byte) string {
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(sign([]byte(input))))
}

// unsigned has 32 bytes of nothing for a signature.
func unsigned(header, payload string) string {
	return forge(header, payload, func([]byte) []byte { return make([]byte, 32) })
}

func hashed(h crypto.Hash, input []byte) []byte {
	w := h.New()
	w.Write(input)
	return w.Sum(nil)
}

func rs(k *rsa.PrivateKey, h crypto.Hash) func([]byte) []byte {
	return func(input []byte) []byte {
		sig, err := rsa.SignPKCS1v15(nil, k, h, hashed(h, input))
		if err != nil {
			panic(err)
		}
		return sig
	}
}

func ps(k *rsa.PrivateKey, h crypto.Hash, salt int) func([]byte) []byte {
	return func(input []byte) []byte {
		sig, err := rsa.SignPSS(rand.Reader, k, h, hashed(h, input), &rsa.PSSOptions{SaltLength: salt})
		if err != nil {
			panic(err)
		}
		return sig
	}
}

func es(k *ecdsa.PrivateKey, h crypto.Hash) func([]byte) []byte {
	return func(input []byte) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, k, hashed(h, input))
		if err != nil {
			panic(err)
		}
		return rAndS(k.Curve, r, s)
	}
}

func rAndS(c elliptic.Curve, r, s *big.Int) []byte {
	n := (c.Params().BitSize + 7) / 8
	return append(r.FillBytes(make([]byte, n)), s.FillBytes(make([]byte, n))...)
}

func ed(k ed25519.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte { return ed25519.Sign(k, input) }
}

// Keys are made once: RSA keys are slow to make.
var (
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	rsaKey2 = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	p521    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	edKey   = sync.OnceValue(func() ed25519.PrivateKey {
		_, k, err := ed25519.GenerateKey(rand.Reader)
		return must(k, err)
	})
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func key(t testing.TB, public crypto.PublicKey) jose.Key {
	t.Helper()
	k, err := jose.NewKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func parse(t testing.TB, text string) *jose.Token {
	t.Helper()
	token, err := jose.Parse(text)
	if err != nil {
		t.Fatalf("Parse: %v", err)
	}
	return token
}

func wantCode(t *testing.T, text, code string) {
	t.Helper()
	_, err := jose.Parse(text)
	var e *jose.ParseError
	if !errors.As(err, &e) {
		t.Fatalf("Parse: %v, want code %s", err, code)
	}
	if e.Code != code {
		t.Errorf("code %s (%v), want %s", e.Code, err, code)
	}
}

func cutSignature(token string) (input, signature string) {
	i := strings.LastIndexByte(token, '.')
	return token[:i], token[i+1:]
}
