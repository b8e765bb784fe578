package proxy

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// Config is what a Proxy is made of. Core is required.
type Config struct {
	Core *authn.Authenticator
	// Cookie carries the session token of browsers.
	Cookie web.Cookie
	// Logout ends sessions of that cookie.
	Logout Logout
	// Routes are all routes that will be asked for. Every header that one of them
	// injects is scrubbed on all of them.
	Routes []*Route
	// ClientIP answers the address of the client. Default: the peer's.
	ClientIP func(*http.Request) string
}

// A Proxy admits proxied requests. It is safe for concurrent use.
type Proxy struct {
	core   *authn.Authenticator
	report web.Reporter
	cookie web.Cookie
	logout Logout
	routes map[*Route]*compiledRoute
	scrub  *web.Scrubber
	// authorization is what routes that do not forward in that header leave in it.
	authorization web.AuthorizationRule
	places        []authn.Place // where else trusted tokens stand
	dev           bool          // some profile is, so that it matters where a client is
	observing     chan struct{} // one for each request that is being observed
}

// New checks the configuration, resolves what routes name and fills in defaults.
// Every error names the route's option or the profile.
func New(c Config) (*Proxy, error) {
	c.Cookie = c.Cookie.WithDefaults()
	if err := errors.Join(c.Cookie.Check(), c.Logout.Check()); err != nil {
		return nil, err
	}
	if c.Logout.Then == "" {
		c.Logout.Then = "/"
	}
	report := web.Reporter{Core: c.Core, Log: c.Core.Log, Door: web.DoorProxy, ClientIP: c.ClientIP}
	p := &Proxy{core: c.Core, report: report, cookie: c.Cookie, logout: c.Logout, routes: make(map[*Route]*compiledRoute, len(c.Routes)), observing: make(chan struct{}, maxObserving)}
	p.dev = slices.ContainsFunc(c.Core.Profiles.Names(), func(name string) bool {
		profile, _ := c.Core.Profiles.Profile(name)
		return profile.Config().Dev
	})
	return p, p.addRoutes(c.Routes)
}

func (p *Proxy) addRoutes(list []*Route) error {
	var headers, schemes []string
	p.places = p.core.Profiles.Places()
	for _, r := range list {
		compiled, err := compile(p.core, r)
		if err != nil {
			return err
		}
		p.routes[r] = compiled
		headers = append(headers, compiled.injected...)
		if compiled.injectsAuthorization() {
			schemes = append(schemes, compiled.forward.Scheme)
		}
	}
	forwarded := slices.Clone(headers)
	for _, place := range p.places {
		switch {
		case place.Cookie == p.cookie.Name:
			return fmt.Errorf("proxy: token_from: cookie %q is the session cookie", place.Cookie)
		case slices.ContainsFunc(forwarded, func(name string) bool { return web.SameHeader(name, place.Header) }):
			return fmt.Errorf("proxy: token_from: header %q is one that a route injects", place.Header)
		case place.Header != "":
			headers = append(headers, place.Header)
		}
	}
	p.scrub = web.NewScrubber(append(headers, web.Overrides...))
	p.authorization = web.NewAuthorizationRule(schemes, p.core.IssuesOrTrusts, p.core.Profiles.Introspects())
	return nil
}

var errUnknownRoute = errors.New("the route was not given to New")

// Admit decides about one proxied request: it cleans it of everything that only
// the gateway may say, has its credential judged, and puts the injected JWT in
// place. The request is changed also where it is refused. An error is an
// *[authn.Refusal].
//
// route must be one of Config.Routes.
func (p *Proxy) Admit(r *http.Request, route *Route) (*Admission, error) {
	compiled, known := p.routes[route]
	if !known {
		return nil, authn.Refuse("internal_server_error", errUnknownRoute)
	}
	if web.IsProjectCall(r, p.core.Project.ID) {
		p.clean(r, true)
		return nil, authn.Refuse("route_not_found", nil)
	}
	if err := compiled.checkPaths(r); err != nil {
		p.clean(r, true)
		return nil, err
	}
	presented := p.presented(r)
	preflight := compiled.preflight && !presented.Any() && web.IsPreflight(r)
	p.clean(r, p.removesAuthorization(r, compiled, presented))
	if compiled.observe {
		p.observe(r, compiled, presented)
	}
	d, err := authn.Decision{Anonymous: true}, error(nil)
	if !preflight {
		d, err = p.decide(r, compiled, presented)
	}
	if err != nil {
		refused := *authn.RefusalOf(err)
		refused.Location = compiled.loginFor(r, presented, &refused)
		if Status(refused.Kind) == http.StatusUnauthorized {
			refused.SignIn = compiled.signIn(r)
		}
		return nil, &refused
	}
	a := &Admission{Decision: d, proxy: p, route: compiled, presented: presented, setCookie: p.cookieLines(d)}
	if d.Onward {
		a.onward = onward(r)
	}
	if d.JWT != "" {
		a.headers = compiled.inject(r.Header, d)
		p.warnIfLarge(compiled, d.JWT)
	}
	a.Request = withOuterAttest(r, a)
	p.core.Decide(authn.Decided{Door: web.DoorProxy, Profile: d.Profile, Anonymous: d.Anonymous})
	return a, nil
}

func (p *Proxy) decide(r *http.Request, route *compiledRoute, presented authn.Presented) (authn.Decision, error) {
	if route.off {
		return authn.Decision{Anonymous: true}, presented.Unreadable()
	}
	return p.core.Admit(r.Context(), presented, route.core)
}

// cookieLines are the Set-Cookie lines that a decision asks for.
func (p *Proxy) cookieLines(d authn.Decision) []string {
	switch {
	case d.SetCookie != nil:
		return []string{p.cookie.Set(d.SetCookie.Token.Reveal(), d.SetCookie.ExpiresAt, p.core.Now())}
	case d.ClearCookie:
		return []string{p.cookie.Clear()}
	}
	return nil
}

// Announce writes what the client may know of a refusal into the header of the
// answer, and clears a dead cookie. Of two different cookies both are cleared: the
// browser would send them again.
func (p *Proxy) Announce(h http.Header, refused *authn.Refusal, status int, id string) {
	web.Announce(h, refused, status, id)
	if refused.ClearCookie {
		h.Add("Set-Cookie", p.cookie.Clear())
	}
	if errors.Is(refused, web.ErrTwoCookies) {
		for _, line := range p.cookie.ClearEvery() {
			h.Add("Set-Cookie", line)
		}
	}
}

// largeJWT is what servers commonly take for a header line, with a margin: nginx
// and Apache refuse more than 8 KiB.
const largeJWT = 7 << 10

// warnIfLarge warns once for each route that its upstream may refuse the header.
func (p *Proxy) warnIfLarge(r *compiledRoute, jwt string) {
	if len(jwt) > largeJWT && !r.forward.None {
		r.large.Do(func() {
			p.core.Log.Warn("the injected JWT is large: an upstream may refuse a header of more than 8 KiB",
				zap.String("header", r.forward.Header), zap.Int("bytes", len(jwt)), zap.Strings("profiles", r.core.Profiles))
		})
	}
}
