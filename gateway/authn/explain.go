package authn

import (
	"context"
	"fmt"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// An Explanation says what the gateway would answer to a token, and why. Nothing is
// stored, nothing is signed, and no rate is used up.
type Explanation struct {
	trust.Explanation
	// Admitted is the gateway's answer: the token would start a session.
	Admitted bool
	// Token is what the token says of itself, with its claims. They are for the operator
	// who has the token.
	Token  trust.TokenFacts
	Claims map[string]any
	// Directory is what it leads to in the store; nil where it was not looked at.
	Directory *directory.Preview
	// Roles hold in the session, Session are the claims of the JWT that an upstream would
	// receive, without signature.
	Roles   []string
	Session claims.Object
}

// An ExplainRequest asks about a token.
type ExplainRequest struct {
	// Text is the token as people paste it; see trust.CleanToken.
	Text string
	// Profiles limits the question to these. Default: all.
	Profiles []string
	// Organization is the one that an API caller names, if any.
	Organization string
}

// Explain answers what would become of a token that is shown now. The error is a fault
// or an unknown profile; a refused token is no error.
func (a *Authenticator) Explain(ctx context.Context, r ExplainRequest) (Explanation, error) {
	names := r.Profiles
	if len(names) == 0 {
		names = a.Profiles.Names()
	}
	for _, name := range names {
		if _, ok := a.Profiles.Profile(name); !ok {
			return Explanation{}, Refuse("trusted_token_profile_not_found", nil)
		}
	}
	token, notes := trust.CleanToken(r.Text)
	if own := a.ownToken(token); own != "" {
		return Explanation{Explanation: trust.Explanation{Summary: own, Notes: notes}}, nil
	}
	e := Explanation{Explanation: a.Profiles.ExplainToken(ctx, token, names)}
	e.Notes = notes
	e.Token, _ = trust.Describe(token)
	e.Claims = trust.ClaimsOf(token)
	if e.Good {
		a.explainSession(ctx, r, &e)
	}
	return e, nil
}

// ownToken says what a token of this gateway is; empty for any other.
func (a *Authenticator) ownToken(token string) string {
	if session.LooksLikeToken(token) {
		return "this is a session token of a gateway, and no trusted token: it is shown as it is in Authorization or the session cookie, and may be revoked by its id"
	}
	if facts, ok := trust.Describe(token); ok && facts.Issuer == a.Issuer {
		return "this is a session JWT of this gateway, and no trusted token: an API JWT is shown as it is in Authorization, an injected one is for its upstream alone"
	}
	return ""
}

// explainSession goes on where the checks of the token end: levers, organization and
// member, rates, the session and its JWT.
func (a *Authenticator) explainSession(ctx context.Context, r ExplainRequest, e *Explanation) {
	id := e.Identity
	if err := a.signInsOpen(ctx, id.Profile); err != nil {
		e.refuse("sign_ins", err, "")
		return
	}
	e.pass("sign_ins", "not frozen, and the profile is not disabled")
	preview, err := a.Directory.Preview(ctx, a.assertion(id, r.Organization))
	if err != nil {
		e.refuse("directory", err, directoryRemedy(err))
		return
	}
	e.Directory = &preview
	e.pass("directory", directoryText(preview))
	if id.Factor.SecondOnly {
		e.Findings = append(e.Findings, trust.Finding{
			Check: "factor", Code: "insufficient_factors_for_session_exchange", Configured: "second_only", Found: id.Factor.Type,
			Remedy: "show it beside a session: it starts none of its own",
		})
		e.Good, e.Summary = false, "profile "+e.Profile+" takes this token as a second factor only; show it beside a session"
		return
	}
	e.pass("factor", id.Factor.Type)
	a.explainJWT(e, id, preview)
}

// explainJWT renders what an upstream would be told.
func (a *Authenticator) explainJWT(e *Explanation, id *trust.Identity, p directory.Preview) {
	now, live := a.Now(), a.wouldStart(id, p)
	rendered, err := a.render(live)
	e.Roles = rendered.Roles
	if err != nil {
		e.refuse("claims", err, "make the template's claims smaller, or the metadata that they are made of")
		return
	}
	request := mintRequest(live, rendered.Roles, rendered.Claims, []string{a.Issuer}, DefaultInjectedLifetime)
	if e.Session, err = a.Minter.Preview(request, now); err != nil {
		e.refuse("session_jwt", err, "make the claims and roles fewer")
		return
	}
	e.pass("claims", fmt.Sprintf("%d of its own", len(rendered.Claims)))
	e.Admitted = true
	e.Summary = "profile " + e.Profile + " takes this token: " + directoryText(p)
}

// wouldStart is the session that the token would start now. Of an organization that it
// would create first, the member has the roles that the profile gives.
func (a *Authenticator) wouldStart(id *trust.Identity, p directory.Preview) LiveSession {
	now, factors := a.Now(), []session.Factor{factorOf(id)}
	if p.CreatesOrganization {
		p.Member.ProfileRoles = map[string][]string{id.Profile: id.Roles}
	}
	return LiveSession{
		Session: session.Session{
			ID: "session-…", OrganizationID: p.Organization.ID, MemberID: p.Member.ID, Factors: factors,
			SignedInAt: now, StartedAt: now, LastAccessedAt: now, ExpiresAt: id.Until,
		},
		Organization: p.Organization, Member: p.Member, Factors: factors,
	}
}

func (e *Explanation) pass(check, found string) {
	e.Findings = append(e.Findings, trust.Finding{Check: check, Passed: true, Found: found})
}

func (e *Explanation) refuse(check string, err error, remedy string) {
	refused := RefusalOf(err)
	e.Findings = append(e.Findings, trust.Finding{Check: check, Code: refused.Code, Found: refused.Reason, Remedy: remedy})
	e.Good = false
	e.Summary = "profile " + e.Profile + " takes this token, and " + check + " refuses it: " + refused.Message
	if remedy != "" {
		e.Summary += " " + remedy
	}
}

func directoryText(p directory.Preview) string {
	switch {
	case p.CreatesOrganization:
		return "its organization and its member would be created"
	case p.CreatesMember:
		return "its member would be created in organization " + p.Organization.ID
	case p.ChangesMember:
		return "it is member " + p.Member.ID + " of organization " + p.Organization.ID + ", who would be brought up to date"
	}
	return "it is member " + p.Member.ID + " of organization " + p.Organization.ID
}

// directoryRemedies say what an operator can do.
var directoryRemedies = map[string]string{
	"organization_not_found":              "create the organization, or let the profile: create organizations.",
	"organization_not_admitting":          "add the profile to the organization's profiles.",
	"member_not_found":                    "create the member, or let the profile: create members.",
	"email_not_verified":                  "have the issuer send email_verified true, or write email_verified assume if it verifies every address.",
	"member_identity_conflict":            "external id and address name two members: delete one, or correct the token.",
	"duplicate_member_external_id":        "the address is another member's: correct one of the two.",
	"token_missing_organization_id_claim": "give the profile an organization line, or name one in the call.",
	"invalid_token_organization_id_claim": "the organization's text must be 1 to 128 of A–Z a–z 0–9 . _ : @ | -.",
	"member_session_member_id_mismatch":   "show it beside a session of the same member.",
}

func directoryRemedy(err error) string { return directoryRemedies[RefusalOf(err).Code] }
