package jose_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func TestVerify(t *testing.T) {
	for _, c := range []struct {
		alg    string
		sign   func([]byte) []byte
		public crypto.PublicKey
	}{
		{jose.RS256, rs(rsaKey(), crypto.SHA256), rsaKey().Public()},
		{jose.RS384, rs(rsaKey(), crypto.SHA384), rsaKey().Public()},
		{jose.RS512, rs(rsaKey(), crypto.SHA512), rsaKey().Public()},
		{jose.PS256, ps(rsaKey(), crypto.SHA256, 32), rsaKey().Public()},
		{jose.PS384, ps(rsaKey(), crypto.SHA384, 48), rsaKey().Public()},
		{jose.PS512, ps(rsaKey(), crypto.SHA512, 64), rsaKey().Public()},
		{jose.ES256, es(p256(), crypto.SHA256), p256().Public()},
		{jose.ES384, es(p384(), crypto.SHA384), p384().Public()},
		{jose.ES512, es(p521(), crypto.SHA512), p521().Public()},
		{jose.EdDSA, ed(edKey()), edKey().Public()},
	} {
		t.Run(c.alg, func(t *testing.T) {
			text := forge(`{"alg":"`+c.alg+`"}`, claims, c.sign)
			k := key(t, c.public)
			if err := parse(t, text).Verify(k); err != nil {
				t.Fatalf("a good signature: %v", err)
			}
			changed := forge(`{"alg":"`+c.alg+`"}`, `{"sub":"admin"}`, func([]byte) []byte {
				_, signature := cutSignature(text)
				data, _ := base64.RawURLEncoding.DecodeString(signature)
				return data
			})
			if err := parse(t, changed).Verify(k); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("another payload: %v", err)
			}
		})
	}
}

// The examples of RFC 7515, appendices A.2 and A.3.
func TestVerifyRFC7515(t *testing.T) {
	const payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	for _, c := range []struct{ name, token, key string }{
		{
			"A.2",
			"eyJhbGciOiJSUzI1NiJ9." + payload + ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
			`{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}`,
		},
		{
			"A.3",
			"eyJhbGciOiJFUzI1NiJ9." + payload + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
			`{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := jose.ParseKeySet([]byte(`{"keys":[`+c.key+`]}`), 1)
			if err != nil || len(set.Keys) != 1 {
				t.Fatalf("key set: %+v, %v", set, err)
			}
			if err := parse(t, c.token).Verify(set.Keys[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyRefusesSignature(t *testing.T) {
	curve := p256().Curve
	n := curve.Params().N
	one := big.NewInt(1)
	fixed := func(data []byte) func([]byte) []byte { return func([]byte) []byte { return data } }
	edit := func(sign func([]byte) []byte, f func([]byte) []byte) func([]byte) []byte {
		return func(input []byte) []byte { return f(sign(input)) }
	}
	for _, c := range []struct {
		name, alg string
		public    crypto.PublicKey
		sign      func([]byte) []byte
	}{
		{"CVE-2022-21449 ECDSA of zeros", jose.ES256, p256().Public(), fixed(make([]byte, 64))},
		{"J-06 r zero", jose.ES256, p256().Public(), fixed(rAndS(curve, new(big.Int), one))},
		{"J-06 s zero", jose.ES256, p256().Public(), fixed(rAndS(curve, one, new(big.Int)))},
		{"J-06 r = n", jose.ES256, p256().Public(), fixed(rAndS(curve, n, one))},
		{"J-06 s = n", jose.ES256, p256().Public(), fixed(rAndS(curve, one, n))},
		{"J-06 r and s of ones", jose.ES256, p256().Public(), fixed(rAndS(curve, one, one))},
		{"J-06 s too large by n", jose.ES256, p256().Public(), func(input []byte) []byte {
			sig := es(p256(), crypto.SHA256)(input)
			s := new(big.Int).SetBytes(sig[32:])
			if s.Add(s, n).BitLen() > 256 {
				return make([]byte, 64) // it does not fit, as bad
			}
			return append(sig[:32], s.FillBytes(make([]byte, 32))...)
		}},
		{"J-06 ECDSA in DER", jose.ES256, p256().Public(), func(input []byte) []byte {
			return must(p256().Sign(nil, hashed(crypto.SHA256, input), crypto.SHA256))
		}},
		{"J-06 ECDSA one byte short", jose.ES256, p256().Public(), edit(es(p256(), crypto.SHA256), func(s []byte) []byte { return s[:63] })},
		{"J-06 ECDSA one byte long", jose.ES256, p256().Public(), edit(es(p256(), crypto.SHA256), func(s []byte) []byte { return append(s, 0) })},
		{"J-06 ECDSA zero in front", jose.ES256, p256().Public(), edit(es(p256(), crypto.SHA256), func(s []byte) []byte { return append([]byte{0}, s...) })},
		{"J-06 ES512 in 128 bytes", jose.ES512, p521().Public(), edit(es(p521(), crypto.SHA512), func(s []byte) []byte {
			return append(slices.Clone(s[2:66]), s[68:]...)
		})},
		{"J-06 RSA one byte short", jose.RS256, rsaKey().Public(), edit(rs(rsaKey(), crypto.SHA256), func(s []byte) []byte { return s[:255] })},
		{"J-06 RSA zero in front", jose.RS256, rsaKey().Public(), edit(rs(rsaKey(), crypto.SHA256), func(s []byte) []byte { return append([]byte{0}, s...) })},
		{"J-06 RSA not reduced", jose.RS256, rsaKey().Public(), edit(rs(rsaKey(), crypto.SHA256), func(s []byte) []byte {
			sum := new(big.Int).Add(new(big.Int).SetBytes(s), rsaKey().N)
			if sum.BitLen() > 2048 {
				return sum.FillBytes(make([]byte, 257))
			}
			return sum.FillBytes(make([]byte, 256))
		})},
		{"J-06 RSA of zeros", jose.RS256, rsaKey().Public(), fixed(make([]byte, 256))},
		{"J-06 RSA of one", jose.RS256, rsaKey().Public(), fixed(one.FillBytes(make([]byte, 256)))},
		{"J-06 Ed25519 one byte short", jose.EdDSA, edKey().Public(), edit(ed(edKey()), func(s []byte) []byte { return s[:63] })},
		{"J-06 Ed25519 one byte long", jose.EdDSA, edKey().Public(), edit(ed(edKey()), func(s []byte) []byte { return append(s, 0) })},
		{"J-06 Ed25519 S not reduced", jose.EdDSA, edKey().Public(), edit(ed(edKey()), addOrder)},
		{"J-08 PSS without salt", jose.PS256, rsaKey().Public(), ps(rsaKey(), crypto.SHA256, 0)},
		{"J-08 PSS salt too short", jose.PS256, rsaKey().Public(), ps(rsaKey(), crypto.SHA256, 20)},
		{"J-08 PSS salt too long", jose.PS256, rsaKey().Public(), ps(rsaKey(), crypto.SHA256, 64)},
		{"J-08 PSS salt as long as it can be", jose.PS512, rsaKey().Public(), ps(rsaKey(), crypto.SHA512, 256-64-2)},
		{"J-03 PKCS #1 v1.5 signature under PS256", jose.PS256, rsaKey().Public(), rs(rsaKey(), crypto.SHA256)},
		{"J-03 PSS signature under RS256", jose.RS256, rsaKey().Public(), ps(rsaKey(), crypto.SHA256, 32)},
		{"J-03 SHA-512 signature under RS256", jose.RS256, rsaKey().Public(), rs(rsaKey(), crypto.SHA512)},
		{"another RSA key", jose.RS256, rsaKey2().Public(), rs(rsaKey(), crypto.SHA256)},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := parse(t, forge(`{"alg":"`+c.alg+`"}`, claims, c.sign))
			if err := token.Verify(key(t, c.public)); !errors.Is(err, jose.ErrSignature) {
				t.Errorf("%v, want ErrSignature", err)
			}
		})
	}
}

// addOrder makes of a signature another one for the same message, which a
// verifier that reduces S would take.
func addOrder(sig []byte) []byte {
	order, _ := new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)
	s := slices.Clone(sig[32:])
	slices.Reverse(s)
	sum := new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(make([]byte, 32))
	slices.Reverse(sum)
	return append(slices.Clone(sig[:32]), sum...)
}

func TestVerifyRefusesKey(t *testing.T) {
	forRS := key(t, rsaKey().Public())
	forRS.Algorithm = jose.RS256
	for _, c := range []struct {
		name, alg string
		key       jose.Key
	}{
		{"J-03 RSA key for ES256", jose.ES256, key(t, rsaKey().Public())},
		{"J-03 EC key for RS256", jose.RS256, key(t, p256().Public())},
		{"J-03 P-384 key for ES256", jose.ES256, key(t, p384().Public())},
		{"J-03 P-256 key for ES512", jose.ES512, key(t, p256().Public())},
		{"J-03 Ed25519 key for ES256", jose.ES256, key(t, edKey().Public())},
		{"J-03 EC key for EdDSA", jose.EdDSA, key(t, p256().Public())},
		{"J-03 key for RS256 asked for PS256", jose.PS256, forRS},
		{"J-03 key for RS256 asked for RS512", jose.RS512, forRS},
		{"J-02 RSA key for HS256", "HS256", key(t, rsaKey().Public())},
		{"J-02 unknown algorithm", "ES256K", key(t, p256().Public())},
		{"J-03 algorithm in other case", "es256", key(t, p256().Public())},
		{"no key", jose.ES256, jose.Key{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := parse(t, unsigned(`{"alg":"`+c.alg+`"}`, claims)).Verify(c.key)
			var e *jose.KeyError
			if !errors.As(err, &e) {
				t.Errorf("%v, want a KeyError", err)
			}
			if c.key.Fits(c.alg) {
				t.Error("Fits says otherwise")
			}
		})
	}
}

// CVE-2016-10555: the public key, in any of its spellings, as the secret of an
// HMAC.
func TestVerifyRefusesPublicKeyAsSecret(t *testing.T) {
	der := must(x509.MarshalPKIXPublicKey(rsaKey().Public()))
	pkcs1 := x509.MarshalPKCS1PublicKey(&rsaKey().PublicKey)
	jwks := must(jose.MarshalKeySet([]jose.Key{key(t, rsaKey().Public())}))
	block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	for name, secret := range map[string][]byte{
		"DER": der, "PKCS #1": pkcs1, "PEM": block, "PEM without newline": []byte(strings.TrimSpace(string(block))),
		"PKCS #1 PEM": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1}),
		"JWKS":        jwks, "modulus": rsaKey().N.Bytes(), "nothing": {},
	} {
		for alg, hash := range map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512} {
			token := forge(`{"alg":"`+alg+`"}`, claims, func(input []byte) []byte {
				mac := hmac.New(hash.New, secret)
				mac.Write(input)
				return mac.Sum(nil)
			})
			if err := parse(t, token).Verify(key(t, rsaKey().Public())); err == nil {
				t.Errorf("%s under %s was accepted", name, alg)
			}
		}
	}
}

// CVE-2018-0114: the token brings its own key.
func TestVerifyNeverUsesKeyOfHeader(t *testing.T) {
	attacker := key(t, edKey().Public())
	jwk := strings.TrimSuffix(strings.TrimPrefix(string(must(jose.MarshalKeySet([]jose.Key{attacker}))), `{"keys":[`), `]}`)
	token := parse(t, forge(`{"alg":"EdDSA","jwk":`+jwk+`,"x5c":["AAAA"],"jku":"https://evil.example"}`, claims, ed(edKey())))
	_, other, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.Verify(key(t, other.Public())); !errors.Is(err, jose.ErrSignature) {
		t.Errorf("%v", err)
	}
}

// ECDSA is malleable: of a signature anybody can make a second one. Both verify,
// and both name one token.
func TestDigestOfMalleatedToken(t *testing.T) {
	text := forge(`{"alg":"ES256"}`, claims, es(p256(), crypto.SHA256))
	input, signature := cutSignature(text)
	data := must(base64.RawURLEncoding.DecodeString(signature))
	s := new(big.Int).Sub(p256().Params().N, new(big.Int).SetBytes(data[32:]))
	twin := input + "." + raw(append(data[:32:32], s.FillBytes(make([]byte, 32))...))
	if twin == text {
		t.Fatal("the twin is the token itself")
	}
	a, b := parse(t, text), parse(t, twin)
	if err := b.Verify(key(t, p256().Public())); err != nil {
		t.Fatalf("the twin does not verify: %v", err)
	}
	if a.Digest() != b.Digest() {
		t.Error("one token has two digests")
	}
}

func TestDigestIsThatOfTheText(t *testing.T) {
	for alg, sign := range map[string]func([]byte) []byte{
		jose.RS256: rs(rsaKey(), crypto.SHA256), jose.PS256: ps(rsaKey(), crypto.SHA256, 32), jose.EdDSA: ed(edKey()),
	} {
		text := forge(`{"alg":"`+alg+`"}`, claims, sign)
		if got := parse(t, text).Digest(); got != sha256.Sum256([]byte(text)) {
			t.Errorf("%s: %x", alg, got)
		}
	}
}
