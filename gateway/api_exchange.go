package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

type exchangeBody struct {
	OrganizationID string `json:"organization_id"`
	Locale         string `json:"locale"`       // accepted and not used
	TelemetryID    string `json:"telemetry_id"` // accepted and not used
	sessionArguments
	sessionChanges
}

// exchangeAnswer is sessionAnswer and what Stytch says beside it. Nothing is ever
// left for the member to do: where a session is not enough the call is refused.
type exchangeAnswer struct {
	sessionAnswer
	MemberAuthenticated      bool   `json:"member_authenticated"`
	IntermediateSessionToken string `json:"intermediate_session_token"`
	MFARequired              any    `json:"mfa_required"`
	PrimaryRequired          any    `json:"primary_required"`
}

var errNoTarget = errors.New("organization_id is required")

// exchange: POST /v1/b2b/sessions/exchange. It starts a session for the same
// person as a member of another organization. The one shown goes on.
func (a *API) exchange(ctx context.Context, r *http.Request) (any, error) {
	var in exchangeBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	switch {
	case in.OrganizationID == "":
		return nil, refuse("invalid_argument", errNoTarget)
	case in.none():
		return nil, refuse("no_session_arguments", nil)
	}
	sub, err := a.exchanged(ctx, in)
	if err != nil {
		return nil, err
	}
	s, err := a.gateway.tell(sub)
	if err != nil {
		return nil, err
	}
	return exchangeAnswer{sessionAnswer: a.answerSession(s), MemberAuthenticated: true}, nil
}

func (a *API) exchanged(ctx context.Context, in exchangeBody) (subject, error) {
	g := a.gateway
	d, patch, err := a.beginning(in.sessionChanges)
	if err != nil {
		return subject{}, err
	}
	from, err := a.find(ctx, in.sessionArguments)
	if err != nil {
		return subject{}, err
	}
	target, err := g.Directory.FindOrganization(ctx, in.OrganizationID)
	if err != nil {
		return subject{}, err
	}
	p, err := g.cross(ctx, from, target, patch)
	if err != nil {
		return subject{}, err
	}
	s, err := g.Sessions.Start(ctx, session.Start{
		OrganizationID: target.ID, MemberID: p.member.ID, Duration: d, Idle: g.Idle, Overlay: patch,
		Factor: p.factors[0], Copied: p.factors[1:],
	})
	if err != nil {
		return subject{}, err
	}
	return g.complete(ctx, s, g.now())
}

// passage is who somebody is in another organization, and the proofs that they
// bring along: those that count there, first the one that names them.
type passage struct {
	member  directory.Member
	factors []session.Factor
}

// cross finds the member whom a first factor of the session names in target.
func (g *Gateway) cross(ctx context.Context, from subject, target directory.Organization, patch claims.Overlay) (passage, error) {
	counting, err := g.counting(ctx, session.Session{Factors: from.counting}, target, g.now())
	if err != nil {
		return passage{}, err
	}
	refused := because("insufficient_factors_for_session_exchange", "no_factor_admitted")
	for i, f := range counting {
		p, _ := g.Profiles.Profile(f.Profile)
		if p.Config().Factor.SecondOnly {
			continue
		}
		factors := slices.Concat(counting[i:i+1], counting[:i], counting[i+1:])
		member, err := g.namedBy(ctx, p, f, from.member, target, func(o directory.Organization, m directory.Member) error {
			return g.sayable(o, m, factors, patch)
		})
		var person *directory.Error
		if !errors.As(err, &person) {
			return passage{member, factors}, err
		}
		refused.Reason, refused.Err = orDefault(person.Reason, person.Code), err
	}
	return passage{}, refused
}

// namedBy finds the member whom the profile knows in target by what it knows of
// one elsewhere. It makes nobody; only somebody invited becomes active, as at any
// first sign-in.
func (g *Gateway) namedBy(
	ctx context.Context, p *trust.Profile, f session.Factor, from directory.Member, target directory.Organization,
	check func(directory.Organization, directory.Member) error,
) (directory.Member, error) {
	a := crossing(p, f, from, target)
	if a.Email == "" && a.ExternalID == "" {
		return directory.Member{}, directory.ErrMemberMismatch
	}
	a.Check = func(o directory.Organization, m directory.Member) error {
		if err := provable(a, m); err != nil {
			return err
		}
		return check(o, m)
	}
	_, m, err := g.Directory.Resolve(ctx, a)
	if err == nil && m.Status != directory.StatusActive {
		a.SecondOnly = false
		_, m, err = g.Directory.Resolve(ctx, a)
	}
	if err == nil {
		g.forgetMember(m)
	}
	return m, err
}

// crossing is what a factor says in another organization. The proof is as old as
// it is: one given before the member there was cut off is not good enough.
func crossing(p *trust.Profile, f session.Factor, from directory.Member, target directory.Organization) directory.Assertion {
	a := directory.Assertion{
		Profile: f.Profile, Namespace: p.Namespace(f.Issuer), APIOrganization: target.ID,
		IssuedAt: f.ProvedAt, SecondOnly: true, AssumeVerified: p.Config().AssumeEmailVerified,
	}
	a.ExternalID = from.ExternalIDs[a.Namespace]
	if email, ok := p.Covers(from.Email); ok {
		a.Email, a.EmailVerified = email, from.EmailVerified
	}
	return a
}

// provable is the rule of linking: an address that nobody vouched for does not
// name somebody who is known by an external id.
func provable(a directory.Assertion, m directory.Member) error {
	if a.ExternalID != "" && m.ExternalIDs[a.Namespace] == a.ExternalID || a.EmailVerified || a.AssumeVerified {
		return nil
	}
	if len(m.ExternalIDs) > 0 {
		return &directory.Error{Code: directory.ErrMemberMismatch.Code, Reason: "email_not_verified"}
	}
	return nil
}
