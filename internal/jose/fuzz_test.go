package jose_test

import (
	"crypto"
	"encoding/base64"
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Whatever is accepted has one spelling: what was understood, written again, is
// the input.
func FuzzParse(f *testing.F) {
	f.Add(unsigned(`{"alg":"ES256","kid":"k1"}`, claims))
	f.Add(unsigned(`{"alg":"none"}`, claims))
	f.Add(unsigned(`{"alg":"ES256","crit":["b64"]}`, `{"a":{"b":[1,2,{}]}}`))
	f.Add("....")
	f.Add("a.b.c")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jose.Parse(text)
		if err != nil {
			var e *jose.ParseError
			if !errors.As(err, &e) || e.Code == "" || token != nil {
				t.Fatalf("not a ParseError: %v", err)
			}
			return
		}
		input, signature := cutSignature(text)
		data, err := base64.RawURLEncoding.Strict().DecodeString(signature)
		if err != nil || len(data) == 0 || len(text) > jose.MaxTokenBytes {
			t.Fatalf("accepted with signature %q", signature)
		}
		header, payload, _, _ := cutParts(text)
		if b64(string(token.Payload)) != payload || header+"."+payload != input {
			t.Fatal("another spelling was accepted")
		}
		if _, err := strictjson.Object(token.Payload); err != nil || !utf8.Valid(token.Payload) {
			t.Fatalf("payload %q", token.Payload)
		}
	})
}

func cutParts(text string) (header, payload, signature string, ok bool) {
	input, signature := cutSignature(text)
	header, payload = cutSignature(input)
	return header, payload, signature, ok
}

// Nothing verifies but what the key signed, whichever key and algorithm.
func FuzzVerify(f *testing.F) {
	keys := []jose.Key{key(f, rsaKey().Public()), key(f, p256().Public()), key(f, p384().Public()), key(f, p521().Public()), key(f, edKey().Public())}
	signed := map[string]bool{}
	for _, text := range []string{
		forge(`{"alg":"RS256"}`, claims, rs(rsaKey(), crypto.SHA256)),
		forge(`{"alg":"PS256"}`, claims, ps(rsaKey(), crypto.SHA256, 32)),
		forge(`{"alg":"ES256"}`, claims, es(p256(), crypto.SHA256)),
		forge(`{"alg":"ES384"}`, claims, es(p384(), crypto.SHA384)),
		forge(`{"alg":"ES512"}`, claims, es(p521(), crypto.SHA512)),
		forge(`{"alg":"EdDSA"}`, claims, ed(edKey())),
	} {
		input, _ := cutSignature(text)
		signed[input] = true
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jose.Parse(text)
		if err != nil {
			return
		}
		input, _ := cutSignature(text)
		for _, k := range keys {
			if token.Verify(k) == nil && !signed[input] {
				t.Fatalf("a forgery verifies: %s", text)
			}
		}
	})
}

// Every key that is kept can be published and read back as it was, and verifying
// with it never panics.
func FuzzParseKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[]}`))
	f.Add([]byte(`{"keys":[{"kty":"oct","k":"AAAA"},null,{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]}`))
	f.Add(must(jose.MarshalKeySet([]jose.Key{key(f, p256().Public()), key(f, edKey().Public()), key(f, rsaKey().Public())})))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := jose.ParseKeySet(data, 10)
		if err != nil {
			return
		}
		again, err := jose.ParseKeySet(must(jose.MarshalKeySet(set.Keys)), 10)
		if err != nil || len(again.Keys) != len(set.Keys) {
			t.Fatalf("%d keys, read back %d, %v", len(set.Keys), len(again.Keys), err)
		}
		for i, k := range set.Keys {
			if again.Keys[i].Thumbprint != k.Thumbprint || again.Keys[i].ID != k.ID || again.Keys[i].Algorithm != k.Algorithm {
				t.Fatalf("%+v became %+v", k, again.Keys[i])
			}
			for _, alg := range []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"} {
				if parse(t, unsigned(`{"alg":"`+alg+`"}`, claims)).Verify(k) == nil {
					t.Fatal("nothing verifies as a signature")
				}
			}
		}
	})
}

// A PEM text is all good or an error; keys that come out are usable ones.
func FuzzParsePEM(f *testing.F) {
	f.Add(pkix(p256().Public()))
	f.Add(certificate())
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := jose.ParsePEM(data)
		if (err == nil) != (len(keys) > 0) {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		for _, k := range keys {
			if again, err := jose.NewKey(k.Public); err != nil || again.Thumbprint != k.Thumbprint {
				t.Fatalf("%+v: %v", k, err)
			}
		}
	})
}
