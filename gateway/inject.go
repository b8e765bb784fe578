package gateway

import (
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session/mint"
)

// A jwtKey is all that an injected JWT is made of: requests with equal keys may
// share one. The route's header and scheme are no part of it, as the JWT is kept
// without them.
type jwtKey struct {
	request    [sha256.Size]byte // its Digest: all but the claims
	signingKey string            // kid
	// The claims are rendered from these.
	template                           [sha256.Size]byte
	memberVersion, organizationVersion uint64
}

func (g *Gateway) jwtKeyOf(r *route, sub subject, request mint.Request) jwtKey {
	return jwtKey{
		request: request.Digest(), template: r.template.Digest(), memberVersion: sub.member.Version,
		organizationVersion: sub.org.Version, signingKey: g.Ring.ActiveID(),
	}
}

// injectedJWT is what the upstream hears.
type injectedJWT struct {
	mint.JWT
	claims claims.Object
	roles  []string
}

// reusable tells whether the JWT may serve a further request: for a while after it
// was minted, and while at least half of its life is left.
func (j *injectedJWT) reusable(now time.Time, reuseFor time.Duration) bool {
	age, left := now.Sub(j.IssuedAt), j.ExpiresAt.Sub(now)
	return age >= 0 && age < reuseFor && left >= j.ExpiresAt.Sub(j.IssuedAt)/2
}

// jwtCache keeps minted JWTs beside the decoded sessions.
type jwtCache struct {
	jwts *otter.Cache[jwtKey, *injectedJWT]
}

func newJWTCache(o CacheOptions) *jwtCache {
	if o.Entries <= 0 {
		return &jwtCache{}
	}
	return &jwtCache{otter.Must(&otter.Options[jwtKey, *injectedJWT]{MaximumSize: o.Entries})}
}

func (c *jwtCache) get(k jwtKey, now time.Time, reuseFor time.Duration) (*injectedJWT, bool) {
	if c.jwts == nil {
		return nil, false
	}
	j, ok := c.jwts.GetIfPresent(k)
	return j, ok && j.reusable(now, reuseFor)
}

func (c *jwtCache) put(k jwtKey, j *injectedJWT) {
	if c.jwts != nil {
		c.jwts.Set(k, j)
	}
}

// injectedFor answers the JWT that tells the upstream of the route about sub: one
// that was minted a moment ago, or a new one.
func (g *Gateway) injectedFor(r *route, sub subject) (*injectedJWT, error) {
	wanted := request(sub, g.roles(sub), nil, r.audience, r.lifetime)
	key := g.jwtKeyOf(r, sub, wanted)
	if j, ok := g.cache.jwts.get(key, g.now(), g.ReuseFor); ok {
		return j, nil
	}
	j, err := g.mintInjected(r, sub, wanted)
	if err == nil {
		g.cache.jwts.put(key, j)
	}
	return j, err
}

func (g *Gateway) mintInjected(r *route, sub subject, wanted mint.Request) (*injectedJWT, error) {
	effective, err := claims.Effective(r.template, g.variables(sub, wanted.Roles), sub.session.Overlay)
	if err != nil {
		return nil, err
	}
	wanted.Claims = effective
	jwt, err := g.Minter.Mint(wanted)
	if err != nil {
		return nil, err
	}
	return &injectedJWT{jwt, effective, wanted.Roles}, nil
}

func request(sub subject, roles []string, effective claims.Object, audience []string, life time.Duration) mint.Request {
	return mint.Request{
		Session: sub.session, Factors: sub.counting, Roles: roles, Claims: effective,
		OrganizationID: sub.org.ID, OrganizationSlug: sub.org.Slug, MemberID: sub.member.ID,
		Audience: audience, Lifetime: life,
	}
}

// put sets the JWT as the one value of the route's header, after the route's
// scheme.
func (j *injectedJWT) put(h http.Header, r *route) {
	value := j.Text
	if r.Forward.Scheme != "" {
		value = r.Forward.Scheme + " " + value
	}
	h[r.Forward.Header] = []string{value}
}
