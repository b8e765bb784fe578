package trust

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func (c Config) withDefaults() Config {
	c.AudienceClaim = cmp.Or(c.AudienceClaim, "aud")
	c.Leeway = cmp.Or(c.Leeway, DefaultLeeway)
	c.MaxLifetime = cmp.Or(c.MaxLifetime, DefaultMaxLifetime)
	c.Factor = c.Factor.withDefaults()
	switch {
	case len(c.Algorithms) > 0:
	case areShared(c.Keys):
		c.Algorithms = []string{jose.HS256, jose.HS384, jose.HS512}
	default:
		c.Algorithms = []string{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
	}
	if c.Now == nil {
		c.Now = defaultClock
	}
	return c.cloned()
}

func (f Factor) withDefaults() Factor {
	proved := ProvedAuthTime
	if f.SecondOnly {
		proved = ProvedIssuedAt
	}
	f.Type, f.Proved = cmp.Or(f.Type, DefaultFactorType), cmp.Or(f.Proved, proved)
	return f
}

// cloned keeps what the caller may still change out of the profile.
func (c Config) cloned() Config {
	for _, list := range []*[]string{&c.Issuers, &c.Audiences, &c.Algorithms, &c.Types, &c.EmailDomains, &c.SessionKey, &c.When, &c.KeepClaims, &c.ReservedRoles} {
		*list = slices.Clone(*list)
	}
	c.RequireClaims = slices.Clone(c.RequireClaims)
	c.Conditions = slices.Clone(c.Conditions)
	c.Map, c.MapExpressions = maps.Clone(c.Map), maps.Clone(c.MapExpressions)
	c.Roles = maps.Clone(c.Roles)
	return c
}

func defaultClock() time.Time { return time.Now() }

func (c Config) leeway() time.Duration { return max(c.Leeway, 0) }
