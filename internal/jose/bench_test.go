package jose_test

import (
	"crypto"
	"crypto/rand"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

const benchClaims = `{"iss":"https://idp.example","aud":"gateway","sub":"user_01HZX","email":"ada@example.com","iat":1700000000,"exp":1700000300,"jti":"3f1c","groups":["admins","editors"]}`

func BenchmarkParse(b *testing.B) {
	text := unsigned(`{"alg":"ES256","kid":"k1","typ":"JWT"}`, benchClaims)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := jose.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, c := range []struct {
		alg  string
		key  jose.Key
		sign func([]byte) []byte
	}{
		{jose.RS256, key(b, rsaKey().Public()), rs(rsaKey(), crypto.SHA256)},
		{jose.ES256, key(b, p256().Public()), es(p256(), crypto.SHA256)},
		{jose.EdDSA, key(b, edKey().Public()), ed(edKey())},
	} {
		b.Run(c.alg, func(b *testing.B) {
			token := parse(b, forge(`{"alg":"`+c.alg+`"}`, benchClaims, c.sign))
			b.ReportAllocs()
			for b.Loop() {
				if err := token.Verify(c.key); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []string{jose.RS256, jose.ES256, jose.EdDSA} {
		b.Run(alg, func(b *testing.B) {
			s := must(jose.NewSigner(alg, rand.Reader))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign([]byte(benchClaims)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
