package jose_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// mac signs as anybody with the secret does, without the library.
func mac(newHash func() hash.Hash, alg string, secret []byte) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+alg+`"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"u"}`))
	m := hmac.New(newHash, secret)
	m.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func TestSecretsVerify(t *testing.T) {
	secret := bytes.Repeat([]byte("s"), 64)
	key, err := jose.NewSecret(secret)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := jose.NewSecret(bytes.Repeat([]byte("o"), 64))
	for alg, newHash := range map[string]func() hash.Hash{jose.HS256: sha256.New, jose.HS384: sha512.New384, jose.HS512: sha512.New} {
		token, err := jose.Parse(mac(newHash, alg, secret))
		if err != nil {
			t.Fatal(err)
		}
		if token.Verify(key) != nil || token.Verify(other) == nil {
			t.Errorf("%s: with the secret %v, with another %v", alg, token.Verify(key), token.Verify(other))
		}
		text := mac(newHash, alg, secret)
		for _, forged := range []string{text[:len(text)-4], text[:strings.LastIndexByte(text, '.')+1] + "AAAA"} {
			if token, err := jose.Parse(forged); err == nil && token.Verify(key) == nil {
				t.Errorf("%s: %q verifies", alg, forged)
			}
		}
	}
	if printed := fmt.Sprintf("%v %+v %#v %s", key, key, key, key.Public); strings.Contains(printed, "ssss") || strings.Contains(printed, "115 115") || strings.Contains(printed, "0x73") {
		t.Errorf("the secret is printed: %s", printed)
	}
	if _, err := jose.MarshalKeySet([]jose.Key{key}); err == nil {
		t.Error("a secret is published")
	}
}

// J-02: a public key is no secret, and no secret verifies what public keys sign.
func TestAttackPublicKeyAsSecret(t *testing.T) {
	public := pemOf(t, rsaKey().Public())
	token, err := jose.Parse(mac(sha256.New, jose.HS256, public))
	if err != nil {
		t.Fatal(err)
	}
	if token.Verify(key(t, rsaKey().Public())) == nil {
		t.Error("an RSA key verified an HMAC made with its PEM")
	}
	for name, secret := range map[string][]byte{
		"a public key":     public,
		"a key in JSON":    document(t, jwk(t, rsaKey().Public())),
		"a JWK":            []byte(`{"kty":"oct","k":"` + strings.Repeat("A", 43) + `"}`),
		"a short one":      []byte("0123456789012345678901234567890"),
		"nothing":          nil,
		"PEM after a line": append([]byte("\n\n"), public...),
	} {
		if _, err := jose.NewSecret(secret); err == nil {
			t.Errorf("%s is taken for a secret", name)
		}
	}
	secret, _ := jose.NewSecret(bytes.Repeat([]byte("s"), 32))
	for _, alg := range []string{jose.RS256, jose.ES256, jose.EdDSA, jose.PS256} {
		if secret.Fits(alg) {
			t.Errorf("a secret fits %s", alg)
		}
	}
}
