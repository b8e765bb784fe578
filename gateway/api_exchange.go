package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

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
		OrganizationID: target.ID, MemberID: p.member.ID, Duration: g.remaining(from, d), Idle: g.Idle, Overlay: patch,
		Factor: p.factors[0], Copied: p.factors[1:],
	})
	if err != nil {
		return subject{}, err
	}
	return g.begun(ctx, s, p.factors[0].Profile, p.factors[0].ProvedAt)
}

// remaining cuts the duration of a session that goes on from another to what is
// left of that one's max_duration: nobody has proved anything anew.
func (g *Gateway) remaining(from subject, d time.Duration) time.Duration {
	return min(d, from.session.StartedAt.Add(g.Sessions.MaxDuration()).Sub(g.now()))
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
		if p, _ := g.Profiles.Profile(f.Profile); p.Config().Factor.SecondOnly {
			continue
		}
		factors := slices.Concat(counting[i:i+1], counting[:i], counting[i+1:])
		found, err := g.follow(ctx, factors, from.member, target, patch)
		var person *directory.Error
		if !errors.As(err, &person) {
			return found, err
		}
		refused.Reason, refused.Err = orDefault(person.Reason, person.Code), err
	}
	return passage{}, refused
}

// follow finds whom the first factor names, and takes the others along that name
// the same: a proof of somebody else's, or of nobody there, would open routes that
// the member has never been known at.
func (g *Gateway) follow(
	ctx context.Context, factors []session.Factor, from directory.Member, target directory.Organization, patch claims.Overlay,
) (passage, error) {
	found, err := g.namedBy(ctx, factors[0], from, target, nil)
	if err != nil {
		return passage{}, err
	}
	kept := factors[:1:1]
	for _, f := range factors[1:] {
		m, err := g.namedBy(ctx, f, from, target, nil)
		var person *directory.Error
		switch {
		case err == nil && m.ID == found.ID:
			kept = append(kept, f)
		case err != nil && !errors.As(err, &person):
			return passage{}, err
		}
	}
	if err := g.sayable(target, found, kept, patch); err != nil {
		return passage{}, err
	}
	if found.Status != directory.StatusActive {
		found, err = g.accept(ctx, factors[0], from, target, found.ID)
	}
	return passage{found, kept}, err
}

// accept makes somebody invited active, as any first sign-in does.
func (g *Gateway) accept(ctx context.Context, f session.Factor, from directory.Member, target directory.Organization, id string) (directory.Member, error) {
	m, err := g.namedBy(ctx, f, from, target, func(a *directory.Assertion) { a.SecondOnly = false })
	if err == nil && m.ID != id {
		err = directory.ErrMemberMismatch
	}
	return m, err
}

// namedBy finds the member whom the factor's profile knows in target by what it
// knows of one elsewhere. It makes nobody, and without more it links nobody.
func (g *Gateway) namedBy(
	ctx context.Context, f session.Factor, from directory.Member, target directory.Organization, more func(*directory.Assertion),
) (directory.Member, error) {
	p, _ := g.Profiles.Profile(f.Profile)
	a := crossing(p, f, from, target)
	if a.Email == "" && a.ExternalID == "" {
		return directory.Member{}, directory.ErrMemberMismatch
	}
	if more != nil {
		more(&a)
	}
	_, m, err := g.Directory.Resolve(ctx, a)
	if err == nil {
		g.forgetMember(m)
	}
	return m, err
}

// crossing is what a factor says in another organization: the external id that its
// namespace knows the member by, and the address that its own token asserted, never
// the member's, which another profile may have written. The proof is as old as it
// is: one given before the member there was cut off is not good enough.
func crossing(p *trust.Profile, f session.Factor, from directory.Member, target directory.Organization) directory.Assertion {
	a := directory.Assertion{
		Profile: f.Profile, Namespace: p.Namespace(f.Issuer), APIOrganization: target.ID,
		IssuedAt: f.ProvedAt, SecondOnly: true, AssumeVerified: p.Config().AssumeEmailVerified,
	}
	a.ExternalID = from.ExternalIDs[a.Namespace]
	if email, covered := p.Covers(f.Email); covered {
		a.Email, a.EmailVerified = email, f.EmailVerified
	}
	return a
}
