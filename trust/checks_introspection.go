package trust

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// introspection is that of a profile whose issuer is asked about its tokens; nil where the
// tokens are signed.
func (p *Profile) introspection() *Introspection {
	i, _ := p.config.Keys.(*Introspection)
	return i
}

// Introspects tells whether the profile's tokens say nothing themselves.
func (p *Profile) Introspects() bool { return p.introspection() != nil }

// ofSignature are the checks that only a signed token can pass.
var ofSignature = []string{"type", "algorithm", "key", "signature"}

// introspectionChecks are checks, with an answer of the issuer in place of the signature.
func introspectionChecks() []check {
	list := slices.DeleteFunc(checks(), func(c check) bool { return slices.Contains(ofSignature, c.name) })
	for i, c := range list {
		list[i].needs = slices.Clone(c.needs)
		for n, need := range c.needs {
			if need == "parse" {
				list[i].needs[n] = "introspection"
			}
		}
	}
	list[0] = check{"introspection", nil, checkIntrospection, configuredIntrospection, foundIntrospection}
	return list
}

// checkIntrospection asks the issuer, and takes what it says for the token's claims.
func checkIntrospection(v *verification) *failure {
	if !isOpaque(v.raw) {
		return &failure{code: CodeTokenForm, remedy: fmt.Sprintf("send a token of visible ASCII characters, at most %d bytes, that is no JWT", jose.MaxTokenBytes)}
	}
	claims, err := v.profile.introspection().ask(v.ctx, v.raw)
	switch {
	case errors.Is(err, errInactive):
		return &failure{code: CodeInactive, remedy: "the issuer answers that the token is not active: it has expired, was revoked or is another issuer's; get a new one"}
	case err != nil:
		return &failure{code: CodeKeysUnavailable, outage: keysUnavailable(err), remedy: "the issuer cannot be asked about the token, which may be good: " + err.Error()}
	}
	if kind := otherKind(claims); kind != "" {
		return &failure{code: CodeTypeNotAllowed, remedy: "send an access token: the issuer says that this is one of kind " + printable(kind)}
	}
	v.token = jose.Opaque(v.raw, claims)
	return nil
}

// otherKind is the kind of a token that is for the issuer alone: servers answer for refresh
// tokens too. Empty where it may be an access token.
func otherKind(claims map[string]any) string {
	for name, good := range map[string][]string{"token_use": {"access_token", "access"}, "token_type": {"bearer", "dpop", "access_token"}, "typ": {"bearer", "access_token", "at+jwt", "jwt", "access"}} {
		kind, isText := claims[name].(string)
		if claims[name] != nil && (!isText || !slices.Contains(good, strings.ToLower(kind))) {
			return name + " " + kind
		}
	}
	return ""
}

// isOpaque tells texts that can be a token that is no JWT (RFC 6750 §2.1 has fewer
// characters; issuers have more).
func isOpaque(text string) bool {
	return text != "" && len(text) <= jose.MaxTokenBytes && strings.Count(text, ".") != 2 &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func configuredIntrospection(p *Profile) string {
	return "the issuer is asked at " + WithoutQuery(p.introspection().config.Remote.URL)
}

func foundIntrospection(v *verification) string {
	if v.token == nil {
		return fmt.Sprintf("%d bytes", len(v.raw))
	}
	return "active"
}

// readIntrospection is for after issuers and algorithms.
func (p *Profile) readIntrospection() *ConfigError {
	c := p.config
	switch {
	case !p.Introspects():
		return nil
	case c.WithoutIssuer || p.hasTenants():
		return configErrorf("introspect", "goes with one issuer, which the answer need not name")
	case len(c.Types) > 0:
		return configErrorf("types", "are of signed tokens, and introspect is for others")
	}
	p.checks = introspectionChecks()
	return nil
}

// opaqueAmong is the profile that takes a token which is no JWT, if one does.
func opaqueAmong(token string, profiles []*Profile) *Profile {
	i := slices.IndexFunc(profiles, (*Profile).Introspects)
	if i < 0 || !isOpaque(token) {
		return nil
	}
	return profiles[i]
}

// signed are the profiles whose tokens are.
func signed(profiles []*Profile) []*Profile {
	return slices.DeleteFunc(slices.Clone(profiles), (*Profile).Introspects)
}

// Introspects tells whether a profile of the set takes tokens that say nothing themselves.
func (s *Set) Introspects() bool { return slices.ContainsFunc(s.profiles, (*Profile).Introspects) }

// Opaque are those of the named profiles that do.
func (s *Set) Opaque(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		p, found := s.byName[name]
		return !found || !p.Introspects()
	})
}
