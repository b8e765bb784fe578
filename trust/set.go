package trust

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// Set is all profiles of a configuration, and what was verified with them. It is
// safe for concurrent use.
type Set struct {
	profiles []*Profile
	byName   map[string]*Profile
	memo     *memo
}

// NewSet puts profiles together; two of one name are an error.
func NewSet(profiles ...*Profile) (*Set, error) {
	m, err := newMemo()
	if err != nil {
		return nil, err
	}
	s := &Set{profiles: slices.Clone(profiles), byName: make(map[string]*Profile, len(profiles)), memo: m}
	for _, p := range profiles {
		if s.byName[p.Name()] != nil {
			return nil, fmt.Errorf("trust: two profiles are named %q", p.Name())
		}
		s.byName[p.Name()] = p
	}
	return s, nil
}

// Names of the profiles, in the order of NewSet.
func (s *Set) Names() []string {
	names := make([]string, len(s.profiles))
	for n, p := range s.profiles {
		names[n] = p.Name()
	}
	return names
}

// Profile of that name.
func (s *Set) Profile(name string) (*Profile, bool) {
	p, found := s.byName[name]
	return p, found
}

// CheckIssuer refuses profiles that would believe a token of the gateway's own
// issuer: what we sign is never evidence for us (RFC 8725 §3.12). A difference
// in case or a trailing slash is no difference here.
func (s *Set) CheckIssuer(own string) error {
	plain := issuer{text: ownIssuer(own), literals: []string{ownIssuer(own)}}
	for _, p := range s.profiles {
		for _, i := range p.issuers {
			if i.lowered().overlaps(plain) {
				return fmt.Errorf("trust: profile %q: issuer: %q is the gateway's own", p.Name(), i.text)
			}
		}
	}
	return nil
}

func ownIssuer(text string) string { return strings.TrimSuffix(strings.ToLower(text), "/") }

// lowered is the issuer as CheckIssuer compares it.
func (i issuer) lowered() issuer {
	i.literals = slices.Clone(i.literals)
	for n := range i.literals {
		i.literals[n] = strings.ToLower(i.literals[n])
	}
	last := len(i.literals) - 1
	i.literals[last] = strings.TrimSuffix(i.literals[last], "/")
	return i
}

// CheckRoute refuses names that no profile has, and two profiles that could
// believe the same token: a common issuer with a common audience. names are the
// profiles that read tokens from one place of one route.
func (s *Set) CheckRoute(names []string) error {
	profiles, err := s.named(names)
	if err != nil {
		return err
	}
	for n, p := range profiles {
		for _, q := range profiles[:n] {
			if p.overlaps(q) {
				return fmt.Errorf("trust: profiles %q and %q have an issuer and an audience in common: which of them a token belongs to could only be found by trial", q.Name(), p.Name())
			}
		}
	}
	return nil
}

func (s *Set) named(names []string) ([]*Profile, error) {
	profiles := make([]*Profile, 0, len(names))
	for _, name := range names {
		p, found := s.byName[name]
		if !found {
			return nil, fmt.Errorf("trust: no profile is named %q", name)
		}
		if !slices.Contains(profiles, p) {
			profiles = append(profiles, p)
		}
	}
	return profiles, nil
}

func (p *Profile) overlaps(q *Profile) bool {
	if p.config.AudienceClaim != q.config.AudienceClaim || !p.addressedBy(q.config.Audiences) {
		return false
	}
	for _, i := range p.issuers {
		if slices.ContainsFunc(q.issuers, i.overlaps) {
			return true
		}
	}
	return false
}

// Select finds the profile a token is for among those named, by what it says of
// its issuer and audience, which nobody has verified. It is a *Refusal where
// none is, or more than one: a token is never tried on several.
func (s *Set) Select(token string, names []string) (*Profile, error) {
	profiles, err := s.named(names)
	if err != nil {
		return nil, err
	}
	p, _, err := chooseFor(token, profiles)
	return p, err
}

// Knows tells whether a token says that it comes from an issuer of some profile.
// Nobody has verified that.
func (s *Set) Knows(token string) bool {
	parsed, err := jose.Parse(token)
	return err == nil && slices.ContainsFunc(s.profiles, func(p *Profile) bool { return p.issued(parsed) })
}

func chooseFor(token string, profiles []*Profile) (*Profile, *jose.Token, error) {
	parsed, err := jose.Parse(token)
	if err != nil {
		return nil, nil, parseRefusal(token, err)
	}
	p, err := choose(parsed, profiles)
	return p, parsed, err
}

func parseRefusal(token string, err error) *Refusal {
	f := parseFailure(err)
	return &Refusal{
		Code: f.code, Check: "parse", Remedy: f.remedy,
		Configured: describeParse(nil), Found: foundToken(&trial{raw: token}),
	}
}

func choose(token *jose.Token, profiles []*Profile) (*Profile, error) {
	known := slices.DeleteFunc(slices.Clone(profiles), func(p *Profile) bool { return !p.issued(token) })
	if len(known) == 0 {
		return nil, selectRefusal(token, profiles, "issuer", CodeIssuerMismatch)
	}
	meant := slices.DeleteFunc(slices.Clone(known), func(p *Profile) bool { return !p.claims(token) })
	switch len(meant) {
	case 0:
		return nil, selectRefusal(token, known, "audience", CodeAudienceMismatch)
	case 1:
		return meant[0], nil
	}
	return nil, selectRefusal(token, meant, "audience", CodeProfileAmbiguous)
}

// issued and claims read a token that is not verified.
func (p *Profile) issued(token *jose.Token) bool {
	iss, ok := lookup(token.Claims, "iss").(string)
	if !ok {
		return false
	}
	_, ok = p.matchIssuer(iss)
	return ok
}

func (p *Profile) claims(token *jose.Token) bool {
	held, ok := audiences(token.Claims, p.config.AudienceClaim)
	return ok && p.addressedBy(held)
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
		c := p.check(name)
		r.Found = c.found(&trial{profile: p, token: token})
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

func (p *Profile) check(name string) check {
	n := slices.IndexFunc(p.checks, func(c check) bool { return c.name == name })
	return p.checks[n]
}

// Verify selects the profile and believes the token or says why not, as Select
// and Profile.Verify do. What was verified is remembered by the digest of the
// token, for as long as the token is good and its key is in the profile's set.
func (s *Set) Verify(ctx context.Context, token string, names []string) (*Identity, error) {
	digest := sha256.Sum256([]byte(token))
	if id := s.remembered(digest, names); id != nil {
		return id, nil
	}
	profiles, err := s.named(names)
	if err != nil {
		return nil, err
	}
	p, parsed, err := chooseFor(token, profiles)
	if err != nil {
		return nil, err
	}
	t := p.trial(ctx, token)
	t.token = parsed
	id, err := t.verify()
	if err == nil {
		s.remember(digest, t)
	}
	return id, err
}
