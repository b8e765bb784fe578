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
	sessions       *readThrough[session.Session]
	members        *readThrough[directory.Member]
	organizations  *readThrough[directory.Organization]
	profiles       *readThrough[directory.ProfileState]
	trusted        tokenSessions // implicit sessions by trusted token
	cookieSessions tokenSessions // sessions that a cookie was set for, by trusted token
	apiJWTs        apiJWTs
	jwts           *cache.Cache[jwtKey, *injectedJWT]
}

func newCaches(o CacheOptions, connected, now func() time.Time) caches {
	return caches{
		sessions:       newReadThrough[session.Session](o, connected, now),
		members:        newReadThrough[directory.Member](o, connected, now),
		organizations:  newReadThrough[directory.Organization](o, connected, now),
		profiles:       newReadThrough[directory.ProfileState](o, connected, now),
		trusted:        newTokenSessions(o),
		cookieSessions: newTokenSessions(o),
		apiJWTs:        newAPIJWTs(o),
		jwts:           cache.New[jwtKey, *injectedJWT](o.Entries),
	}
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
		c.members.invalidate(entity.OrganizationID + "/" + entity.MemberID)
	default:
		c.organizations.invalidate(entity.OrganizationID)
	}
}

// dropMember makes the next request read the member anew.
func (c caches) dropMember(m directory.Member) { c.members.drop(m.OrganizationID + "/" + m.ID) }
