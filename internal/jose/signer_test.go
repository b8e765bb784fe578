package jose_test

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func TestSigner(t *testing.T) {
	for _, alg := range []string{jose.ES256, jose.RS256, jose.EdDSA} {
		t.Run(alg, func(t *testing.T) {
			s, err := jose.NewSigner(alg, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			text, err := s.Sign([]byte(claims))
			if err != nil {
				t.Fatal(err)
			}
			token := parse(t, text)
			want := jose.Header{Algorithm: alg, KeyID: s.Key().Thumbprint, Type: "JWT", HasKeyID: true, HasType: true}
			if token.Header != want || string(token.Payload) != claims {
				t.Errorf("%+v %s", token.Header, token.Payload)
			}
			if err := token.Verify(s.Key()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSignerSurvivesKeeping(t *testing.T) {
	for _, alg := range []string{jose.ES256, jose.RS256, jose.EdDSA} {
		s := must(jose.NewSigner(alg, rand.Reader))
		kept := must(s.PKCS8())
		again, err := jose.LoadSigner(alg, kept)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		file, err := jose.ParseSignerPEM(block("PRIVATE KEY", kept))
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		for _, other := range []*jose.Signer{again, file} {
			text := must(other.Sign([]byte(claims)))
			if err := parse(t, text).Verify(s.Key()); err != nil {
				t.Errorf("%s: %v", alg, err)
			}
			if other.Key().ID != s.Key().ID || other.Key().Algorithm != alg {
				t.Errorf("%s: %+v", alg, other.Key())
			}
		}
	}
}

func TestParseSignerPEMOldForms(t *testing.T) {
	for alg, text := range map[string][]byte{
		jose.ES256: block("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256()))),
		jose.RS256: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())),
	} {
		if s, err := jose.ParseSignerPEM(text); err != nil || s.Key().Algorithm != alg {
			t.Errorf("%s: %v", alg, err)
		}
	}
}

func TestSignerRefuses(t *testing.T) {
	pkcs8 := func(k any) []byte { return must(x509.MarshalPKCS8PrivateKey(k)) }
	load := func(alg string, der []byte) func() error {
		return func() error { _, err := jose.LoadSigner(alg, der); return err }
	}
	read := func(text []byte) func() error {
		return func() error { _, err := jose.ParseSignerPEM(text); return err }
	}
	for name, try := range map[string]func() error{
		"HS256":                    func() error { _, err := jose.NewSigner("HS256", rand.Reader); return err },
		"none":                     func() error { _, err := jose.NewSigner("none", rand.Reader); return err },
		"PS256":                    load(jose.PS256, pkcs8(rsaKey())),
		"RSA key for ES256":        load(jose.ES256, pkcs8(rsaKey())),
		"P-384 key for ES256":      load(jose.ES256, pkcs8(p384())),
		"not a key":                load(jose.ES256, []byte("s3cr3t")),
		"PEM of a public key":      read(pkix(p256().Public())),
		"PEM of P-384":             read(block("PRIVATE KEY", pkcs8(p384()))),
		"two keys in one PEM":      read(append(block("PRIVATE KEY", pkcs8(p256())), block("PRIVATE KEY", pkcs8(edKey()))...)),
		"PEM that does not parse":  read(block("PRIVATE KEY", []byte("s3cr3t"))),
		"a file that is no key":    read([]byte("s3cr3t")),
		"the wrong form of a key":  read(block("EC PRIVATE KEY", pkcs8(p256()))),
		"a broken block behind it": read(append(block("PRIVATE KEY", pkcs8(p256())), "-----BEGIN PRIVATE KEY-----\n"...)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := try(); err == nil || strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestSignerHasNoPrintableForm(t *testing.T) {
	s, err := jose.LoadSigner(jose.ES256, must(x509.MarshalPKCS8PrivateKey(p256())))
	if err != nil {
		t.Fatal(err)
	}
	want := "jose.Signer(ES256 " + s.Key().ID + ")"
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

func TestMarshalKeySet(t *testing.T) {
	signer := must(jose.NewSigner(jose.ES256, rand.Reader))
	bare := key(t, rsaKey().Public())
	document, err := strictjson.Object(must(jose.MarshalKeySet([]jose.Key{signer.Key(), bare})))
	if err != nil {
		t.Fatal(err)
	}
	keys := document["keys"].([]any)
	first, second := keys[0].(map[string]any), keys[1].(map[string]any)
	want := map[string]string{"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": signer.Key().Thumbprint, "key_ops": "[verify]"}
	for name, value := range want {
		if got := fmt.Sprint(first[name]); got != value {
			t.Errorf("%s is %s, want %s", name, got, value)
		}
	}
	if _, has := second["kid"]; has || second["kty"] != "RSA" || second["alg"] != nil {
		t.Errorf("second key %v", second)
	}
	for name := range first {
		if !strings.Contains(" kty crv x y use alg kid key_ops ", " "+name+" ") {
			t.Errorf("member %s is published", name)
		}
	}
}

// K-06: nothing private comes out, whatever is put in.
func TestMarshalKeySetRefusesPrivateKeys(t *testing.T) {
	for _, private := range []any{rsaKey(), p256(), edKey(), []byte("s3cr3t"), nil} {
		if data, err := jose.MarshalKeySet([]jose.Key{{ID: "k", Public: private}}); err == nil {
			t.Errorf("%T is published as %s", private, data)
		}
	}
}

func TestMarshalKeySetOfNothing(t *testing.T) {
	if data := must(jose.MarshalKeySet(nil)); string(data) != `{"keys":[]}` {
		t.Errorf("%s", data)
	}
}

func TestMarshalKeySetIsReadBack(t *testing.T) {
	var keys []jose.Key
	for i, public := range []any{rsaKey().Public(), p256().Public(), p384().Public(), p521().Public(), edKey().Public()} {
		k := key(t, public)
		k.ID = fmt.Sprint("k", i)
		keys = append(keys, k)
	}
	set, err := jose.ParseKeySet(must(jose.MarshalKeySet(keys)), 100)
	if err != nil || len(set.Keys) != len(keys) {
		t.Fatalf("%+v, %v", set, err)
	}
	for i, k := range set.Keys {
		if k.ID != keys[i].ID || k.Thumbprint != keys[i].Thumbprint || k.Use != "sig" {
			t.Errorf("%+v, want %+v", k, keys[i])
		}
	}
}
