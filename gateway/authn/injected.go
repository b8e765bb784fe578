package authn

import (
	"cmp"
	"crypto/sha256"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
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
	// The factor that admits; the session's version is in the request.
	profile, tokenID string
	// What stands beside it.
	copies [sha256.Size]byte
}

func (a *Authenticator) jwtKeyOf(r *CompiledRoute, live LiveSession, request mint.Request, first session.Factor) jwtKey {
	return jwtKey{
		profile: first.Profile, tokenID: first.TokenID, copies: r.copies,
		request: request.Digest(), template: r.template.Digest(), memberVersion: live.Member.Version,
		organizationVersion: live.Organization.Version, signingKey: a.Ring.ActiveID(),
	}
}

// An injectedJWT is a JWT for an upstream, and what it was made of.
type injectedJWT struct {
	mint.JWT
	bearer string // the JWT after "Bearer ", of which it is a part
	claims claims.Object
	roles  []string
	copied []Copied
}

const bearerScheme = "Bearer "

// reusable tells whether the JWT may serve a further request: for reuseFor after it
// was minted, and while at least half of its life is left.
func (j *injectedJWT) reusable(now time.Time, reuseFor time.Duration) bool {
	age, left := now.Sub(j.IssuedAt), j.ExpiresAt.Sub(now)
	return age >= 0 && age < reuseFor && left >= j.ExpiresAt.Sub(j.IssuedAt)/2
}

// injectedJWT answers the JWT that tells the upstream of the route about a session:
// one minted before where it may be reused, else a new one.
func (a *Authenticator) injectedJWT(r *CompiledRoute, live LiveSession) (*injectedJWT, error) {
	request := mintRequest(live, a.roles(live), nil, r.audience, r.lifetime)
	first, _ := a.firstFactor(r.profiles, live.Factors)
	if r.AccessToken {
		request.ClientID, request.Scope = a.clientID(first), r.Scope
	}
	key := a.jwtKeyOf(r, live, request, first)
	if j, ok := a.cache.jwts.Get(key); ok && j.reusable(a.Now(), a.ReuseFor) {
		a.Observers.Minted(false, true)
		return j, nil
	}
	j, err := a.mintInjected(r, live, request, first)
	if err == nil {
		a.Observers.Minted(false, false)
		a.cache.jwts.Set(key, j)
	}
	return j, err
}

func (a *Authenticator) mintInjected(r *CompiledRoute, live LiveSession, request mint.Request, first session.Factor) (*injectedJWT, error) {
	effective, err := a.effective(r.template, live, request.Roles, first)
	if err != nil {
		return nil, err
	}
	request.Claims = effective
	jwt, err := a.Minter.Mint(request)
	if err != nil {
		return nil, unusable(live, err)
	}
	bearer := bearerScheme + jwt.Text
	jwt.Text = bearer[len(bearerScheme):] // requests share the text with and without scheme
	copied, err := a.copied(r, live, request.Roles, first, jwt.Text)
	return &injectedJWT{jwt, bearer, effective, request.Roles, copied}, err
}

// ClientClaims are where trusted tokens say who asked for them.
var ClientClaims = []string{"azp", "client_id", "cid"}

// clientID is who asked for the trusted token, or by what it came here.
func (a *Authenticator) clientID(first session.Factor) string {
	for _, name := range ClientClaims {
		if text, _ := first.Claims[name].(string); text != "" {
			return text
		}
	}
	return cmp.Or(a.Project.ID, first.Profile)
}

func mintRequest(live LiveSession, roles []string, effective claims.Object, audience []string, life time.Duration) mint.Request {
	return mint.Request{
		Session: live.Session, Factors: live.Factors, Roles: roles, Claims: effective,
		OrganizationID: live.Organization.ID, OrganizationSlug: live.Organization.Slug, MemberID: live.Member.ID,
		Audience: audience, Lifetime: life,
	}
}
