package trust

import (
	"context"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// An Explanation says why a token is taken or refused, for an operator.
type Explanation struct {
	// Summary is one sentence: what is wrong, and what to do.
	Summary string
	// Good tells that every check has passed. What the token leads to beyond that
	// (organization, member, session) is for the caller to say.
	Good bool
	// Profile is the one that the token selects, or the one that is nearest to it; empty
	// where it is no token.
	Profile string
	// Findings are those of Profile.
	Findings []Finding
	// Others are the other profiles, and why they were not selected.
	Others []OtherProfile
	// Notes say what stood around the token and was taken away.
	Notes []string
	// Identity is what the token says, where Good.
	Identity *Identity
}

// An OtherProfile was not selected.
type OtherProfile struct{ Name, Reason string }

// CleanToken takes a token out of what people paste: a header line, a scheme, quotes,
// line breaks. The notes say what was taken away.
func CleanToken(text string) (token string, notes []string) {
	token = strings.TrimSpace(text)
	note := func(changed, what string) {
		if changed != token {
			token, notes = changed, append(notes, what+" was taken away")
		}
	}
	if name, rest, ok := strings.Cut(token, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "authorization") {
		note(strings.TrimSpace(rest), "the name of the header")
	}
	note(strings.Trim(token, "\"'`"), "a quote")
	for _, scheme := range []string{"bearer ", "jwt ", "token "} {
		if len(token) > len(scheme) && strings.EqualFold(token[:len(scheme)], scheme) {
			note(strings.TrimSpace(token[len(scheme):]), "the scheme "+strings.TrimSpace(scheme))
		}
	}
	note(strings.Join(strings.Fields(token), ""), "white space within the token")
	note(strings.Trim(token, "\"'`,;"), "punctuation around it")
	return token, notes
}

// opaquePrefixes are those of well-known tokens that are no JWTs.
var opaquePrefixes = [][2]string{
	{"ghp_", "GitHub"}, {"gho_", "GitHub"}, {"ghu_", "GitHub"}, {"ghs_", "GitHub"}, {"github_pat_", "GitHub"},
	{"glpat-", "GitLab"}, {"xoxb-", "Slack"}, {"xoxp-", "Slack"}, {"ya29.", "Google"}, {"sk_live_", "Stripe"}, {"AKIA", "AWS"}, {"npm_", "npm"},
}

// otherForm says what a text is that is no compact JWS; empty where it may be one.
func otherForm(token string) string {
	for _, p := range opaquePrefixes {
		if strings.HasPrefix(token, p[0]) {
			return "this is an opaque token of " + p[1] + "'s, and no JWT: it says nothing that could be verified; ask the issuer for an OIDC ID token instead"
		}
	}
	switch parts := strings.Count(token, "."); {
	case token == "":
		return "there is no token"
	case parts == 4:
		return "this is an encrypted token (JWE): only its issuer's audience can read it; have the issuer send a signed one (JWS)"
	case parts != 2:
		return "this is no JWT: one has three parts with a dot between them"
	}
	return ""
}

// ExplainToken explains a token among the profiles named. It runs every check of the
// profile that is selected, else of the nearest one, caches nothing, and may ask for the
// issuer's keys.
func (s *Set) ExplainToken(ctx context.Context, text string, names []string) Explanation {
	token, notes := CleanToken(text)
	e := Explanation{Notes: notes}
	profiles, err := s.profilesNamed(names)
	nearest := opaqueAmong(token, profiles)
	switch form := otherForm(token); {
	case nearest != nil:
	case form != "":
		e.Summary = form
		return e
	case err != nil || len(profiles) == 0:
		e.Summary = "there is no profile to take it"
		return e
	default:
		nearest = s.nearest(token, orAll(signed(profiles), profiles), &e)
	}
	e.Profile = nearest.Name()
	e.Findings, e.Identity = nearest.examine(ctx, token)
	e.Good = e.Identity != nil
	e.Summary = summary(e)
	return e
}

func orAll(some, all []*Profile) []*Profile {
	if len(some) == 0 {
		return all
	}
	return some
}

// nearest is the profile that the token selects, else the one that lacks least: first
// the issuer counts, then the audience.
func (s *Set) nearest(token string, profiles []*Profile, e *Explanation) *Profile {
	best := profiles[0]
	parsed, err := jose.Parse(token)
	if err != nil {
		return best
	}
	if p, err := selectAmong(parsed, profiles); err == nil {
		best = p
	} else {
		for _, p := range profiles[1:] {
			if p.closeness(parsed) > best.closeness(parsed) {
				best = p
			}
		}
	}
	for _, p := range profiles {
		if p != best {
			e.Others = append(e.Others, OtherProfile{p.Name(), p.notSelected(parsed)})
		}
	}
	return best
}

func (p *Profile) closeness(token *jose.Token) int {
	n := 0
	if p.matchesIssuerOf(token) {
		n += 2
	}
	if p.matchesAudienceOf(token) {
		n++
	}
	return n
}

// notSelected says why a token does not select the profile.
func (p *Profile) notSelected(token *jose.Token) string {
	v := &verification{profile: p, token: token}
	for _, name := range []string{"issuer", "audience"} {
		c := p.checkNamed(name)
		if name == "issuer" && !p.matchesIssuerOf(token) || name == "audience" && !p.matchesAudienceOf(token) {
			return "its " + name + " is " + c.configured(p) + ", the token's " + c.found(v)
		}
	}
	return "the token is nearer to the other one"
}

// examine is Explain with the identity, where every check has passed.
func (p *Profile) examine(ctx context.Context, token string) ([]Finding, *Identity) {
	v := p.newVerification(ctx, token)
	findings, good := v.explain()
	if !good {
		return findings, nil
	}
	v.fillIdentity()
	return findings, v.id
}

// summary is the first failed check, in a sentence. What is wrong with the issuer or the
// audience is told before what follows from it.
func summary(e Explanation) string {
	if e.Good {
		return "profile " + e.Profile + " takes this token"
	}
	for _, f := range e.Findings {
		if f.Passed || f.Skipped {
			continue
		}
		return "profile " + e.Profile + " refuses this token: " + complaint(f) + "; " + f.Remedy
	}
	return "profile " + e.Profile + " refuses this token"
}

// complaint says what is wrong, with what was found.
func complaint(f Finding) string {
	switch f.Code {
	case CodeExpired:
		return "it has expired (" + f.Found + ")"
	case CodeNotYetValid, CodeIssuedInFuture:
		return f.Check + " is in the future (" + f.Found + ")"
	case CodeIssuerMismatch, CodeAudienceMismatch:
		return "its " + f.Check + " is " + f.Found + ", configured is " + f.Configured
	case CodeKeyUnknown:
		return "no key of the issuer fits it (" + f.Found + ")"
	case CodeSignatureInvalid:
		return "its signature is not valid"
	case CodeKeysUnavailable:
		return "its key is not available"
	}
	return f.Check + " (" + f.Code + "), found " + f.Found
}
