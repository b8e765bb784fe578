package caddymodule

import (
	"net/http"
	"slices"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/api"
)

// gatewayServe is what the handler serves, in the gateway's words.
func (h *API) gatewayServe() api.Serve {
	if len(h.Serve) == 0 {
		return api.Serve{Keys: true, Sessions: true, Directory: true}
	}
	return api.Serve{
		Keys:      slices.Contains(h.Serve, serveKeys),
		Sessions:  slices.Contains(h.Serve, scopeSessions),
		Directory: slices.Contains(h.Serve, scopeDirectory),
	}
}

// ServeHTTP answers one request, or passes it on.
func (h *API) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	g, err := h.app.gate.pass(r.Context())
	if err != nil {
		if api.Await(w, r, h.app.projectID(), err) {
			return nil
		}
		return next.ServeHTTP(w, r)
	}
	if h.of(g).Serve(w, r) {
		return nil
	}
	return next.ServeHTTP(w, r)
}

// of is the API of the opened gateway, made once.
func (h *API) of(g *gateway.Gateway) *api.API {
	h.once.Do(func() { h.api = g.API(h.gatewayServe()) })
	return h.api
}
