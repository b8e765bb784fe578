package jose_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// jwk is a key as members, to be bent.
func jwk(t testing.TB, public any) map[string]any {
	t.Helper()
	document, err := strictjson.Object(must(jose.MarshalKeySet([]jose.Key{key(t, public)})))
	if err != nil {
		t.Fatal(err)
	}
	members := document["keys"].([]any)[0].(map[string]any)
	delete(members, "use")
	delete(members, "key_ops")
	return members
}

func with(members map[string]any, pairs ...any) map[string]any {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(members, pairs[i].(string))
			continue
		}
		members[pairs[i].(string)] = pairs[i+1]
	}
	return members
}

func document(t testing.TB, keys ...map[string]any) []byte {
	t.Helper()
	list := make([]any, len(keys))
	for i, k := range keys {
		list[i] = k
	}
	data, err := strictjson.Marshal(map[string]any{"keys": list})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func raw(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func TestParseKeySetTakes(t *testing.T) {
	for name, members := range map[string]map[string]any{
		"RSA":                    jwk(t, rsaKey().Public()),
		"P-256":                  jwk(t, p256().Public()),
		"P-384":                  jwk(t, p384().Public()),
		"P-521":                  jwk(t, p521().Public()),
		"Ed25519":                jwk(t, edKey().Public()),
		"use sig":                with(jwk(t, p256().Public()), "use", "sig", "kid", "k1"),
		"key_ops verify":         with(jwk(t, p256().Public()), "key_ops", []any{"verify"}),
		"key_ops verify and so":  with(jwk(t, p256().Public()), "key_ops", []any{"sign", "verify"}),
		"alg":                    with(jwk(t, rsaKey().Public()), "alg", "PS384"),
		"members we do not read": with(jwk(t, rsaKey().Public()), "x5c", []any{"not base64"}, "x5u", "https://evil.example", "x5t", 7, "issuer", "x"),
		"modulus with a zero":    with(jwk(t, rsaKey().Public()), "n", raw(append([]byte{0}, rsaKey().N.Bytes()...))),
	} {
		t.Run(name, func(t *testing.T) {
			set, err := jose.ParseKeySet(document(t, members), 100)
			if err != nil || len(set.Keys) != 1 || len(set.Dropped) != 0 {
				t.Fatalf("%+v, %v", set, err)
			}
		})
	}
}

func TestParseKeySetKeepsWhatItSays(t *testing.T) {
	set, err := jose.ParseKeySet(document(t, with(jwk(t, rsaKey().Public()), "kid", "k1", "use", "sig", "alg", "RS512")), 100)
	if err != nil || len(set.Keys) != 1 {
		t.Fatalf("%+v, %v", set, err)
	}
	k := set.Keys[0]
	if k.ID != "k1" || k.Use != "sig" || k.Algorithm != jose.RS512 || !rsaKey().PublicKey.Equal(k.Public) {
		t.Errorf("%+v", k)
	}
	if want := key(t, rsaKey().Public()).Thumbprint; k.Thumbprint != want {
		t.Errorf("thumbprint %s, want %s", k.Thumbprint, want)
	}
}

// The examples of RFC 7638 §3.1 and RFC 8037 appendix A.3.
func TestThumbprintRFC(t *testing.T) {
	for _, c := range []struct{ jwk, want string }{
		{
			`{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}`,
			"NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
		},
		{
			`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`,
			"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
		},
	} {
		set, err := jose.ParseKeySet([]byte(`{"keys":[`+c.jwk+`]}`), 1)
		if err != nil || len(set.Keys) != 1 {
			t.Fatalf("%+v, %v", set, err)
		}
		if got := set.Keys[0].Thumbprint; got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestParseKeySetDrops(t *testing.T) {
	ofBits := func(n int) map[string]any {
		modulus := new(big.Int).Lsh(big.NewInt(1), uint(n-1))
		return with(jwk(t, rsaKey().Public()), "n", raw(modulus.Add(modulus, big.NewInt(1)).Bytes()))
	}
	off := func() map[string]any { return with(jwk(t, p256().Public()), "y", raw(make([]byte, 32))) }
	for _, c := range []struct {
		name    string
		members map[string]any
		reason  string
	}{
		{"J-02 symmetric", map[string]any{"kty": "oct", "k": raw([]byte("secret")), "alg": "HS256"}, "secret member k"},
		{"J-02 symmetric without k", map[string]any{"kty": "oct"}, "kty is not"},
		{"K-06 private RSA", with(jwk(t, rsaKey().Public()), "d", "AQAB"), "secret member d"},
		{"K-06 RSA with a prime", with(jwk(t, rsaKey().Public()), "p", "AQAB"), "secret member p"},
		{"K-06 private EC", with(jwk(t, p256().Public()), "d", raw(make([]byte, 32))), "secret member d"},
		{"K-06 private null", with(jwk(t, edKey().Public()), "d", false), "secret member d"},
		{"K-04 use enc", with(jwk(t, p256().Public()), "use", "enc"), "use is not"},
		{"K-04 use empty", with(jwk(t, p256().Public()), "use", ""), "use is not"},
		{"K-04 use a number", with(jwk(t, p256().Public()), "use", 1), "use is not"},
		{"K-04 use of X.509 SPIFFE", with(jwk(t, p256().Public()), "use", "x509-svid"), "use is not"},
		{"K-04 key_ops without verify", with(jwk(t, p256().Public()), "key_ops", []any{"sign"}), "key_ops"},
		{"K-04 key_ops empty", with(jwk(t, p256().Public()), "key_ops", []any{}), "key_ops"},
		{"K-04 key_ops a string", with(jwk(t, p256().Public()), "key_ops", "verify"), "key_ops"},
		{"K-04 use sig but key_ops encrypt", with(jwk(t, p256().Public()), "use", "sig", "key_ops", []any{"encrypt"}), "key_ops"},
		{"J-03 alg of another type", with(jwk(t, p256().Public()), "alg", "RS256"), "alg is not"},
		{"J-03 alg of another curve", with(jwk(t, p256().Public()), "alg", "ES384"), "alg is not"},
		{"J-03 alg HS256 on an RSA key", with(jwk(t, rsaKey().Public()), "alg", "HS256"), "alg is not"},
		{"J-03 alg none", with(jwk(t, rsaKey().Public()), "alg", "none"), "alg is not"},
		{"J-03 alg of encryption", with(jwk(t, rsaKey().Public()), "alg", "RSA-OAEP"), "alg is not"},
		{"J-03 alg a number", with(jwk(t, rsaKey().Public()), "alg", 1), "alg is not"},
		{"K-03 kid a number", with(jwk(t, p256().Public()), "kid", 1), "kid is not"},
		{"K-03 kid too long", with(jwk(t, p256().Public()), "kid", strings.Repeat("k", 257)), "kid is not"},
		{"K-05 RSA of 512 bits", ofBits(512), "n has 64 bytes"},
		{"K-05 RSA of 1024 bits", ofBits(1024), "n has 128 bytes"},
		{"K-05 RSA of 2047 bits", ofBits(2047), "2047 bits"},
		{"K-05 RSA of 8193 bits", ofBits(8193), "8193 bits"},
		{"K-05 RSA of 16384 bits (F15)", ofBits(16384), "n has 2048 bytes"},
		{"K-05 RSA even modulus", with(jwk(t, rsaKey().Public()), "n", raw(new(big.Int).Lsh(big.NewInt(1), 2047).Bytes())), "even"},
		{"K-05 e = 1", with(jwk(t, rsaKey().Public()), "e", "AQ"), "odd and at least 3"},
		{"K-05 e = 0", with(jwk(t, rsaKey().Public()), "e", "AA"), "odd and at least 3"},
		{"K-05 e even", with(jwk(t, rsaKey().Public()), "e", "AQAA"), "odd and at least 3"},
		{"K-05 e of 65 bits, cut to 3 by a library", with(jwk(t, rsaKey().Public()), "e", raw([]byte{1, 0, 0, 0, 0, 0, 0, 0, 3})), "e has 9 bytes"},
		{"K-05 e empty", with(jwk(t, rsaKey().Public()), "e", ""), "e has 0 bytes"},
		{"K-05 e a number", with(jwk(t, rsaKey().Public()), "e", 65537), "e is not a string"},
		{"K-05 n missing", with(jwk(t, rsaKey().Public()), "n", nil), "n is not a string"},
		{"J-07 n with a line break", with(jwk(t, rsaKey().Public()), "n", raw(rsaKey().N.Bytes())+"\n"), "n is not base64url"},
		{"J-07 n with padding inside", with(jwk(t, rsaKey().Public()), "n", "AA=A"+raw(rsaKey().N.Bytes())), "n is not base64url"},
		{"K-05 point off the curve", off(), "not on its curve"},
		{"K-05 point at infinity", with(off(), "x", raw(make([]byte, 32))), "not on its curve"},
		{"K-05 coordinate larger than the field", with(jwk(t, p256().Public()), "x", raw([]byte(strings.Repeat("\xff", 32)))), "not on its curve"},
		{"K-05 coordinate too short", with(jwk(t, p256().Public()), "x", raw(make([]byte, 31))), "not on its curve"},
		{"K-05 coordinate too long", with(jwk(t, p256().Public()), "x", raw(bytes.Repeat([]byte{1}, 33))), "x has 33 bytes"},
		{"K-05 coordinate with two zeros before it", with(jwk(t, p256().Public()), "x", raw(make([]byte, 34))), "x has 34 bytes"},
		{"K-05 coordinate empty", with(jwk(t, p256().Public()), "x", ""), "x has 0 bytes"},
		{"K-05 coordinates of another curve", with(jwk(t, p384().Public()), "crv", "P-256"), "x has 48 bytes"},
		{"K-05 curve of Bitcoin", with(jwk(t, p256().Public()), "crv", "secp256k1"), "crv is not"},
		{"K-05 P-224", with(jwk(t, p256().Public()), "crv", "P-224"), "crv is not"},
		{"K-05 X25519", with(jwk(t, edKey().Public()), "crv", "X25519"), "crv is not"},
		{"K-05 Ed448", with(jwk(t, edKey().Public()), "crv", "Ed448"), "crv is not"},
		{"K-05 crv missing", with(jwk(t, p256().Public()), "crv", nil), "crv is not a string"},
		{"K-05 Ed25519 of 31 bytes, a panic in crypto/ed25519", with(jwk(t, edKey().Public()), "x", raw(make([]byte, 31))), "x has 31 bytes"},
		{"K-05 Ed25519 of zeros", with(jwk(t, edKey().Public()), "x", raw(make([]byte, 32))), "small order"},
		{"unknown type of tomorrow", map[string]any{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"}, "kty is not"},
		{"no type", map[string]any{"kid": "k1"}, "kty is not"},
		{"type a number", map[string]any{"kty": 1}, "kty is not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := with(jwk(t, p384().Public()), "kid", "good")
			set, err := jose.ParseKeySet(document(t, c.members, good), 100)
			if err != nil {
				t.Fatalf("the whole set: %v", err)
			}
			if len(set.Keys) != 1 || set.Keys[0].ID != "good" {
				t.Fatalf("keys %+v, want the good one alone", set.Keys)
			}
			if len(set.Dropped) != 1 || !strings.Contains(set.Dropped[0].Reason, c.reason) {
				t.Errorf("dropped %+v, want one for %q", set.Dropped, c.reason)
			}
		})
	}
}

func TestParseKeySetDropsWhatIsNoObject(t *testing.T) {
	set, err := jose.ParseKeySet([]byte(`{"keys":[null,1,"k",[],{}]}`), 100)
	if err != nil || len(set.Keys) != 0 || len(set.Dropped) != 5 {
		t.Errorf("%+v, %v", set, err)
	}
}

func TestParseKeySetUses(t *testing.T) {
	data := document(t, with(jwk(t, p256().Public()), "use", "jwt-svid"), with(jwk(t, p384().Public()), "use", "sig"))
	set, err := jose.ParseKeySet(data, 100, "jwt-svid")
	if err != nil || len(set.Keys) != 1 || set.Keys[0].Use != "jwt-svid" {
		t.Errorf("%+v, %v", set, err)
	}
}

// K-02: one kid may stand for keys of several types (RFC 7517 §4.5); the same key twice
// is one.
func TestParseKeySetDuplicateKid(t *testing.T) {
	data := document(t,
		with(jwk(t, p256().Public()), "kid", "twice"), with(jwk(t, edKey().Public()), "kid", "once"),
		with(jwk(t, rsaKey().Public()), "kid", "twice"), with(jwk(t, p256().Public()), "kid", "twice"),
		with(jwk(t, p256().Public()), "kid", "twice", "use", "enc"))
	set, err := jose.ParseKeySet(data, 100)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, k := range set.Keys {
		ids = append(ids, k.ID)
	}
	if fmt.Sprint(ids) != "[twice once twice]" || len(set.Dropped) != 1 {
		t.Errorf("kept %q, dropped %+v", ids, set.Dropped)
	}
}

// The form of a key is an issuer's habit: every one of these is the same key.
func TestParseKeySetReadsKeysAsIssuersWriteThem(t *testing.T) {
	standard := base64.StdEncoding.EncodeToString
	short := shortCoordinate(t)
	x, y := coordinates(t, short)
	px, py := filled(coordinates(t, &p256().PublicKey))
	modulus := rsaKey().N.Bytes()
	for name, c := range map[string]struct {
		public any
		text   string
	}{
		"padding":                {rsaKey().Public(), string(document(t, with(jwk(t, rsaKey().Public()), "n", raw(modulus)+"==", "e", "AQAB=")))},
		"the standard alphabet":  {rsaKey().Public(), string(document(t, with(jwk(t, rsaKey().Public()), "n", standard(modulus))))},
		"a stripped zero":        {short, string(document(t, with(jwk(t, short), "x", raw(x), "y", raw(y))))},
		"a zero as a sign":       {p256().Public(), string(document(t, with(jwk(t, p256().Public()), "x", raw(append([]byte{0}, px...)), "y", raw(append([]byte{0}, py...)))))},
		"use jwt-svid":           {p256().Public(), string(document(t, with(jwk(t, p256().Public()), "use", "jwt-svid")))},
		"alg Ed25519 (RFC 9864)": {edKey().Public(), string(document(t, with(jwk(t, edKey().Public()), "alg", "Ed25519")))},
		"null members":           {p256().Public(), strings.Replace(string(document(t, jwk(t, p256().Public()))), "{", `{"next":null,`, 1)},
		"null in a key":          {p256().Public(), strings.Replace(string(document(t, jwk(t, p256().Public()))), `"kty"`, `"use":null,"alg":null,"kid":null,"key_ops":null,"d":null,"x5c":null,"kty"`, 1)},
		"an empty kid":           {p256().Public(), string(document(t, with(jwk(t, p256().Public()), "kid", "")))},
		"a byte order mark":      {p256().Public(), "\ufeff" + string(document(t, jwk(t, p256().Public())))},
		"a JWK alone":            {p256().Public(), string(must(strictjson.Marshal(jwk(t, p256().Public()))))},
		"PEM":                    {p256().Public(), "\n" + string(pemOf(t, p256().Public()))},
		"PEM with a mark":        {p256().Public(), "\ufeff" + string(pemOf(t, p256().Public()))},
	} {
		set, err := jose.ParseKeySet([]byte(c.text), 500)
		if err != nil || len(set.Keys) != 1 || len(set.Dropped) != 0 {
			t.Errorf("%s: %+v, %v", name, set, err)
			continue
		}
		if want := key(t, c.public).Thumbprint; set.Keys[0].Thumbprint != want || set.Keys[0].ID != "" {
			t.Errorf("%s: key %+v", name, set.Keys[0])
		}
	}
}

// shortCoordinate is a public key of which x or y begins with a zero byte.
func shortCoordinate(t *testing.T) *ecdsa.PublicKey {
	t.Helper()
	for {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := coordinates(t, &k.PublicKey); len(x) < 32 || len(y) < 32 {
			return &k.PublicKey
		}
	}
}

// coordinates are those of a point, without leading zeros.
func coordinates(t *testing.T, k *ecdsa.PublicKey) (x, y []byte) {
	t.Helper()
	point, err := k.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	n := (len(point) - 1) / 2
	return bytes.TrimLeft(point[1:1+n], "\x00"), bytes.TrimLeft(point[1+n:], "\x00")
}

// filled are the coordinates of a point of P-256 as RFC 7518 §6.2.1.2 wants them.
func filled(x, y []byte) (_, _ []byte) {
	zeros := func(b []byte) []byte { return append(make([]byte, 32-len(b)), b...) }
	return zeros(x), zeros(y)
}

func pemOf(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// Firebase publishes certificates by kid.
func TestParseKeySetOfCertificates(t *testing.T) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, p256().Public(), p256())
	if err != nil {
		t.Fatal(err)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	broken := strings.Replace(certificate, "MI", "XX", 1)
	data := must(strictjson.Marshal(map[string]any{"k1": certificate, "k2": broken, "k3": certificate + certificate}))
	set, err := jose.ParseKeySet(data, 500)
	if err != nil || len(set.Keys) != 1 || set.Keys[0].ID != "k1" || len(set.Dropped) != 2 {
		t.Fatalf("%+v, %v", set, err)
	}
	if set.Keys[0].Thumbprint != key(t, p256().Public()).Thumbprint {
		t.Error("another key")
	}
	for name, text := range map[string]string{
		"a text that is none": `{"k1":"` + "-----BEGIN CERTIFICATE-----" + `","k2":"x"}`,
		"an empty object":     `{}`,
	} {
		if set, err := jose.ParseKeySet([]byte(text), 500); err == nil && len(set.Keys) > 0 {
			t.Errorf("%s: %+v", name, set)
		}
	}
}

func TestParseKeySetRefuses(t *testing.T) {
	hundred := make([]map[string]any, 101)
	for i := range hundred {
		hundred[i] = map[string]any{"kty": "oct"}
	}
	for name, data := range map[string]string{
		"F14 nothing":                 ``,
		"F14 HTML":                    `<html></html>`,
		"F14 truncated":               `{"keys":[{"kty":"RSA"`,
		"F14 array":                   `[]`,
		"F14 no keys":                 `{}`,
		"F14 keys null":               `{"keys":null}`,
		"F14 keys an object":          `{"keys":{}}`,
		"J-10 keys twice":             `{"keys":[],"keys":[]}`,
		"J-10 text after the set":     `{"keys":[]} {"keys":[]}`,
		"D-02 too deep":               `{"keys":[` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `]}`,
		"F15 more than a hundred":     string(document(t, hundred...)),
		"F15 more than a hundred nil": `{"keys":[` + strings.Repeat("0,", 100) + `0]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if set, err := jose.ParseKeySet([]byte(data), 100); err == nil {
				t.Errorf("accepted as %+v", set)
			}
		})
	}
}

func TestNewKeyRefuses(t *testing.T) {
	for _, public := range []any{nil, "key", []byte("secret"), rsaKey(), p256(), edKey()} {
		_, err := jose.NewKey(public)
		var e *jose.KeyError
		if !errors.As(err, &e) {
			t.Errorf("%T: %v", public, err)
		}
	}
}
