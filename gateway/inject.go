package gateway

import (
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

// A jwtKey names everything an injected JWT depends on. Two requests with equal
// keys may share one while it is young.
type jwtKey struct {
	session                 string
	sessionV, memberV, orgV uint64
	route                   string // digest of template, lifetime and audience
	key                     string // kid of the active signing key
	counting                uint64 // which of the session's factors count, a bit each
}

// An injected JWT, ready to be put into a header.
type injected struct {
	value   string // with the scheme
	claims  claims.Object
	roles   []string
	minted  time.Time
	expires time.Time
}

// shelves keep young JWTs beside the decoded sessions.
type shelves struct {
	jwts *otter.Cache[jwtKey, *injected]
}

func newShelves(o CacheOptions) *shelves {
	if o.Entries <= 0 {
		return &shelves{}
	}
	return &shelves{otter.Must(&otter.Options[jwtKey, *injected]{MaximumSize: o.Entries})}
}

func (s *shelves) young(k jwtKey, now time.Time, reuse time.Duration) *injected {
	if s.jwts == nil || reuse <= 0 {
		return nil
	}
	j, ok := s.jwts.GetIfPresent(k)
	if !ok || now.Sub(j.minted) >= reuse || !now.Before(j.expires) || now.Before(j.minted) {
		return nil
	}
	return j
}

func (s *shelves) put(k jwtKey, j *injected) {
	if s.jwts != nil {
		s.jwts.Set(k, j)
	}
}

// injectedFor answers the JWT that tells the upstream of the route about sub: a
// young one where there is one, else a new one.
func (g *Gateway) injectedFor(r *route, sub subject) (*injected, error) {
	now := g.now()
	k := jwtKey{
		session: sub.session.ID, sessionV: sub.session.Version, memberV: sub.member.Version, orgV: sub.org.Version,
		route: r.reusable, key: g.Ring.ActiveID(), counting: mask(sub),
	}
	if j := g.cache.shelves.young(k, now, g.ReuseFor); j != nil {
		return j, nil
	}
	j, err := g.mintInjected(r, sub)
	if err == nil {
		g.cache.shelves.put(k, j)
	}
	return j, err
}

func (g *Gateway) mintInjected(r *route, sub subject) (*injected, error) {
	roles := g.roles(sub)
	effective, err := claims.Effective(r.template, g.variables(sub, roles), sub.session.Overlay)
	if err != nil {
		return nil, err
	}
	jwt, err := g.Minter.Mint(request(sub, roles, effective, r.audience, r.lifetime))
	if err != nil {
		return nil, err
	}
	value := jwt.Text
	if r.Forward.Scheme != "" {
		value = r.Forward.Scheme + " " + value
	}
	return &injected{value, effective, roles, jwt.IssuedAt, jwt.ExpiresAt}, nil
}

func request(sub subject, roles []string, effective claims.Object, audience []string, life time.Duration) mint.Request {
	return mint.Request{
		Session: sub.session, Factors: sub.counting, Roles: roles, Claims: effective,
		OrganizationID: sub.org.ID, OrganizationSlug: sub.org.Slug, MemberID: sub.member.ID,
		Audience: audience, Lifetime: life,
	}
}

// mask writes which factors count as bits; a session holds fewer than 64.
func mask(sub subject) uint64 {
	var m uint64
	for i, f := range sub.session.Factors {
		for _, c := range sub.counting {
			if sameFactor(f, c) {
				m |= 1 << (i % 64)
			}
		}
	}
	return m
}

func sameFactor(a, b session.Factor) bool { return a.Profile == b.Profile && a.TokenID == b.TokenID }

// put sets the JWT as the one value of the route's header.
func (j *injected) put(h http.Header, r *route) { h[r.Forward.Header] = []string{j.value} }
