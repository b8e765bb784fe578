package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/trust"
)

// Presented is what a proxied request shows, as facts: a door reads them off the
// request, the core never sees it.
type Presented struct {
	// Bearer is an Authorization: Bearer with the shape of a session token or a JWT.
	Bearer string
	// Opaque is an Authorization: Bearer of any other shape. It is a credential only at a
	// route with a profile that introspects.
	Opaque string
	// Placed are tokens in the places that profiles read them from.
	Placed []Placed
	// Cookie is the value of the session cookie.
	Cookie string
	// Ambiguous tells that the request shows more than one credential where one is
	// expected, and which; or a refusal, where what may hold one cannot be read.
	Ambiguous error
	// CrossSite tells that the request may change something and was not shown to be
	// made by a page of this origin: no ambient credential is accepted with it.
	CrossSite bool
	// Reflects tells that the method may show the client what the upstream receives:
	// no credential is accepted with it.
	Reflects bool
	// Loopback tells that both ends of the connection are on this machine, with no
	// proxy between.
	Loopback bool
	// Navigation is what a person goes to with the request, Origin the one that it says it
	// was made by; empty where it says none, or several.
	Navigation Navigation
	Origin     string
	// Browser tells that the client says it is a browser, which keeps cookies.
	Browser bool
	// Client is the client's address, for audit records and expressions. Method and Host
	// are the request's, for expressions.
	Client, Method, Host string
}

// Any tells whether a credential is shown at all.
func (p Presented) Any() bool {
	return p.Bearer != "" || p.Opaque != "" || p.Cookie != "" || len(p.Placed) > 0 || p.Ambiguous != nil
}

// LooksLikeJWT tells a compact JWS, or anything else that begins like one, from an
// opaque token of the upstream's. A JWE is included: it is refused later, and must
// not pass as "no credential".
func LooksLikeJWT(token string) bool {
	return strings.Count(token, ".") == 2 || strings.HasPrefix(token, "eyJ")
}

// LooksLikeSessionToken tells a session token, or anything else that begins like
// one.
func LooksLikeSessionToken(token string) bool { return session.LooksLikeToken(token) }

// A Decision says that a request may go on, and as whom.
type Decision struct {
	// Anonymous tells that the route is optional and no credential was shown. All that
	// follows but ClearCookie is then zero.
	Anonymous bool

	LiveSession
	// Profile is the one whose factor the route accepted, the newest if several.
	Profile string
	// Roles are those that hold now, sorted.
	Roles []string
	// Claims are the effective claims of JWT.
	Claims map[string]any
	// JWT is for the upstream, and ends at ExpiresAt. Bearer is "Bearer " and the JWT.
	JWT, Bearer string
	ExpiresAt   time.Time
	// Copied are headers that go with it.
	Copied []Copied

	// SetCookie is to be set with the answer, if it is not nil.
	SetCookie *SessionCookie
	// ClearCookie tells that the cookie shown is dead.
	ClearCookie bool

	// Onward tells that the browser is sent to the same page without the token that it
	// brought in the address or a form. Nothing is for the upstream then.
	Onward bool
}

// Admit decides about one proxied request. An error is a refusal; see [RefusalOf].
func (a *Authenticator) Admit(ctx context.Context, p Presented, route *CompiledRoute) (Decision, error) {
	p = route.at(p)
	d, err := a.admit(ctx, p, route)
	if err == nil && d.Anonymous {
		err = route.anonymous(p)
	}
	if err != nil {
		refused := *RefusalOf(err) // a copy: those who wait for one session share its refusal
		if refused.CredentialShown = p.Any(); refused.token == "" {
			refused.token = p.token()
		}
		return Decision{}, &refused
	}
	return d, nil
}

func (a *Authenticator) admit(ctx context.Context, p Presented, route *CompiledRoute) (Decision, error) {
	switch {
	case p.Reflects && p.Any():
		return Decision{}, Refuse("method_not_allowed", nil)
	case p.Ambiguous != nil:
		return Decision{}, p.ambiguous()
	case p.Bearer != "":
		return a.admitBearer(ctx, p, route)
	case p.Opaque != "":
		return a.admitTrusted(ctx, p, route, p.Opaque, route.opaque)
	}
	header, err := route.placed(p.Placed, false)
	switch {
	case err != nil:
		return Decision{}, err
	case header != nil:
		return a.admitPlaced(ctx, p, route, *header)
	case p.Cookie != "":
		return a.admitCookie(ctx, p, route)
	}
	cookie, err := route.placed(p.Placed, true)
	switch {
	case err != nil:
		return Decision{}, err
	case cookie != nil:
		return a.admitPlaced(ctx, p, route, *cookie)
	case route.Optional, len(route.seconds(p.Placed)) > 0: // see anonymous
		return Decision{Anonymous: true}, nil
	}
	return Decision{}, Refuse("no_credential", nil)
}

// admitPlaced admits by a trusted token in another place than Authorization. One that
// the browser sends by itself needs a request of this origin's, and a bad one in a cookie
// is no credential where the route is optional: nobody meant to show it.
func (a *Authenticator) admitPlaced(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (Decision, error) {
	if t.Place.Navigated() {
		return a.admitNavigated(ctx, p, route, t)
	}
	if t.Place.Ambient() && p.CrossSite {
		return Decision{}, Refuse("cross_site_request", nil)
	}
	d, err := a.admitTrusted(ctx, p, route, t.Token, route.places[t.Place])
	if err != nil && t.Place.Cookie != "" && route.Optional && RefusalOf(err).Kind == InvalidCredential {
		return Decision{Anonymous: true}, nil
	}
	return d, err
}

// admitBearer lets the bearer alone decide: a good one admits, a bad one is
// refused, also where the route is optional or a good cookie stands beside it.
func (a *Authenticator) admitBearer(ctx context.Context, p Presented, route *CompiledRoute) (Decision, error) {
	if !LooksLikeJWT(p.Bearer) {
		live, err := a.byToken(ctx, p.Bearer)
		return a.admitLive(ctx, p, route, live, err)
	}
	digest, profiles := digestOf(p.Bearer), route.places[Place{}]
	if id := a.Profiles.Verified(ctx, digest, profiles); id != nil {
		return a.admitIdentity(ctx, p, route, id)
	}
	id, err := a.apiJWT(ctx, p.Bearer, digest)
	switch {
	case notIssuedHere(err):
		id, err := a.verifyAmong(ctx, p.Bearer, mint.ForeignToken(err), profiles)
		if err != nil {
			return Decision{}, err
		}
		return a.admitIdentity(ctx, p, route, id)
	case err != nil:
		return Decision{}, refusalOfJWT(err, "invalid_session_credential")
	}
	live, err := a.liveSession(ctx, id)
	return a.admitLive(ctx, p, route, live, err)
}

// digestOf is the SHA-256 of a text, without a copy of it on the heap where it has the size
// of most tokens.
func digestOf(text string) [sha256.Size]byte {
	var space [2048]byte
	return sha256.Sum256(append(space[:0], text...))
}

// admitCookie admits by the session cookie, the one credential that a browser
// sends without being asked. A dead one is cleared.
func (a *Authenticator) admitCookie(ctx context.Context, p Presented, route *CompiledRoute) (Decision, error) {
	if p.CrossSite {
		return Decision{}, Refuse("cross_site_request", nil)
	}
	live, err := a.byToken(ctx, p.Cookie)
	if err == nil {
		return a.admitLive(ctx, p, route, live, nil)
	}
	refused := *RefusalOf(err)
	if refused.Kind != InvalidCredential && refused.Kind != UnknownCredential {
		return Decision{}, &refused
	}
	if route.Optional {
		return Decision{Anonymous: true, ClearCookie: true}, nil
	}
	refused.ClearCookie = true
	return Decision{}, &refused
}

var errDevProfile = errors.New("a dev profile is accepted only where both ends of the connection are loopback and no proxy stands between")

// admitTrusted admits by a third party's token: it has an implicit session, made
// when the token is first seen.
// profiles are those of the route that read tokens from where it stands.
func (a *Authenticator) admitTrusted(ctx context.Context, p Presented, route *CompiledRoute, token string, profiles []string) (Decision, error) {
	id, err := a.verifyAmong(ctx, token, nil, profiles)
	if err != nil {
		return Decision{}, err
	}
	return a.admitIdentity(ctx, p, route, id)
}

func (a *Authenticator) admitIdentity(ctx context.Context, p Presented, route *CompiledRoute, id *trust.Identity) (Decision, error) {
	if a.profileOf(id).Config().Dev && !p.Loopback {
		return Decision{}, Refuse("invalid_trusted_auth_token", errDevProfile)
	}
	if err := a.onTrial(ctx, "proxy", id); err != nil {
		return Decision{}, err
	}
	live, err := a.implicitSession(ctx, p.Client, id)
	if err != nil {
		return Decision{}, err
	}
	d, err := a.admitLive(ctx, p, route, live, nil)
	if err == nil && route.SetCookie {
		d.SetCookie, err = a.cookieFor(ctx, p, live, id)
	}
	return d, err
}

var errOwnToken = errors.New("a session token of the gateway's own is no trusted token")

// verifyAmong verifies a trusted token of one of the profiles. A session token is no such
// thing, and must not be shown to an issuer who is asked about tokens.
func (a *Authenticator) verifyAmong(ctx context.Context, token string, parsed *trust.Parsed, profiles []string) (*trust.Identity, error) {
	if LooksLikeSessionToken(token) {
		return nil, Refuse("invalid_trusted_auth_token", errOwnToken)
	}
	return a.Profiles.VerifyParsed(ctx, token, parsed, profiles)
}

// admitLive admits a live session on a route whose profiles it satisfies. err is
// why there is none.
func (a *Authenticator) admitLive(ctx context.Context, p Presented, route *CompiledRoute, live LiveSession, err error) (Decision, error) {
	if err != nil {
		return Decision{}, err
	}
	first, ok := a.firstFactor(route.profiles, live.Factors)
	if !ok {
		return Decision{}, a.withoutFactor(ctx, live, route.profiles, Refuse("profile_not_accepted", errNoAcceptedFactor))
	}
	live, cookie, err := a.withSeconds(ctx, p, route, live)
	if err != nil {
		return Decision{}, err
	}
	j, err := a.injectedJWT(route, live)
	if err != nil {
		return Decision{}, err
	}
	if err := a.permit(route, subject{live, j.roles, j.claims, first, p}); err != nil {
		return Decision{}, err
	}
	a.recordAccess(ctx, live.Session)
	return Decision{
		LiveSession: live, Profile: first.Profile, Roles: j.roles, Claims: j.claims, JWT: j.Text, Bearer: j.bearer, ExpiresAt: j.ExpiresAt, Copied: j.copied, SetCookie: cookie,
	}, nil
}
