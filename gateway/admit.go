package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/session"
)

// Admit decides about one proxied request: it cleans it of everything that only
// the gateway may say, finds the one credential, and puts the injected JWT in
// place. The request is changed also where it is refused. An error is a
// *[Refusal].
//
// route must be one of Config.Routes.
func (g *Gateway) Admit(r *http.Request, route *Route) (*Admission, error) {
	compiled, known := g.routes[route]
	if !known {
		return nil, refuse("internal_server_error", errUnknownRoute)
	}
	seen := g.credentialsOf(r)
	g.clean(r, compiled, seen)
	a, err := g.admit(r, compiled, seen)
	if err != nil {
		if !compiled.Off {
			r.Header.Del(compiled.Forward.Header) // it may have been set before the refusal
		}
		refused := *refusal(err) // a copy: those who wait for one session share its refusal
		refused.Shown = seen.any()
		return nil, &refused
	}
	a.gateway = g
	a.Request = withVisit(r, &visit{shown: seen, header: a.header})
	return a, nil
}

var errUnknownRoute = errors.New("the route was not given to New")

// clean runs first and on every path, also where the request is refused: error
// routes are upstreams too.
func (g *Gateway) clean(r *http.Request, route *route, seen shown) {
	g.scrub.scrub(r, g.removesAuthorization(r, route, seen))
	g.cookie.strip(r.Header)
}

// removesAuthorization tells whether Authorization goes: where it carried a
// credential of ours, where the route forwards the JWT in it, where there are two
// lines, and on `attest off` by the [authorizationRule].
func (g *Gateway) removesAuthorization(r *http.Request, route *route, seen shown) bool {
	values := r.Header["Authorization"]
	if route.Off {
		return len(values) > 1 || len(values) == 1 && !g.authorization.keeps(values[0])
	}
	return len(values) > 1 || seen.bearer != "" || route.injectsAuthorization()
}

// issues tells whether an iss is ours or that of an issuer we trust.
func (g *Gateway) issues(issuer string) bool {
	return issuer == g.Issuer || g.Profiles.TrustsIssuer(issuer)
}

func (g *Gateway) admit(r *http.Request, route *route, seen shown) (*Admission, error) {
	switch {
	case route.Off:
		return &Admission{Anonymous: true}, nil
	case seen.err != nil:
		return nil, refuse("too_many_credentials", seen.err)
	case seen.bearer != "":
		return g.admitBearer(r, route, seen)
	case seen.cookie != "":
		return g.admitCookie(r, route, seen.cookie)
	case route.Optional:
		return &Admission{Anonymous: true}, nil
	}
	return nil, refuse("no_credential", nil)
}

// admitBearer lets the bearer alone decide: a good one admits, a bad one is
// refused, also where the route is optional or a good cookie stands beside it.
func (g *Gateway) admitBearer(r *http.Request, route *route, seen shown) (*Admission, error) {
	if !looksLikeJWT(seen.bearer) {
		sub, err := g.byToken(r.Context(), seen.bearer)
		return g.passed(r, route, sub, err)
	}
	spelling := sha256.Sum256([]byte(seen.bearer))
	if g.cache.bearers.believed(spelling) {
		return g.admitTrusted(r, route, seen)
	}
	id, err := g.apiJWT(r.Context(), seen.bearer, spelling)
	if notOurs(err) {
		a, err := g.admitTrusted(r, route, seen)
		if err == nil {
			g.cache.bearers.believe(spelling)
		}
		return a, err
	}
	if err != nil {
		return nil, refusalOfJWT(err, "invalid_session_credential")
	}
	sub, err := g.subject(r.Context(), id)
	return g.passed(r, route, sub, err)
}

// passed is pass for a subject that may not have been found.
func (g *Gateway) passed(r *http.Request, route *route, sub subject, err error) (*Admission, error) {
	if err != nil {
		return nil, err
	}
	return g.pass(r, route, sub)
}

// byToken finds the live session whose token this is.
func (g *Gateway) byToken(ctx context.Context, text string) (subject, error) {
	token, err := session.ParseToken(text)
	if err != nil {
		return subject{}, refuse("invalid_session_credential", err)
	}
	sub, err := g.subject(ctx, token.SessionID())
	if err != nil {
		return subject{}, err
	}
	if !sub.session.Holds(token, g.now()) {
		return subject{}, refuse("session_not_found", errWrongSecret)
	}
	return sub, nil
}

var errWrongSecret = errors.New("the session token has the id of a session and not its secret")

// admitCookie admits by the session cookie, the one credential that a browser
// sends without being asked. A dead one is cleared.
func (g *Gateway) admitCookie(r *http.Request, route *route, value string) (*Admission, error) {
	if changesState(r) && !sameOrigin(r) {
		return nil, refuse("cross_site_request", nil)
	}
	sub, err := g.byToken(r.Context(), value)
	if err == nil {
		return g.pass(r, route, sub)
	}
	shared := *refusal(err)
	dead := &shared
	if dead.Proxy != http.StatusUnauthorized {
		return nil, dead
	}
	dead.clearCookie = g.cookie.clear()
	if route.Optional {
		return &Admission{Anonymous: true, setCookie: []string{dead.clearCookie}}, nil
	}
	return nil, dead
}

// admitTrusted admits by a third party's token: it has an implicit session, made
// when the token is first seen.
func (g *Gateway) admitTrusted(r *http.Request, route *route, seen shown) (*Admission, error) {
	ctx := r.Context()
	identity, err := g.Profiles.Verify(ctx, seen.bearer, route.profiles)
	if err != nil {
		return nil, err
	}
	if g.profile(identity).Config().Dev && !bothEndsLoopback(r) {
		return nil, refuse("invalid_trusted_auth_token", errDevAway)
	}
	sub, err := g.implicit(ctx, identity)
	if err != nil {
		return nil, err
	}
	a, err := g.pass(r, route, sub)
	if err != nil || !route.SetCookie {
		return a, err
	}
	if err := g.handCookie(r, a, identity, seen.cookie); err != nil {
		return nil, err
	}
	return a, nil
}

// pass lets a live session through a route whose profiles it satisfies.
func (g *Gateway) pass(r *http.Request, route *route, sub subject) (*Admission, error) {
	opener, ok := g.opens(route, sub.counting)
	if !ok {
		return nil, refuse("profile_not_accepted", errNotOpened)
	}
	j, err := g.injectedFor(route, sub)
	if err != nil {
		return nil, err
	}
	j.put(r.Header, route)
	g.accessed(r.Context(), sub.session, g.now())
	return &Admission{
		Session: sub.session, Member: sub.member, Organization: sub.org, Profile: opener.Profile,
		Roles: j.roles, Claims: j.claims, ExpiresAt: j.JWT.ExpiresAt, header: route.Forward.Header,
	}, nil
}
