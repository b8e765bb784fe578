package authn

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// tokenSessions remember which session a trusted token has, so that a token seen
// before costs no look-up in the directory. What they say is checked against the
// session each time.
type tokenSessions = cache.Cache[tokenKey, string]

type tokenKey struct {
	digest  [32]byte
	profile string
}

// A startKey names the session that requests with one trusted token start together, or
// change: the implicit one, the one whose cookie is set, or one that they name.
type startKey struct {
	tokenKey
	cookie bool
	// session that the token is attached to, if any.
	session string
}

// implicitSession answers the session of a trusted token that arrives with a
// request rather than at the attest endpoint.
func (a *Authenticator) implicitSession(ctx context.Context, client string, id *trust.Identity) (LiveSession, error) {
	key := tokenKey{id.Digest, id.Profile}
	if known, ok := a.cache.trusted.Get(key); ok {
		live, err := a.liveSession(ctx, known)
		switch {
		case err == nil && live.Session.Takes(id.IssuedAt):
			return live, nil
		case err != nil && !errors.Is(err, session.ErrNotFound):
			return LiveSession{}, err
		}
		// The session ended, or a later token began it anew and this one is older than
		// its revocation: what the manager says of the token decides.
	}
	return a.findImplicit(WithActor(ctx, Actor{Door: "proxy", Address: client}), key, id)
}

// findImplicit finds or makes the session, once for all requests that bring the
// token at the same time.
func (a *Authenticator) findImplicit(ctx context.Context, key tokenKey, id *trust.Identity) (LiveSession, error) {
	return a.startOnce(ctx, startKey{tokenKey: key}, func(ctx context.Context) (LiveSession, error) {
		live, err := a.startImplicit(ctx, id)
		if err == nil {
			a.cache.trusted.Set(key, live.Session.ID)
		}
		return live, err
	})
}

// startOnce starts or changes a session, once for all requests that ask for it at the same
// time. Who joins may have come after a revocation that the start began before: for them the
// session is judged as it is now.
func (a *Authenticator) startOnce(ctx context.Context, key startKey, start func(context.Context) (LiveSession, error)) (LiveSession, error) {
	led := false
	live, err := a.starts.Do(ctx, key, func(ctx context.Context) (LiveSession, error) {
		led = true
		return start(ctx)
	})
	if err != nil || led {
		return live, err
	}
	return a.liveSession(ctx, live.Session.ID)
}

func (a *Authenticator) startImplicit(ctx context.Context, id *trust.Identity) (LiveSession, error) {
	switch err := a.signInsOpen(ctx, id.Profile); {
	case errors.Is(err, errFrozen):
		return a.resumeImplicit(ctx, id)
	case err != nil:
		return LiveSession{}, err
	}
	org, member, err := a.resolve(ctx, id, "", nil)
	if err != nil {
		return LiveSession{}, err
	}
	if err := a.useProxied(ctx, id); err != nil {
		return LiveSession{}, err
	}
	began := a.Now().Truncate(time.Millisecond)
	of := a.implicit(id, org, member)
	of.New = a.Now().Sub(id.IssuedAt) < newToken
	s, err := a.Sessions.Implicit(ctx, of)
	if err != nil {
		return LiveSession{}, err
	}
	live, err := a.begun(ctx, s, org, member, id.Profile)
	if err == nil && !s.StartedAt.Before(began) {
		a.tellOf(ctx, SessionStarted, id.Profile, live)
	}
	return live, err
}

// newToken is how long after a token was issued it is likely to have no session yet.
const newToken = time.Minute

// implicit names the session of a token, and says how it is to be.
func (a *Authenticator) implicit(id *trust.Identity, org directory.Organization, member directory.Member) session.Implicit {
	c := a.profileOf(id).Config()
	return session.Implicit{
		Profile: id.Profile, Issuer: id.Issuer, OrganizationID: org.ID, MemberID: member.ID,
		Digest: id.Digest, Key: id.SessionKey, Until: id.Until, TokenEnd: id.ExpiresAt.Add(trust.MaxLeeway), MaxLifetime: credentialLifetime(c),
		Duration: c.SessionDuration, Idle: c.SessionIdle, Factor: factorOf(id),
	}
}

// credentialLifetime is the longest that any token of a profile is a credential:
// for so long must a revocation be remembered, also where a reload raises the leeway.
func credentialLifetime(c trust.Config) time.Duration {
	return orDefault(c.MaxLifetime, trust.DefaultMaxLifetime) + trust.MaxLeeway
}

// resolve finds the member and organization that an identity names, and creates
// them where the profile may. apiOrganization is the organization an API caller
// named, if any. check may refuse them before anything is written about the member;
// it may be nil.
func (a *Authenticator) resolve(
	ctx context.Context, id *trust.Identity, apiOrganization string, check func(directory.Organization, directory.Member) error,
) (directory.Organization, directory.Member, error) {
	if len(id.Dropped) > 0 {
		a.Log.Info("claims of a trusted token were left out", zap.String("profile", id.Profile), zap.Strings("left_out", id.Dropped))
	}
	assertion := a.assertion(id, apiOrganization)
	assertion.Check, assertion.Demoted = check, a.cache.dropMember
	assertion.Apart = func(holds, other directory.Member) {
		a.Log.Warn("an external id names two members, one by the profile's own namespace, who holds, and one by that of the API; give the other another external id",
			zap.String("profile", id.Profile), zap.String("member_id", holds.ID), zap.String("other_member_id", other.ID))
	}
	assertion.Created = func(o, m string) {
		action := MemberCreated
		if m == "" {
			action = OrganizationCreated
		}
		a.Tell(ctx, Event{Action: action, Profile: id.Profile, OrganizationID: o, MemberID: m})
	}
	before := a.cache.beforeReading()
	org, member, err := a.Directory.Resolve(ctx, assertion)
	if err == nil {
		a.cache.keepResolved(before, org, member, a.watch.hears.Load())
	}
	return org, member, err
}

// assertion is what an identity says of its member, in the directory's words.
func (a *Authenticator) assertion(id *trust.Identity, apiOrganization string) directory.Assertion {
	c := a.profileOf(id).Config()
	assertion := directory.Assertion{
		Profile: id.Profile, Namespace: id.Namespace, Former: a.profileOf(id).FormerNamespace(), ExternalID: id.ExternalID,
		Email: id.Email, UnverifiedEmail: id.UnverifiedEmail, EmailVerified: id.EmailVerified, AssumeVerified: c.AssumeEmailVerified,
		Name: id.Name, Roles: id.Roles, HasRoles: id.HasRoles, Metadata: id.Metadata, IssuedAt: id.IssuedAt,
		Organization: id.Organization.Value, OrganizationFixed: id.Organization.Fixed, APIOrganization: apiOrganization,
		CreateMembers: c.CreateMembers, CreateOrganizations: c.CreateOrganizations,
		CreateMembersPerHour: c.CreateMembersPerHour, CreateOrganizationsPerHour: c.CreateOrganizationsPerHour,
		SecondOnly: c.Factor.SecondOnly,
	}
	if addsMetadata(id.Metadata) {
		assertion.CheckMetadata = a.checkMemberClaims
	}
	return assertion
}

// profileOf answers the profile of an identity, which Verify took from the same set.
func (a *Authenticator) profileOf(id *trust.Identity) *trust.Profile {
	p, _ := a.Profiles.Profile(id.Profile)
	return p
}

func factorOf(id *trust.Identity) session.Factor {
	return session.Factor{
		Profile: id.Profile, Type: id.Factor.Type, TokenID: id.TokenID, Issuer: id.Issuer, ProvedAt: id.ProvedAt, IssuedAt: id.IssuedAt,
		Email: id.Email, EmailVerified: id.EmailVerified, Claims: id.Claims,
	}
}
