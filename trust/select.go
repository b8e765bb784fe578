package trust

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// Select finds the profile of a token among those named, by its issuer and audience,
// which are not verified yet. The error is a *Refusal where none matches, or more than
// one: a token is never tried with several.
func (s *Set) Select(token string, names []string) (*Profile, error) {
	profiles, err := s.profilesNamed(names)
	if err != nil {
		return nil, err
	}
	if p := opaqueAmong(token, profiles); p != nil {
		return p, nil
	}
	p, _, err := selectProfile(token, nil, signed(profiles))
	return p, err
}

// TrustsIssuer tells whether some profile accepts tokens with that iss; empty: tokens
// without.
func (s *Set) TrustsIssuer(iss string) bool {
	return slices.ContainsFunc(s.profiles, func(p *Profile) bool {
		if iss == "" {
			return p.config.WithoutIssuer
		}
		_, ok := p.matchIssuer(iss)
		return ok
	})
}

// Parsed is a token that was parsed, and of which nothing was verified.
type Parsed = jose.Token

// parsedOf parses a token where nobody has.
func parsedOf(token string, parsed *Parsed) (*Parsed, error) {
	if parsed != nil {
		return parsed, nil
	}
	parsed, err := jose.Parse(token)
	if err != nil {
		return nil, parseRefusal(token, err)
	}
	return parsed, nil
}

func selectProfile(token string, parsed *Parsed, profiles []*Profile) (*Profile, *Parsed, error) {
	parsed, err := parsedOf(token, parsed)
	if err != nil {
		return nil, nil, err
	}
	p, err := selectAmong(parsed, profiles)
	return p, parsed, err
}

// selectForVerify is selectProfile, but a single profile is taken as it is: its own
// checks report what is wrong with issuer and audience.
func selectForVerify(token string, parsed *Parsed, profiles []*Profile) (*Profile, *Parsed, error) {
	if p := opaqueAmong(token, profiles); p != nil {
		return p, nil, nil
	}
	if len(profiles) > 1 {
		profiles = signed(profiles)
	}
	if len(profiles) != 1 {
		return selectProfile(token, parsed, profiles)
	}
	if profiles[0].Introspects() {
		return profiles[0], nil, nil // which refuses it
	}
	parsed, err := parsedOf(token, parsed)
	return profiles[0], parsed, err
}

func parseRefusal(token string, err error) *Refusal {
	f := parseFailure(err)
	return &Refusal{
		Code: f.code, Check: "parse", Remedy: f.remedy,
		Configured: describeParse(nil), Found: foundToken(&verification{raw: token}),
	}
}

func selectAmong(token *jose.Token, profiles []*Profile) (*Profile, error) {
	known := slices.DeleteFunc(slices.Clone(profiles), func(p *Profile) bool { return !p.matchesIssuerOf(token) })
	if len(known) == 0 {
		return nil, selectRefusal(token, profiles, "issuer", CodeIssuerMismatch)
	}
	addressed := slices.DeleteFunc(slices.Clone(known), func(p *Profile) bool { return !p.matchesAudienceOf(token) })
	switch len(addressed) {
	case 0:
		return nil, selectRefusal(token, known, "audience", CodeAudienceMismatch)
	case 1:
		return addressed[0], nil
	}
	return selectByConditions(token, addressed)
}

// selectByConditions tells profiles of one issuer and audience apart by what they
// require of the claims, which is as little verified as those. Of profiles none of which
// the token satisfies the first says what it lacks.
func selectByConditions(token *jose.Token, profiles []*Profile) (*Profile, error) {
	met := slices.DeleteFunc(slices.Clone(profiles), func(p *Profile) bool { return !p.satisfies(token.Claims) })
	switch {
	case len(met) == 1:
		return met[0], nil
	case len(met) == 0 && allConditional(profiles):
		return profiles[0], nil
	}
	return nil, selectRefusal(token, profiles, "audience", CodeProfileAmbiguous)
}

func allConditional(profiles []*Profile) bool {
	return !slices.ContainsFunc(profiles, func(p *Profile) bool { return len(p.when)+len(p.config.RequireClaims) == 0 })
}

// matchesIssuerOf and matchesAudienceOf read a token that is not verified yet.
func (p *Profile) matchesIssuerOf(token *jose.Token) bool {
	if p.config.WithoutIssuer {
		return p.takesNoIssuer(token.Claims)
	}
	iss, ok := lookup(token.Claims, "iss").(string)
	if !ok {
		return false
	}
	_, ok = p.matchIssuer(iss)
	return ok
}

func (p *Profile) matchesAudienceOf(token *jose.Token) bool {
	held, ok := audiences(token.Claims, p.config.AudienceClaim)
	return ok && p.acceptsAudience(held)
}

// selectRefusal is that of the one profile there is, or one about all of them.
func selectRefusal(token *jose.Token, profiles []*Profile, name, code string) *Refusal {
	r := &Refusal{Code: code, Check: name, Remedy: selectRemedies[code]}
	if len(profiles) == 0 {
		return r
	}
	if len(profiles) == 1 {
		r.Profile = profiles[0].Name()
	}
	var configured []string
	for _, p := range profiles {
		c := p.checkNamed(name)
		r.Found = c.found(&verification{profile: p, token: token})
		configured = append(configured, p.Name()+": "+c.configured(p))
	}
	r.Configured = strings.Join(configured, "; ")
	return r
}

var selectRemedies = map[string]string{
	CodeIssuerMismatch:   "no profile here has this issuer; the values must be equal byte for byte, also in scheme and trailing slash",
	CodeAudienceMismatch: "ask the issuer for a token for one of these audiences, or configure the token's own, byte for byte",
	CodeProfileAmbiguous: "the token is addressed to several profiles at once; ask for one with a single audience",
}

func (p *Profile) checkNamed(name string) check {
	n := slices.IndexFunc(p.checks, func(c check) bool { return c.name == name })
	return p.checks[n]
}
