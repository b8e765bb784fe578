package caddymodule

import (
	"net/http"
	"slices"
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/gateway/api"
)

func init() {
	caddy.RegisterModule(new(API))
}

// API serves what the gateway itself answers: its public keys and metadata, and
// to callers with a secret of the project the session API and the directory.
// Requests for anything else go on to the next handler.
type API struct {
	// What is served here: `keys` (public keys and metadata, to anyone),
	// `sessions`, `directory`. Default: keys, and of the others what the
	// project's secrets open.
	Serve []string `json:"serve,omitempty"`

	// The path that answers whether the gateway serves, to anyone: 200, also where the
	// store or an issuer is away, which the body names; 503 while it starts or ends.
	// With ?strict whatever is away makes it 503. Default: none.
	Health string `json:"health,omitempty"`

	app  *App
	once sync.Once
	api  *api.API // of the opened gateway
}

// serveKeys is a word of API.Serve; the others are scopes of a project secret.
const serveKeys = "keys"

// CaddyModule returns the Caddy module information.
func (*API) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.attest_api",
		New: func() caddy.Module { return new(API) },
	}
}

// Provision joins the handler to the app and checks the one against the other.
func (h *API) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if app == nil {
		return err
	}
	h.app = app
	if err := check(true, func(c *checker) { c.api(h, app) }); err != nil {
		return err
	}
	if len(h.Serve) == 0 {
		h.Serve = app.serves()
	}
	return nil
}

var (
	_ caddy.Module                = (*API)(nil)
	_ caddy.Provisioner           = (*API)(nil)
	_ caddyhttp.MiddlewareHandler = (*API)(nil)
)

// gatewayServe is what the handler serves, in the gateway's words.
func (h *API) gatewayServe() api.Serve {
	return api.Serve{
		Keys:      slices.Contains(h.Serve, serveKeys),
		Sessions:  slices.Contains(h.Serve, scopeSessions),
		Directory: slices.Contains(h.Serve, scopeDirectory),
	}
}

// ServeHTTP answers one request, or passes it on.
func (h *API) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if h.Health != "" && r.URL.Path == h.Health && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		admin.WriteHealth(w, r, h.app.health(r.Context()).WithoutDetail())
		return nil
	}
	h.app.lease.requests.begin()
	defer h.app.lease.requests.end()
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
