package caddymodule

import (
	"errors"
	"net/http"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/gateway"
)

// route is the handler's line to the gateway.
func (h *Attest) gatewayRoute() *gateway.Route {
	r := &gateway.Route{
		Profiles: h.Profiles, Any: h.Any, Off: h.Off, Optional: h.Optional,
		Audience: h.Audiences, Template: h.Template, JWTLifetime: time.Duration(h.JWTLifetime), SetCookie: h.SetCookie,
	}
	if f := h.ForwardJWT; f != nil {
		r.Forward = gateway.Forward{Header: f.Header, Scheme: f.Scheme}
	}
	return r
}

// ServeHTTP admits or refuses one request. What it injected is taken out again if
// the next handler fails: error routes are upstreams too.
func (h *Attest) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	g, err := h.app.gate.pass(r.Context())
	if err != nil {
		h.app.scrub(r)
		return h.refuse(w, r, gateway.Unavailable(err))
	}
	a, err := g.Admit(r, h.route)
	if err != nil {
		return h.refuse(w, r, err)
	}
	publish(a)
	err = next.ServeHTTP(a.Writer(w), a.Request)
	if err != nil {
		a.Withdraw()
	}
	return err
}

// refuse answers through Caddy's error routes. The id in Attest-Error is the one
// Caddy logs, and the one {err.id} holds.
func (h *Attest) refuse(w http.ResponseWriter, r *http.Request, err error) error {
	var refused *gateway.Refusal
	if !errors.As(err, &refused) {
		refused = gateway.Unavailable(err)
	}
	answer := caddyhttp.Error(refused.Proxy, refused)
	refused.Announce(w.Header(), answer.ID)
	publishRefusal(r, refused)
	h.app.logRefusal(r, refused, answer.ID)
	return answer
}

// scrub cleans a request that comes before there is a gateway: the error routes
// that it goes to are upstreams too.
func (a *App) scrub(r *http.Request) {
	names := make([]string, 0, len(a.routes))
	for _, route := range a.routes {
		names = append(names, route.Forward.Header)
	}
	gateway.NewScrubber(names).Scrub(r)
	a.gatewayConfig().Cookie.Strip(r.Header)
}
