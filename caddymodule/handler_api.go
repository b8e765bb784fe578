package caddymodule

import (
	"sync"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

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
	if err != nil {
		return err
	}
	h.app = app
	if err := check(true, func(c *checker) { c.api(h, app) }); err != nil {
		return err
	}
	h.setDefaults(app)
	return nil
}

var (
	_ caddy.Module                = (*API)(nil)
	_ caddy.Provisioner           = (*API)(nil)
	_ caddyhttp.MiddlewareHandler = (*API)(nil)
)
