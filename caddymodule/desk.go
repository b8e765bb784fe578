package caddymodule

import (
	"fmt"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/gateway/desk"
)

func init() {
	caddy.RegisterModule(new(Desk))
}

// Desk serves the operator's page: refusals as they come, why a token is refused,
// templates, sessions, and whom the gateway trusts. It works with `admin off`.
//
// The page has no sign-in of its own, so that it loads only on a server all of whose
// listeners are loopback addresses or Unix sockets.
type Desk struct {
	// Let the page end sessions. Default: it only looks.
	Write bool `json:"write,omitempty"`

	// The host names under which the page answers, without port, beside loopback names
	// and addresses: a name of another site that points here reaches nothing.
	// Default: none.
	Hosts []string `json:"hosts,omitempty"`

	app  *App
	page http.Handler
}

// CaddyModule returns the Caddy module information.
func (*Desk) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.attest_desk",
		New: func() caddy.Module { return new(Desk) },
	}
}

// Provision joins the handler to the app, and looks at the server's listeners.
func (h *Desk) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if app == nil {
		return err
	}
	h.app = app
	if err := check(true, func(c *checker) { c.desk(h) }); err != nil {
		return err
	}
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok {
		return fmt.Errorf("attest_desk: the server is not known")
	}
	if err := onlyLoopback(server.Listen); err != nil {
		return err
	}
	h.page = desk.New(desk.Config{Admin: http.HandlerFunc(h.serveAdmin), Hosts: h.Hosts})
	return nil
}

// onlyLoopback refuses listeners that other machines may reach.
func onlyLoopback(listen []string) error {
	for _, text := range listen {
		address, err := caddy.ParseNetworkAddress(text)
		if err != nil {
			return fmt.Errorf("listener %s: %w", text, err)
		}
		if !isLoopback(address) {
			return fmt.Errorf("attest_desk has no sign-in, so that every listener of its server must be loopback or a Unix socket, and %s is not; write `bind 127.0.0.1` in its site", text)
		}
	}
	return nil
}

// serveAdmin answers what the page asks, of the gateway that is open now.
func (h *Desk) serveAdmin(w http.ResponseWriter, r *http.Request) {
	operators := h.app.admin.Load()
	switch {
	case operators == nil:
		http.Error(w, errNotOpen.Error(), http.StatusServiceUnavailable)
	case h.Write:
		operators.Handler().ServeHTTP(w, r)
	default:
		operators.ReadOnlyHandler().ServeHTTP(w, r)
	}
}

// ServeHTTP answers every request.
func (h *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	h.app.lease.requests.begin()
	defer h.app.lease.requests.end()
	h.page.ServeHTTP(w, r)
	return nil
}

var (
	_ caddy.Module                = (*Desk)(nil)
	_ caddy.Provisioner           = (*Desk)(nil)
	_ caddyhttp.MiddlewareHandler = (*Desk)(nil)
)
