package caddymodule

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// route is the handler's line to the gateway.
func (h *Attest) gatewayRoute() *proxy.Route {
	r := &proxy.Route{Off: h.Off, Observe: h.Observe, UnsafePaths: h.UnsafePaths == pathsPass, Preflight: h.Preflight == preflightPass, Login: proxy.Login{URL: h.Login.url(), Origin: h.Login.origin()}, Route: authn.Route{
		Profiles: h.Profiles, Any: h.Any || len(h.Profiles) == 0, Optional: h.Optional,
		Audience: h.Audiences, Template: h.Template, JWTLifetime: time.Duration(h.JWTLifetime), SetCookie: h.SetCookie, Copies: h.copies(),
	}}
	for _, q := range h.Require {
		r.Require = append(r.Require, q.requirement())
	}
	if f := h.ForwardJWT; f != nil {
		r.AccessToken, r.Scope = f.Typ == typAccessToken, f.Scope
		r.Forward = proxy.Forward{Header: f.Header, Scheme: f.Scheme, None: f.None}
	}
	return r
}

// ServeHTTP admits or refuses one request. What it injected is taken out again if
// the next handler fails: error routes are upstreams too.
func (h *Attest) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	h.app.lease.requests.begin()
	defer h.app.lease.requests.end()
	r = withOriginal(r, h.app.parameters)
	g, err := h.app.gate.pass(r.Context())
	if err != nil {
		h.app.scrub(r)
		return h.refuse(w, r, authn.Refuse("service_unavailable", err), web.Announce)
	}
	if g.Proxy.RefuseProjectCall(w, r) {
		return nil
	}
	r = withProxyScheme(r)
	if done, err := g.Proxy.Logout(w, r); done {
		if err == nil {
			return nil
		}
		h.app.scrub(r)
		return h.refuse(w, r, authn.RefusalOf(err), g.Proxy.Announce)
	}
	a, err := g.Proxy.Admit(r, h.route)
	if err != nil {
		return h.answer(w, r, authn.RefusalOf(err), g.Proxy)
	}
	publish(a)
	traceAdmission(a)
	return a.Forward(w, next.ServeHTTP)
}

// withOriginal hands on the URL as it was sent, where a handler before has rewritten it. To
// whatever else asks Caddy for it ({http.request.orig_uri}, FastCGI) it is without the
// parameters in which tokens stand.
func withOriginal(r *http.Request, parameters []string) *http.Request {
	original, ok := r.Context().Value(caddyhttp.OriginalRequestCtxKey).(http.Request)
	if !ok || original.URL == nil {
		return r
	}
	if *original.URL != *r.URL {
		sent := *original.URL // the other is changed below
		r = web.WithOriginal(r, &sent)
	}
	if len(parameters) == 0 || original.URL.RawQuery == "" {
		return r
	}
	return withoutParameters(r, original, parameters)
}

func withoutParameters(r *http.Request, original http.Request, parameters []string) *http.Request {
	sent := original.URL.RequestURI()
	clean := web.WithoutParameters(sent, parameters)
	if clean == sent {
		return r
	}
	path := original.URL.EscapedPath()
	_, original.URL.RawQuery, _ = strings.Cut(clean, "?")
	original.RequestURI = clean
	repl := replacerOf(r)
	repl.Set("http.request.orig_uri", clean)
	repl.Set("http.request.orig_uri.query", original.URL.RawQuery)
	repl.Set("http.request.orig_uri.prefixed_query", strings.TrimPrefix(clean, path))
	return r.WithContext(context.WithValue(r.Context(), caddyhttp.OriginalRequestCtxKey, original))
}

// withProxyScheme hands on what a proxy that Caddy trusts (trusted_proxies) says of
// the client's scheme. Whatever is not plainly http counts as https, which asks
// more of the Origin.
func withProxyScheme(r *http.Request) *http.Request {
	said := r.Header.Values("X-Forwarded-Proto")
	if trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool); !trusted || len(said) == 0 {
		return r
	}
	if len(said) == 1 && strings.EqualFold(said[0], "http") {
		return web.WithScheme(r, "http")
	}
	return web.WithScheme(r, "https")
}

// answer sends a browser to the login, or refuses.
func (h *Attest) answer(w http.ResponseWriter, r *http.Request, refused *authn.Refusal, p *proxy.Proxy) error {
	if refused.Location == "" {
		return h.refuse(w, r, refused, p.Announce)
	}
	sendToLogin(w, r, refused, http.StatusFound, p)
	return nil
}

func sendToLogin(w http.ResponseWriter, r *http.Request, refused *authn.Refusal, status int, p *proxy.Proxy) {
	id := p.NewID()
	p.Announce(w.Header(), refused, status, id)
	publishRefusal(r, refused)
	p.Report(r, refused, status, id)
	p.Redirect(w, r, refused)
}

func (h *Attest) refuse(w http.ResponseWriter, r *http.Request, refused *authn.Refusal, announce func(http.Header, *authn.Refusal, int, string)) error {
	return h.app.refuse(w, r, refused, proxy.Status(refused.Kind), announce)
}

// refuse answers through Caddy's error routes, and by itself where there are none. The id in
// Attest-Error is the one Caddy logs, and the one {err.id} holds.
func (a *App) refuse(w http.ResponseWriter, r *http.Request, refused *authn.Refusal, status int, announce func(http.Header, *authn.Refusal, int, string)) error {
	answer := caddyhttp.Error(status, refused)
	report, node := web.Reporter{Log: a.logger, Door: web.DoorProxy, ClientIP: clientIP}, ""
	if o := a.gate.outcome.Load(); o != nil && o.gateway != nil {
		report.Core, node = o.gateway.Core, o.gateway.Core.Node.ID
	}
	answer.ID = cmp.Or(node, nodeID()) + answer.ID // so that an operator of a fleet knows which one to ask
	announce(w.Header(), refused, status, answer.ID)
	publishRefusal(r, refused)
	traceRefusal(r, refused, answer.ID)
	report.Refused(r, refused, status, answer.ID)
	if hasErrorRoutes(r) {
		return answer
	}
	web.WriteRefusal(w, r, refused, status, answer.ID)
	return nil
}

// hasErrorRoutes tells whether the operator answers errors (handle_errors). Where nobody
// does Caddy's own answer would be empty.
func hasErrorRoutes(r *http.Request) bool {
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	return !ok || server.Errors != nil && len(server.Errors.Routes) > 0
}

// scrub cleans a request that comes before there is a gateway: the error routes
// that it goes to are upstreams too.
func (a *App) scrub(r *http.Request) {
	names := make([]string, 0, len(a.routes))
	for _, route := range a.routes {
		names = append(names, route.Injected()...)
	}
	places := a.places()
	for _, place := range places {
		if place.Header != "" {
			names = append(names, place.Header)
		}
	}
	web.NewScrubber(names).Scrub(r, true)
	a.gatewayConfig().Cookie.WithDefaults().Strip(r.Header)
	web.StripPlaces(r, places)
}

// clientIP is the address of the client as Caddy determines it (trusted_proxies).
func clientIP(r *http.Request) string {
	ip, _ := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string)
	return ip
}

// places are where trusted tokens stand beside Authorization.
func (a *App) places() (list []authn.Place) {
	for name, p := range sorted(a.Profiles) {
		if place := p.trusted(name).TokenFrom; place != (authn.Place{}) {
			list = append(list, place)
		}
	}
	return list
}
