package trust

import (
	"fmt"
	"slices"
	"strings"
)

// CheckRoute refuses names that no profile has, and two profiles that could
// accept the same token: a common issuer with a common audience, unless they require
// different values of one claim, or both have conditions (When), whose operator says
// that they exclude each other; a token that meets those of both is refused. names are the
// profiles of one route; what they read from different places is not confused.
func (s *Set) CheckRoute(names []string) error {
	profiles, err := s.profilesNamed(names)
	if err != nil {
		return err
	}
	for n, p := range profiles {
		for _, q := range profiles[:n] {
			if p.config.TokenFrom.collides(q.config.TokenFrom) {
				return fmt.Errorf("trust: profiles %q and %q read tokens from one place at one path (%s, %s): write the same paths and origins in both", q.Name(), p.Name(), q.config.TokenFrom, p.config.TokenFrom)
			}
			if p.config.TokenFrom == q.config.TokenFrom && p.config.TokenFrom != (Place{}) && p.config.Factor.SecondOnly != q.config.Factor.SecondOnly {
				return fmt.Errorf("trust: profiles %q and %q read tokens from one place (%s), and one of them is second_only: a second factor comes beside a session, from a place of its own", q.Name(), p.Name(), p.config.TokenFrom)
			}
			if p.config.TokenFrom == q.config.TokenFrom && p.Introspects() && q.Introspects() {
				return fmt.Errorf("trust: profiles %q and %q both introspect what they read from one place: which of them a token belongs to cannot be told", q.Name(), p.Name())
			}
			if p.config.TokenFrom == q.config.TokenFrom && p.Introspects() == q.Introspects() && p.overlaps(q) {
				return fmt.Errorf("trust: profiles %q and %q have an issuer and an audience in common: which of them a token belongs to cannot be told; write a when in both, or require_claims with different values of one claim", q.Name(), p.Name())
			}
		}
	}
	return nil
}

func (p *Profile) overlaps(q *Profile) bool {
	if p.toldApart(q) || p.config.AudienceClaim != q.config.AudienceClaim || !p.acceptsAudience(q.config.Audiences) {
		return false
	}
	return p.sharesIssuer(q)
}

// CheckSecrets refuses two profiles of one issuer of which one has public keys and the
// other a shared secret: a token of one could be meant for the other (RFC 8725 §2.1).
func (s *Set) CheckSecrets() error {
	for n, p := range s.profiles {
		for _, q := range s.profiles[:n] {
			if p.shares() != q.shares() && p.sharesIssuer(q) {
				return fmt.Errorf("trust: profiles %q and %q have an issuer in common, and one has public keys and the other a shared secret", q.Name(), p.Name())
			}
		}
	}
	return nil
}

// sharesIssuer tells whether tokens of one iss, or of none, could be of both.
func (p *Profile) sharesIssuer(q *Profile) bool {
	if p.config.WithoutIssuer && q.config.WithoutIssuer {
		a, b := p.config.SubjectPrefix, q.config.SubjectPrefix
		return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
	}
	return slices.ContainsFunc(p.issuers, func(i issuer) bool { return slices.ContainsFunc(q.issuers, i.overlaps) })
}

// toldApart tells whether claims tell tokens of the two apart.
func (p *Profile) toldApart(q *Profile) bool {
	if len(p.when) > 0 && len(q.when) > 0 {
		return true
	}
	return slices.ContainsFunc(p.config.RequireClaims, func(a RequiredClaim) bool {
		return slices.ContainsFunc(q.config.RequireClaims, func(b RequiredClaim) bool {
			return a.Path == b.Path && a.Value != "" && b.Value != "" && a.Value != b.Value
		})
	})
}

// CheckIssuer refuses profiles that would accept a token of the gateway's own
// issuer: what the gateway signs must never start a session with it (RFC 8725 §3.12). Case
// and a trailing slash are ignored here.
func (s *Set) CheckIssuer(own string) error {
	plain := issuer{text: normalizeIssuer(own), literals: []string{normalizeIssuer(own)}}
	for _, p := range s.profiles {
		for _, i := range p.issuers {
			if i.normalized().overlaps(plain) {
				return fmt.Errorf("trust: profile %q: issuer: %q is the gateway's own", p.Name(), i.text)
			}
		}
	}
	return nil
}

func normalizeIssuer(text string) string { return strings.TrimSuffix(strings.ToLower(text), "/") }

// normalized is the issuer as CheckIssuer compares it.
func (i issuer) normalized() issuer {
	i.literals = slices.Clone(i.literals)
	for n := range i.literals {
		i.literals[n] = strings.ToLower(i.literals[n])
	}
	last := len(i.literals) - 1
	i.literals[last] = strings.TrimSuffix(i.literals[last], "/")
	return i
}
