package jose_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"strings"
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
	f.Add(certificate())
	f.Add([]byte(`{"k1":"-----BEGIN CERTIFICATE-----","k2":"x"}`))
	f.Add(must(strictjson.Marshal(map[string]any{"k1": string(certificate()), "k2": string(pkix(rsaKey().Public()))})))
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
			checkStrong(t, k)
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

// However an issuer writes the parameters of a key, it is the same key: the strict form
// and the tolerant one are both read, and alike.
func FuzzLawTolerantFormIsTheSameKey(f *testing.F) {
	for _, members := range []map[string]any{jwk(f, rsaKey().Public()), jwk(f, p256().Public()), jwk(f, p521().Public()), jwk(f, edKey().Public())} {
		for habits := range uint8(16) {
			f.Add(must(strictjson.Marshal(members)), habits)
		}
	}
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"AA","y":"Zkh9m6ryVWV65LVnoWXYpU3Pg6Ws14f-ZvBFqgMjw7U"}`), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, habits uint8) {
		members, err := strictjson.Object(data)
		if err != nil || members["keys"] != nil {
			return
		}
		strict, err := jose.ParseKeySet(must(strictjson.Marshal(map[string]any{"keys": []any{members}})), 1)
		if err != nil || len(strict.Keys) != 1 {
			return
		}
		tolerant, err := jose.ParseKeySet(inHabit(members, habits), 1)
		if err != nil || len(tolerant.Keys) != 1 || tolerant.Keys[0].Thumbprint != strict.Keys[0].Thumbprint {
			t.Fatalf("%+v became %+v, %v", strict, tolerant, err)
		}
		checkStrong(t, tolerant.Keys[0])
	})
}

// inHabit writes a key as one of the issuers does who do not write it by the letter.
func inHabit(members map[string]any, habits uint8) []byte {
	members = maps.Clone(members)
	for _, name := range []string{"n", "e", "x", "y"} {
		text, ok := members[name].(string)
		if !ok {
			continue
		}
		data, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(text), "="))
		if err != nil {
			continue
		}
		if habits&4 != 0 && members["kty"] == "EC" {
			data = bytes.TrimLeft(data, "\x00")
		}
		members[name] = []*base64.Encoding{base64.RawURLEncoding, base64.URLEncoding, base64.RawStdEncoding, base64.StdEncoding}[habits&3].EncodeToString(data)
	}
	if habits&8 != 0 {
		return append([]byte("\ufeff"), must(strictjson.Marshal(members))...)
	}
	return must(strictjson.Marshal(map[string]any{"keys": []any{members}, "next": nil}))
}

// checkStrong judges a key without the package's own rules.
func checkStrong(t *testing.T, k jose.Key) {
	t.Helper()
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if bits := public.N.BitLen(); bits < 2048 || bits > 8192 || public.E < 3 || public.E%2 == 0 {
			t.Fatalf("RSA of %d bits, e = %d", bits, public.E)
		}
	case *ecdsa.PublicKey:
		if _, err := public.ECDH(); err != nil || public.Curve.Params().BitSize < 256 {
			t.Fatalf("a point that is none: %v", err)
		}
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize {
			t.Fatalf("Ed25519 of %d bytes", len(public))
		}
	default:
		t.Fatalf("a key of type %T", public)
	}
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
