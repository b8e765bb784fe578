package gateway

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/api"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/web"
	"github.com/attestgate/caddy-attest/store"
)

// Config is what a Gateway is made of: what decisions are made by, and what belongs
// to one door alone.
type Config struct {
	Core authn.Config

	// Cookie is how browsers keep the session token. Default: __Host-session.
	Cookie web.Cookie
	// Logout ends the sessions of that cookie. Default: there is none.
	Logout proxy.Logout
	// Routes are all routes that will be asked for. Every header that one of them
	// injects is scrubbed on all of them.
	Routes []*proxy.Route
	// ConsumerOrganization is the id of the organization whose members the consumer
	// endpoints (/v1/sessions/…) call users. Default: they are not served. It has
	// no effect without Core.Compat.
	ConsumerOrganization string
	// ClientIP answers the address of the client of a request, for logs and audit
	// records. Default: the peer's.
	ClientIP func(*http.Request) string
}

// A Gateway is the core with its doors. It is safe for concurrent use. Its zero
// value is not usable; see [New].
type Gateway struct {
	// Core decides; what it changes holds for every door at once.
	Core *authn.Authenticator
	// Proxy is the door for proxied requests.
	Proxy *proxy.Proxy

	options api.Options
}

// New checks the configuration, resolves what routes name and fills in defaults.
// Every error names the route's option or the profile.
func New(c Config) (*Gateway, error) {
	core, err := authn.New(c.Core)
	if err != nil {
		return nil, err
	}
	door, err := proxy.New(proxy.Config{Core: core, Cookie: c.Cookie, Logout: c.Logout, Routes: c.Routes, ClientIP: c.ClientIP})
	if err != nil {
		return nil, err
	}
	return &Gateway{core, door, api.Options{ConsumerOrganization: c.ConsumerOrganization, ClientIP: c.ClientIP}}, nil
}

// Handler admits or refuses requests on their way to next; see [proxy.Proxy.Handler].
func (g *Gateway) Handler(route *proxy.Route, next http.Handler) http.Handler {
	return g.Proxy.Handler(route, next)
}

// API makes the handler of the parts of the session API that are named. Without a
// project nobody may call it, so it then answers for keys alone, whatever is named.
func (g *Gateway) API(serve api.Serve) *api.API { return api.New(g.Core, serve, g.options) }

// Run follows what the store reports of changes made elsewhere, until ctx ends; see
// [authn.Authenticator.Run].
func (g *Gateway) Run(ctx context.Context, w store.Watcher) error { return g.Core.Run(ctx, w) }
