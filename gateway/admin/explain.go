package admin

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/trust"
)

// A TokenToExplain is what an operator asks about.
type TokenToExplain struct {
	// Token as it was pasted: a header line, quotes and line breaks are taken away. It is
	// neither kept nor logged.
	Token string `json:"token"`
	// Profile limits the question to one. Default: all.
	Profile string `json:"profile"`
	// Organization is the one that an API caller names.
	Organization string `json:"organization"`
}

// An Explanation is what the gateway would answer to a token, and why.
type Explanation struct {
	// Summary is one sentence: what is wrong, and what to do.
	Summary  string         `json:"summary"`
	Admitted bool           `json:"admitted"`
	Profile  string         `json:"profile,omitempty"`
	Notes    []string       `json:"notes,omitempty"`
	Token    *Token         `json:"token,omitempty"`
	Claims   map[string]any `json:"claims,omitempty"`
	Checks   []Check        `json:"checks"`
	Others   []OtherProfile `json:"other_profiles,omitempty"`
	// Organization and Member are those that the token leads to; Creates says what of
	// them it would create.
	Organization *Organization `json:"organization,omitempty"`
	Member       *Member       `json:"member,omitempty"`
	Creates      []string      `json:"creates,omitempty"`
	Roles        []string      `json:"roles,omitempty"`
	// Upstream are the claims of the JWT that an upstream would receive; nothing is
	// signed.
	Upstream map[string]any `json:"upstream_claims,omitempty"`
	// Headers are where the routes that take this profile send it.
	Headers []Header `json:"headers,omitempty"`
	// NotLookedAt says what the answer does not cover.
	NotLookedAt []string `json:"not_looked_at"`
}

// An OtherProfile was not selected.
type OtherProfile struct {
	Name   string `json:"profile"`
	Reason string `json:"reason"`
}

// A Header is one that an upstream receives.
type Header struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"`
	Value  string `json:"value"`
}

func (a *Admin) explain(c *call) (any, error) {
	var q TokenToExplain
	if err := c.body(&q); err != nil {
		return nil, err
	}
	r := authn.ExplainRequest{Text: q.Token, Organization: q.Organization}
	if q.Profile != "" {
		r.Profiles = []string{q.Profile}
	}
	e, err := a.Core.Explain(c.Context(), r)
	if err != nil {
		return nil, err
	}
	out := ExplanationOf(e)
	if e.Admitted {
		out.Headers = a.headers(e.Profile)
	}
	return out, nil
}

// ExplanationOf is an explanation as it is answered.
func ExplanationOf(e authn.Explanation) Explanation {
	out := Explanation{
		Summary: e.Summary, Admitted: e.Admitted, Profile: e.Profile, Notes: e.Notes, Claims: e.Claims, Checks: []Check{}, Roles: e.Roles,
		Upstream: e.Session, NotLookedAt: []string{"rates of what tokens create", "revocations of this very token"},
	}
	if t := e.Token; t != (trust.TokenFacts{}) {
		out.Token = &Token{t.Algorithm, t.KeyID, t.Type, t.Issuer, t.Audience, t.IssuedAt, t.NotBefore, t.ExpireAt}
	}
	for _, f := range e.Findings {
		out.Checks = append(out.Checks, Check{f.Check, f.Passed, f.Skipped, f.Code, f.Configured, f.Found, f.Remedy, f.Dropped})
	}
	for _, o := range e.Others {
		out.Others = append(out.Others, OtherProfile{o.Name, o.Reason})
	}
	out.directory(e)
	return out
}

func (out *Explanation) directory(e authn.Explanation) {
	p := e.Directory
	if p == nil {
		return
	}
	if p.CreatesOrganization {
		out.Creates = []string{"organization", "member"}
		return
	}
	o := organizationOf(p.Organization)
	out.Organization = &o
	if p.CreatesMember {
		out.Creates = []string{"member"}
		return
	}
	m := memberOf(p.Member)
	out.Member = &m
}

// headers are those of the routes that admit by the profile.
func (a *Admin) headers(profile string) []Header {
	var list []Header
	for _, r := range a.Config.Routes {
		if slices.Contains(r.Profiles, profile) && r.Header != "" {
			list = append(list, Header{r.Header, r.Source, "a session JWT for " + strings.Join(r.Audience, ", ") + ", signed at each request: …"})
		}
	}
	return list
}
