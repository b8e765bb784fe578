package authn

import (
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// caches hold what a request whose session is known needs, so that it touches
// neither the store nor a signature.
type caches struct {
	sessions       *readThrough[string, session.Session]
	members        *readThrough[memberKey, directory.Member]
	organizations  *readThrough[string, directory.Organization]
	profiles       *readThrough[string, directory.ProfileState]
	trusted        *tokenSessions // implicit sessions by trusted token
	cookieSessions *tokenSessions // sessions that a cookie was set for, by trusted token
	apiJWTs        apiJWTs
	jwts           *cache.Cache[jwtKey, *injectedJWT]
}

// A memberKey names a member of an organization.
type memberKey struct{ organization, member string }

func newCaches(o CacheOptions, connected, now func() time.Time) caches {
	return caches{
		sessions:       newReadThrough[string, session.Session](o, connected, now),
		members:        newReadThrough[memberKey, directory.Member](o, connected, now),
		organizations:  newReadThrough[string, directory.Organization](o, connected, now),
		profiles:       newReadThrough[string, directory.ProfileState](o, connected, now),
		trusted:        cache.New[tokenKey, string](o.derived()),
		cookieSessions: cache.New[tokenKey, string](o.derived()),
		apiJWTs:        newAPIJWTs(o),
		jwts:           cache.New[jwtKey, *injectedJWT](o.derived()),
	}
}

// derived is how many are kept of what was made of records or of tokens. It says nothing by
// itself of what the store holds: each time it is looked up by the versions that were read,
// or judged by the session that was. So it is kept also where no record is.
func (o CacheOptions) derived() int {
	if o.Entries > 0 {
		return o.Entries
	}
	return DefaultCacheEntries
}

// apply makes stale what an event of the store's watch says has changed.
func (c caches) apply(e store.Event) {
	if e.Flush {
		c.sessions.flush()
		c.members.flush()
		c.organizations.flush()
		c.profiles.flush()
		return
	}
	if id, ok := session.Changed(e); ok {
		c.sessions.invalidate(id)
		return
	}
	switch entity, ok := directory.Changed(e); {
	case !ok:
	case entity.Profile != "":
		c.profiles.invalidate(entity.Profile)
	case entity.MemberID != "":
		c.members.invalidate(memberKey{entity.OrganizationID, entity.MemberID})
	default:
		c.organizations.invalidate(entity.OrganizationID)
	}
}

// A reading is the moment before something is read of the directory.
type reading struct{ organizations, members readingOf }

func (c caches) beforeReading() reading {
	return reading{c.organizations.before(), c.members.before()}
}

// keepResolved keeps what was read of the directory, unless it changed meanwhile, by whoever
// read it too: then it is read anew, and so it is where nobody hears of changes.
func (c caches) keepResolved(r reading, o directory.Organization, m directory.Member, hears bool) {
	if !hears {
		c.organizations.drop(o.ID)
		c.dropMember(m)
		return
	}
	c.organizations.keepRead(r.organizations, o.ID, o)
	c.members.keepRead(r.members, memberKey{m.OrganizationID, m.ID}, m)
}

// dropMember makes the next request read the member anew.
func (c caches) dropMember(m directory.Member) { c.members.drop(memberKey{m.OrganizationID, m.ID}) }
