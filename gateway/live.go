package gateway

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// A subject is a session together with whom it is of, as they stand now.
type subject struct {
	session  session.Session
	member   directory.Member
	org      directory.Organization
	counting []session.Factor
}

var (
	errMemberInactive = errors.New("the member or the organization is not active")
	errCut            = errors.New("the session began at or before a revocation of its member or organization")
)

// subject reads a live session and whom it is of. Every way into the gateway ends
// here, so that expiry, revocation and the state of member and organization are
// decided in one place.
func (g *Gateway) subject(ctx context.Context, id string) (subject, error) {
	s, err := g.liveSession(ctx, id)
	if err != nil {
		return subject{}, err
	}
	return g.complete(ctx, s, g.now())
}

// liveSession reads the session, from the cache where it is young. A cached copy
// may look idle only because later uses were not written into it, so that is
// asked again.
func (g *Gateway) liveSession(ctx context.Context, id string) (session.Session, error) {
	s, err := g.session(ctx, id)
	if err != nil {
		return session.Session{}, err
	}
	err = g.Sessions.Check(s)
	if errors.Is(err, session.ErrIdle) {
		g.cache.sessions.drop(id)
		return g.session(ctx, id)
	}
	return s, err
}

// complete adds member, organization and the factors that count to a session.
func (g *Gateway) complete(ctx context.Context, s session.Session, now time.Time) (subject, error) {
	org, err := g.organization(ctx, s.OrganizationID)
	if err != nil {
		return subject{}, gone(err)
	}
	member, err := g.member(ctx, s.OrganizationID, s.MemberID)
	if err != nil {
		return subject{}, gone(err)
	}
	if member.Status != directory.StatusActive || org.Status != directory.StatusActive {
		return subject{}, refuse("session_not_found", errMemberInactive)
	}
	if !s.StartedAt.After(member.NotBefore) || !s.StartedAt.After(org.NotBefore) {
		return subject{}, refuse("session_not_found", errCut)
	}
	counting, err := g.counting(ctx, s, org, now)
	return subject{s, member, org, counting}, err
}

// gone turns "no such member" into "no such session": a session outlives neither
// its member nor its organization.
func gone(err error) error {
	var known *directory.Error
	if errors.As(err, &known) {
		return refuse("session_not_found", err)
	}
	return err
}

func (g *Gateway) session(ctx context.Context, id string) (session.Session, error) {
	return g.cache.sessions.read(ctx, id, func(ctx context.Context) (session.Session, error) {
		return g.Sessions.ByID(ctx, id)
	})
}

func (g *Gateway) organization(ctx context.Context, id string) (directory.Organization, error) {
	return g.cache.organizations.read(ctx, id, func(ctx context.Context) (directory.Organization, error) {
		return g.Directory.Organization(ctx, id)
	})
}

func (g *Gateway) member(ctx context.Context, org, id string) (directory.Member, error) {
	return g.cache.members.read(ctx, org+"/"+id, func(ctx context.Context) (directory.Member, error) {
		return g.Directory.Member(ctx, org, id)
	})
}

// cut answers until when proofs of a profile have been revoked.
func (g *Gateway) cut(ctx context.Context, profile string) (time.Time, error) {
	return g.cache.cuts.read(ctx, profile, func(ctx context.Context) (time.Time, error) {
		return g.Directory.ProfileCut(ctx, profile)
	})
}

// caches hold what a hot request needs, so that it touches neither the store nor
// a signature.
type caches struct {
	sessions      *fresh[session.Session]
	members       *fresh[directory.Member]
	organizations *fresh[directory.Organization]
	cuts          *fresh[time.Time]
	bearers       *bearers
	handed        *bearers // sessions of cookies that trusted tokens were exchanged for
	apiJWTs       *apiJWTs
	jwts          *jwtCache
}

func newCaches(o CacheOptions, now func() time.Time) caches {
	return caches{
		sessions:      newFresh[session.Session](o, now),
		members:       newFresh[directory.Member](o, now),
		organizations: newFresh[directory.Organization](o, now),
		cuts:          newFresh[time.Time](o, now),
		bearers:       newBearers(o),
		handed:        newBearers(o),
		apiJWTs:       newAPIJWTs(o),
		jwts:          newJWTCache(o),
	}
}

// changed obeys an event of the store's watch.
func (c caches) changed(e store.Event) {
	if e.Flush {
		c.sessions.flush()
		c.members.flush()
		c.organizations.flush()
		c.cuts.flush()
		return
	}
	if id, ok := session.Changed(e); ok {
		c.sessions.drop(id)
		return
	}
	switch entity, ok := directory.Changed(e); {
	case !ok:
	case entity.Profile != "":
		c.cuts.drop(entity.Profile)
	case entity.MemberID != "":
		c.members.drop(entity.OrganizationID + "/" + entity.MemberID)
	default:
		c.organizations.drop(entity.OrganizationID)
	}
}
