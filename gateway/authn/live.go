package authn

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// A LiveSession is a session that is neither revoked, expired nor idle, together
// with its member and organization as they stand now.
type LiveSession struct {
	Session      session.Session
	Member       directory.Member
	Organization directory.Organization
	// Factors are those of the session that count now, oldest first.
	Factors []session.Factor
}

var (
	errMemberInactive = errors.New("the member or the organization is not active")
	errNotBefore      = errors.New("the session began, or its token was issued, at or before a revocation of its member or organization")
)

// liveSession reads a live session, its member and its organization. Every
// credential ends here, so that expiry, revocation and the state of member and
// organization are decided in one place.
func (a *Authenticator) liveSession(ctx context.Context, id string) (LiveSession, error) {
	s, err := a.checkedSession(ctx, id)
	if err != nil {
		return LiveSession{}, err
	}
	return a.complete(ctx, s, a.Now())
}

// checkedSession reads the session, from the cache where it may. A cached copy may
// look idle only because later uses were not written into it, so that is asked
// again.
func (a *Authenticator) checkedSession(ctx context.Context, id string) (session.Session, error) {
	s, err := a.session(ctx, id)
	if err != nil {
		return session.Session{}, err
	}
	if err = a.Sessions.Check(s); !errors.Is(err, session.ErrIdle) {
		return s, err
	}
	a.cache.sessions.drop(id) // a stale copy would look idle too, also where the store is away
	if s, err = a.session(ctx, id); err != nil {
		return session.Session{}, err
	}
	return s, a.Sessions.Check(s)
}

// complete adds member, organization and the factors that count to a session.
func (a *Authenticator) complete(ctx context.Context, s session.Session, now time.Time) (LiveSession, error) {
	if a.Sessions.Revocations().CoversMember(s.MemberID) { // known also while the store is away
		return LiveSession{}, session.ErrRevoked
	}
	org, member, err := a.organizationAndMember(ctx, s.OrganizationID, s.MemberID)
	if err != nil {
		return LiveSession{}, asSessionNotFound(err)
	}
	return a.completeWith(ctx, s, org, member, now)
}

// organizationAndMember reads both, in one call of the store where none is cached.
func (a *Authenticator) organizationAndMember(ctx context.Context, org, member string) (o directory.Organization, m directory.Member, err error) {
	if a.cache.members.off() {
		return a.Directory.Lookup(ctx, org, member)
	}
	if o, err = a.organization(ctx, org); err != nil {
		return o, m, err
	}
	m, err = a.member(ctx, org, member)
	return o, m, err
}

// completeWith is complete where organization and member are at hand.
func (a *Authenticator) completeWith(ctx context.Context, s session.Session, org directory.Organization, member directory.Member, now time.Time) (live LiveSession, err error) {
	if a.Sessions.Revocations().CoversMember(s.MemberID) {
		return LiveSession{}, session.ErrRevoked
	}
	if member.Status != directory.StatusActive || org.Status != directory.StatusActive {
		return LiveSession{}, Refuse("session_not_found", errMemberInactive)
	}
	if revokedSince(s.StartedAt, member.NotBefore, org.NotBefore) {
		return LiveSession{}, Refuse("session_not_found", errNotBefore)
	}
	live = LiveSession{Session: s, Member: member, Organization: org}
	live.Factors, err = a.countingFactors(ctx, s.Factors, live, now)
	return live, err
}

// asSessionNotFound turns "no such member" into "no such session": a session
// outlives neither its member nor its organization.
func asSessionNotFound(err error) error {
	var known *directory.Error
	if errors.As(err, &known) {
		return Refuse("session_not_found", err)
	}
	return err
}

func (a *Authenticator) session(ctx context.Context, id string) (session.Session, error) {
	if v, ok := a.cache.sessions.fresh(id); ok {
		return v, nil
	}
	return a.cache.sessions.read(ctx, id, func(ctx context.Context) (session.Session, error) {
		return a.Sessions.ByID(ctx, id)
	})
}

func (a *Authenticator) organization(ctx context.Context, id string) (directory.Organization, error) {
	if v, ok := a.cache.organizations.fresh(id); ok {
		return v, nil
	}
	return a.cache.organizations.read(ctx, id, func(ctx context.Context) (directory.Organization, error) {
		return a.Directory.Organization(ctx, id)
	})
}

func (a *Authenticator) member(ctx context.Context, org, id string) (directory.Member, error) {
	key := memberKey{org, id}
	if v, ok := a.cache.members.fresh(key); ok {
		return v, nil
	}
	return a.cache.members.read(ctx, key, func(ctx context.Context) (directory.Member, error) {
		return a.Directory.Member(ctx, org, id)
	})
}

// byToken finds the live session whose token this is.
func (a *Authenticator) byToken(ctx context.Context, text string) (LiveSession, error) {
	token, err := session.ParseToken(text)
	if err != nil {
		return LiveSession{}, Refuse("invalid_session_credential", err)
	}
	live, err := a.liveSession(ctx, token.SessionID())
	if err != nil {
		return LiveSession{}, err
	}
	if !live.Session.Holds(token, a.Now()) {
		return LiveSession{}, Refuse("session_not_found", errWrongSecret)
	}
	return live, nil
}

var errWrongSecret = errors.New("the session token has the id of a session and not its secret")
