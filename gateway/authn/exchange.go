package authn

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// An ExchangeRequest asks for a session of the same person as a member of another
// organization, named by id, external id or slug.
type ExchangeRequest struct {
	Organization string
	Session      SessionName
	Change       SessionChange
}

var errNoTarget = errors.New("organization_id is required")

// Exchange starts a session for the same person as a member of another organization.
// The one shown goes on.
func (a *Authenticator) Exchange(ctx context.Context, r ExchangeRequest) (IssuedSession, error) {
	switch {
	case r.Organization == "":
		return IssuedSession{}, Refuse("invalid_argument", errNoTarget)
	case r.Session.Empty():
		return IssuedSession{}, Refuse("no_session_arguments", nil)
	}
	live, err := a.exchange(ctx, r)
	if err != nil {
		return IssuedSession{}, err
	}
	return a.issue(live)
}

func (a *Authenticator) exchange(ctx context.Context, r ExchangeRequest) (LiveSession, error) {
	if err := a.signInsOpen(ctx, directory.AllProfiles); err != nil {
		return LiveSession{}, err
	}
	change, err := a.forStart(r.Change)
	if err != nil {
		return LiveSession{}, err
	}
	from, err := a.named(ctx, r.Session)
	if err != nil {
		return LiveSession{}, err
	}
	target, err := a.Directory.FindOrganization(ctx, r.Organization)
	if err != nil {
		return LiveSession{}, err
	}
	to, err := a.exchangeMember(ctx, from, target, change.Claims)
	if err != nil {
		return LiveSession{}, err
	}
	live, err := a.startSession(ctx, target, to.member, session.Start{
		Duration: change.Duration, Overlay: change.Claims,
		SignedInAt: from.Session.SignedInAt,
		Factor:     to.factors[0], Copied: to.factors[1:],
	})
	if err == nil {
		a.tellOf(ctx, SessionExchanged, to.factors[0].Profile, live)
	}
	return live, err
}

// An exchangedMember is who somebody is in another organization, and the factors
// that count there, first the one that names the member.
type exchangedMember struct {
	member  directory.Member
	factors []session.Factor
}

// exchangeMember finds the member whom a first factor of the session names in target.
func (a *Authenticator) exchangeMember(ctx context.Context, from LiveSession, target directory.Organization, overlay claims.Overlay) (exchangedMember, error) {
	counting, err := a.countingFactors(ctx, from.Factors, LiveSession{Organization: target}, a.Now())
	if err != nil {
		return exchangedMember{}, err
	}
	refused := RefuseFor("insufficient_factors_for_session_exchange", "no_factor_admitted")
	for i, f := range counting {
		if a.secondOnly(f.Profile) {
			continue
		}
		factors := slices.Concat(counting[i:i+1], counting[:i], counting[i+1:])
		found, err := a.memberByFactors(ctx, factors, from.Member, target, overlay)
		var person *directory.Error
		if !errors.As(err, &person) {
			return found, err
		}
		refused.Reason, refused.Err = orDefault(person.Reason, person.Code), err
	}
	return exchangedMember{}, refused
}

// memberByFactors finds the member whom the first factor names, and keeps of the
// others those that name the same: a factor of another member, or of none there,
// would be accepted at routes where this member never was.
func (a *Authenticator) memberByFactors(
	ctx context.Context, factors []session.Factor, from directory.Member, target directory.Organization, overlay claims.Overlay,
) (exchangedMember, error) {
	found, err := a.memberByFactor(ctx, factors[0], from, target, nil)
	if err != nil {
		return exchangedMember{}, err
	}
	kept := factors[:1:1]
	for _, f := range factors[1:] {
		m, err := a.memberByFactor(ctx, f, from, target, nil)
		var person *directory.Error
		switch {
		case err == nil && m.ID == found.ID:
			kept = append(kept, f)
		case err != nil && !errors.As(err, &person):
			return exchangedMember{}, err
		}
	}
	if err := a.checkNewSession(target, found, kept, overlay); err != nil {
		return exchangedMember{}, err
	}
	if found.Status != directory.StatusActive {
		found, err = a.activate(ctx, factors[0], from, target, found.ID)
	}
	return exchangedMember{found, kept}, err
}

// activate makes an invited member active, as any first sign-in does.
func (a *Authenticator) activate(ctx context.Context, f session.Factor, from directory.Member, target directory.Organization, id string) (directory.Member, error) {
	m, err := a.memberByFactor(ctx, f, from, target, func(a *directory.Assertion) { a.SecondOnly = false })
	if err == nil && m.ID != id {
		err = directory.ErrMemberMismatch
	}
	return m, err
}

// memberByFactor finds the member whom the factor's profile knows in target by what
// it knows of one elsewhere. It creates nobody, and without more it links nobody.
func (a *Authenticator) memberByFactor(
	ctx context.Context, f session.Factor, from directory.Member, target directory.Organization, more func(*directory.Assertion),
) (directory.Member, error) {
	p, _ := a.Profiles.Profile(f.Profile)
	assertion := exchangeAssertion(p, f, from, target)
	if assertion.Email == "" && assertion.ExternalID == "" {
		return directory.Member{}, directory.ErrMemberMismatch
	}
	if more != nil {
		more(&assertion)
	}
	_, m, err := a.Directory.Resolve(ctx, assertion)
	if err == nil {
		a.cache.dropMember(m)
	}
	return m, err
}

// exchangeAssertion is what a factor asserts in another organization: the external
// id that its namespace knows the member by, and the address that its own token
// asserted, never the member's, which another profile may have written. A token
// issued before the member there was revoked is not good enough.
func exchangeAssertion(p *trust.Profile, f session.Factor, from directory.Member, target directory.Organization) directory.Assertion {
	a := directory.Assertion{
		Profile: f.Profile, Namespace: p.Namespace(f.Issuer), Former: p.FormerNamespace(), APIOrganization: target.ID,
		IssuedAt: f.IssuedAt, SecondOnly: true, AssumeVerified: p.Config().AssumeEmailVerified,
	}
	if own := cmp.Or(a.Former, a.Namespace); own != directory.NamespaceAPI {
		a.ExternalID = from.ExternalIDs[own] // which tokens alone have said
	}
	if email, covered := p.Covers(f.Email); covered {
		a.Email, a.EmailVerified = email, f.EmailVerified
	}
	return a
}
