package gateway

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// bearers remember which implicit session a trusted token has, so that a token
// seen before costs no look-up in the directory. What they say is checked against
// the session each time.
type bearers struct {
	sessions  *otter.Cache[bearerKey, string]
	spellings *otter.Cache[[32]byte, struct{}]
}

// believed tells whether some profile has believed the token, and so it cannot be
// one of ours. spelling is the digest of the text as it was sent, which says
// nothing else of a token: one signature may be written in two ways.
func (b *bearers) believed(spelling [32]byte) bool {
	if b.spellings == nil {
		return false
	}
	_, ok := b.spellings.GetIfPresent(spelling)
	return ok
}

func (b *bearers) believe(spelling [32]byte) {
	if b.spellings != nil {
		b.spellings.Set(spelling, struct{}{})
	}
}

type bearerKey struct {
	digest  [32]byte
	profile string
}

func newBearers(o CacheOptions) *bearers {
	if o.Entries <= 0 {
		return &bearers{}
	}
	return &bearers{
		sessions:  otter.Must(&otter.Options[bearerKey, string]{MaximumSize: o.Entries}),
		spellings: otter.Must(&otter.Options[[32]byte, struct{}]{MaximumSize: o.Entries}),
	}
}

func (b *bearers) sessionOf(k bearerKey) (string, bool) {
	if b.sessions == nil {
		return "", false
	}
	return b.sessions.GetIfPresent(k)
}

func (b *bearers) remember(k bearerKey, id string) {
	if b.sessions != nil {
		b.sessions.Set(k, id)
	}
}

// implicit answers the session of a trusted token that arrives with a request
// rather than at the attest endpoint.
func (g *Gateway) implicit(ctx context.Context, id *trust.Identity) (subject, error) {
	key := bearerKey{id.Digest, id.Profile}
	if known, ok := g.cache.bearers.sessionOf(key); ok {
		sub, err := g.subject(ctx, known)
		switch {
		case err == nil && sub.session.Takes(id.IssuedAt):
			return sub, nil
		case err != nil && !errors.Is(err, session.ErrNotFound):
			return subject{}, err
		}
		// The session ended, or a later token began it anew and this one is older than
		// its revocation: what the manager says of the token is what counts.
	}
	return g.beginImplicit(ctx, key, id)
}

// beginImplicit finds or makes the session, once for all requests that bring the
// token at the same time.
func (g *Gateway) beginImplicit(ctx context.Context, key bearerKey, id *trust.Identity) (subject, error) {
	ch := g.flights.DoChan(string(key.digest[:])+key.profile, func() (any, error) {
		sub, err := g.makeImplicit(context.WithoutCancel(ctx), id)
		if err == nil {
			g.cache.bearers.remember(key, sub.session.ID)
		}
		return sub, err
	})
	select {
	case <-ctx.Done():
		return subject{}, ctx.Err()
	case r := <-ch:
		return r.Val.(subject), r.Err
	}
}

func (g *Gateway) makeImplicit(ctx context.Context, id *trust.Identity) (subject, error) {
	org, member, err := g.resolve(ctx, id, "", nil)
	if err != nil {
		return subject{}, err
	}
	c := g.profile(id).Config()
	s, err := g.Sessions.Implicit(ctx, session.Implicit{
		Profile: id.Profile, Issuer: id.Issuer, OrganizationID: org.ID, MemberID: member.ID,
		Digest: id.Digest, Key: id.SessionKey, IssuedAt: id.IssuedAt, Until: id.Until, MaxLifetime: lifetime(c),
		Duration: c.SessionDuration, Idle: c.SessionIdle, Factor: factorOf(id),
	})
	if err != nil {
		return subject{}, err
	}
	return g.begun(ctx, s, id.Profile, id.IssuedAt)
}

// begun looks once more at whom a session is of, now that it is there. A
// revocation that was written between resolving the token and this moment is
// seen here; one that comes later finds the session begun before it. So no token
// from before a revocation is left with a session from after it.
func (g *Gateway) begun(ctx context.Context, s session.Session, profile string, issued time.Time) (subject, error) {
	org, member, err := g.Directory.Lookup(ctx, s.OrganizationID, s.MemberID)
	if err != nil {
		return subject{}, gone(err)
	}
	cut, err := g.Directory.ProfileCut(ctx, profile)
	if err != nil {
		return subject{}, err
	}
	for _, at := range []time.Time{org.NotBefore, member.NotBefore, cut} {
		if !at.IsZero() && !issued.After(at) {
			return subject{}, g.bury(ctx, s.ID)
		}
	}
	return g.complete(ctx, s, g.now())
}

// bury ends a session that should not have begun. Where the store has not confirmed
// its end that is an outage, and not yet a refusal.
func (g *Gateway) bury(ctx context.Context, id string) error {
	if err := g.RevokeSession(ctx, id); err != nil && isFault(err) {
		return err
	}
	return refuse("session_not_found", errCut)
}

// lifetime is the longest that any token of a profile is a credential: for so long
// must a revocation be remembered.
func lifetime(c trust.Config) time.Duration {
	return orDefault(c.MaxLifetime, trust.DefaultMaxLifetime) + max(orDefault(c.Leeway, trust.DefaultLeeway), 0)
}

// resolve finds whom an identity names, and makes them where the profile may.
// apiOrganization is the organization an API caller named, if any.
// check may refuse them before anything is written about the member; it may be
// nil.
func (g *Gateway) resolve(
	ctx context.Context, id *trust.Identity, apiOrganization string, check func(directory.Organization, directory.Member) error,
) (directory.Organization, directory.Member, error) {
	c := g.profile(id).Config()
	org, member, err := g.Directory.Resolve(ctx, directory.Assertion{
		Profile: id.Profile, Namespace: id.Namespace, ExternalID: id.ExternalID,
		Email: id.Email, UnverifiedEmail: id.UnverifiedEmail, EmailVerified: id.EmailVerified, AssumeVerified: c.AssumeEmailVerified,
		Name: id.Name, Roles: id.Roles, HasRoles: id.HasRoles, Metadata: id.Metadata, IssuedAt: id.IssuedAt,
		Organization: id.Organization.Value, OrganizationFixed: id.Organization.Fixed, APIOrganization: apiOrganization,
		CreateMembers: c.CreateMembers, CreateOrganizations: c.CreateOrganizations,
		CreateMembersPerHour: c.CreateMembersPerHour, CreateOrganizationsPerHour: c.CreateOrganizationsPerHour,
		SecondOnly: c.Factor.SecondOnly, Check: check, Demoted: g.forgetMember,
	})
	if err == nil {
		g.cache.organizations.drop(org.ID)
		g.cache.members.drop(org.ID + "/" + member.ID)
	}
	return org, member, err
}

// profile answers the profile of an identity, which Verify took from the same
// set.
func (g *Gateway) profile(id *trust.Identity) *trust.Profile {
	p, _ := g.Profiles.Profile(id.Profile)
	return p
}

func factorOf(id *trust.Identity) session.Factor {
	return session.Factor{
		Profile: id.Profile, Type: id.Factor.Type, TokenID: id.TokenID, Issuer: id.Issuer, ProvedAt: id.ProvedAt,
		Email: id.Email, EmailVerified: id.EmailVerified,
	}
}

// handCookie starts an ordinary session for a browser that arrived with a trusted
// token, and hands out its cookie with the answer. A client that is no browser
// would not keep it, and one that already has a live cookie of the same member
// needs no other.
func (g *Gateway) handCookie(r *http.Request, a *Admission, id *trust.Identity, held string) error {
	if r.Header.Get("Sec-Fetch-Mode") == "" || g.holdsCookie(r.Context(), held, a) {
		return nil
	}
	s, err := g.cookieSession(r.Context(), a, id)
	if err != nil {
		return err
	}
	token, _ := g.Sessions.Token(s)
	a.setCookie = append(a.setCookie, g.cookie.set(token.Reveal(), s.ExpiresAt, g.now()))
	return nil
}

// cookieSession is the one session that a trusted token is handed out for, however
// often a page shows the token: a header that says "browser" is anyone's to send,
// and must not make a record each time.
func (g *Gateway) cookieSession(ctx context.Context, a *Admission, id *trust.Identity) (session.Session, error) {
	key := bearerKey{id.Digest, id.Profile}
	if known, ok := g.cache.handed.sessionOf(key); ok {
		if sub, err := g.subject(ctx, known); err == nil {
			return sub.session, nil
		}
	}
	made, err, _ := g.flights.Do("cookie "+string(key.digest[:])+key.profile, func() (any, error) {
		ctx := context.WithoutCancel(ctx)
		s, err := g.Sessions.Start(ctx, session.Start{
			OrganizationID: a.Organization.ID, MemberID: a.Member.ID,
			Duration: g.SessionDuration, Idle: g.Idle, Factor: factorOf(id),
		})
		if err != nil {
			return session.Session{}, err
		}
		sub, err := g.begun(ctx, s, id.Profile, id.IssuedAt)
		if err == nil {
			g.cache.handed.remember(key, s.ID)
		}
		return sub.session, err
	})
	return made.(session.Session), err
}

func (g *Gateway) holdsCookie(ctx context.Context, value string, a *Admission) bool {
	if value == "" {
		return false
	}
	held, err := g.byToken(ctx, value)
	return err == nil && held.member.ID == a.Member.ID && held.org.ID == a.Organization.ID
}
