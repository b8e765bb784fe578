package trust_test

import (
	"fmt"
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// benchToken is one of ordinary size.
func benchToken(i *trusttest.Issuer) string {
	return i.Sign(trusttest.Claims{"email": "ada@example.com", "email_verified": true, "jti": "3f1c9a", "groups": []any{"admins", "editors"}, "name": "Ada Lovelace"})
}

func benchConfig(b *testing.B, i *trusttest.Issuer) trust.Config {
	c := i.Config("acme")
	c.Keys = mustKeys(trust.PEMKeys(i.Key().PEM(b)))
	c.Map = map[string]string{"roles": "groups", "name": "name"}
	c.Roles = map[string][]string{"admins": {"admin"}}
	c.EmailDomains = []string{"example.com"}
	return c
}

// The first sight of a token: everything is asked.
func BenchmarkVerifyCold(b *testing.B) {
	for _, alg := range []string{jose.RS256, jose.ES256, jose.EdDSA} {
		b.Run(alg, func(b *testing.B) {
			i := trusttest.NewIssuer(b)
			i.Use(trusttest.NewKey(b, alg))
			p, token := profile(b, benchConfig(b, i)), benchToken(i)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A token seen before: time, key and profile are asked, the signature is not.
func BenchmarkVerifyWarm(b *testing.B) {
	for _, profiles := range []int{1, 200} {
		b.Run(fmt.Sprint(profiles, " profiles"), func(b *testing.B) {
			i := trusttest.NewIssuer(b)
			all := make([]*trust.Profile, profiles)
			for n := range all {
				c := benchConfig(b, i)
				c.Name = fmt.Sprint("p", n)
				c.Audiences = []string{fmt.Sprint(trusttest.Audience, n)}
				if n == 0 {
					c.Audiences = []string{trusttest.Audience}
				}
				all[n] = profile(b, c)
			}
			s, token, names := set(b, all...), benchToken(i), []string{"p0"}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Verify(b.Context(), token, names); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerifyWarmParallel(b *testing.B) {
	i := trusttest.NewIssuer(b)
	s, names := set(b, profile(b, benchConfig(b, i))), []string{"acme"}
	token := benchToken(i)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Verify(b.Context(), token, names); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkExplain(b *testing.B) {
	i := trusttest.NewIssuer(b)
	p, token := profile(b, benchConfig(b, i)), benchToken(i)
	b.ReportAllocs()
	for b.Loop() {
		p.Explain(b.Context(), token)
	}
}
