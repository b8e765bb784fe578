package caddymodule

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/coverage"
	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

func init() {
	caddy.RegisterModule(new(Attest))
}

// Attest admits requests: it removes whatever a client could forge, finds the
// session behind the request's credential and hands the next handler a request
// that carries one short-lived JWT. Without a good credential it answers 401.
type Attest struct {
	// The profiles, by name, whose tokens and sessions are admitted here; at
	// least one of them must be able to stand first.
	// Default: the only profile there is; with several they must be named.
	Profiles []string `json:"profiles,omitempty"`

	// Admit by every profile there is. Default: false.
	Any bool `json:"any,omitempty"`

	// Admit nobody and refuse nobody: forged headers are removed, and that is
	// all. Default: false.
	Off bool `json:"off,omitempty"`

	// Let requests without a credential through, without identity. A bad
	// credential is refused all the same. Default: false.
	Optional bool `json:"optional,omitempty"`

	// What a session must have, all of them. Whoever lacks a factor that a profile of the
	// route can give, or a recent proof, is answered 401, whoever lacks anything else 403.
	// Not with optional. Default: nothing.
	Require []Requirement `json:"require,omitempty"`

	// The audiences of the JWT that the upstream receives. Placeholders of the
	// forms {env.NAME} and {file.PATH} are replaced. Default: the app's issuer.
	// With compat the project id always comes first.
	Audiences []string `json:"audiences,omitempty"`

	// The claim template of that JWT. Default: the one named default, if there is
	// one.
	Template string `json:"template,omitempty"`

	// How long that JWT is valid, at least 1s; never past the session's end.
	// Default: 60s.
	JWTLifetime caddy.Duration `json:"jwt_lifetime,omitempty"`

	// The header in which the upstream receives it.
	// Default: Authorization with the scheme Bearer.
	ForwardJWT *ForwardJWT `json:"forward_jwt,omitempty"`

	// `pass`: let CORS preflights through, without identity, for the app to answer. Default:
	// they are requests like any other.
	Preflight string `json:"preflight,omitempty"`

	// Where a person without a session is sent who goes to a page; whatever else has none is
	// answered 401. Default: nowhere.
	Login *RouteLogin `json:"login,omitempty"`

	// Claims that the upstream receives in headers of their own. What a client sends under
	// those names is removed on every path. Default: none.
	CopyClaims []CopyClaim `json:"copy_claims,omitempty"`

	// Hand the session cookie to a browser that arrives with a trusted token.
	// Default: false.
	SetCookie bool `json:"set_cookie,omitempty"`

	// `pass`: take paths that another server may read as other paths, such as those with dot
	// segments. Default: they are refused with 400.
	UnsafePaths string `json:"unsafe_paths,omitempty"`

	// Admit and refuse nobody, as off does, and record what would be decided with the rest
	// of this configuration: metrics count would_admit and would_refuse, the log says
	// why. Nothing is injected and nothing stored. Default: false.
	Observe bool `json:"observe,omitempty"`

	// Where a Caddyfile says this, for errors about the whole configuration; the
	// adapter writes it. Default: unknown.
	Source string `json:"source,omitempty"`

	app   *App
	route *proxy.Route
	// elsewhere tells that another proxy knows what the route leads to.
	elsewhere bool
}

// ForwardJWT names the header in which the upstream receives the gateway's JWT.
// What a client sends under that name is removed on every path.
type ForwardJWT struct {
	// The header: letters, digits and -. Default: Authorization.
	Header string `json:"header,omitempty"`

	// The word before the JWT. Default: Bearer for Authorization, none for any
	// other header.
	Scheme string `json:"scheme,omitempty"`

	// Keep the JWT from the upstream, which receives the headers of copy_claims alone.
	// Default: false.
	None bool `json:"none,omitempty"`

	// Its kind: `JWT`, or `at+jwt`, an access token (RFC 9068) with a jti, and as client_id
	// the trusted token's azp, client_id or cid, else the project id, else the profile.
	// Default: JWT.
	Typ string `json:"typ,omitempty"`

	// The scope of an access token. Default: none.
	Scope string `json:"scope,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*Attest) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.attest",
		New: func() caddy.Module { return new(Attest) },
	}
}

// Provision joins the route to the app and checks the one against the other.
func (h *Attest) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if app == nil {
		return err
	}
	h.app = app
	err = provision(func(c *checker) { c.route(attestPlace, h, app) }, h.replacing(attestPlace))
	if err != nil {
		return withSource(err, h.Source)
	}
	h.join(ctx)
	return nil
}

// replacing replaces the placeholders of a route.
func (h *Attest) replacing(at grammar.Place) func(*grammar.Replacer) {
	return func(r *grammar.Replacer) { r.Texts(at.At("audience"), h.Audiences) }
}

// join makes the route one of the app's.
func (h *Attest) join(ctx caddy.Context) {
	app := h.app
	if h.Observe {
		ctx.Logger().Warn("this attest only observes: requests go through without identity, as with `attest off`", zap.String("source", h.Source))
	}
	h.route = h.gatewayRoute()
	app.names.Add(h.route.Injected()...)
	app.routes, app.handlers = append(app.routes, h.route), append(app.handlers, h)
}

// Guards tells what the route means for an upstream behind it: see
// [coverage.Guard].
func (h *Attest) Guards() (admits bool, source string) { return !h.Off && !h.Observe, h.Source }

// appOf is the app of the configuration that a handler belongs to. It is nil without
// an error if the app does not load: Caddy tells that by itself and serves nothing, and
// from here it would come with the name of every handler on the way.
func appOf(ctx caddy.Context) (*App, error) {
	mod, err := ctx.AppIfConfigured("attest")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errors.New(noApp)
	}
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	return mod.(*App), nil
}

// noApp is what a route without a gateway is told.
const noApp = "there is no global attest block that says whom to trust"

var (
	_ caddy.Module                = (*Attest)(nil)
	_ caddy.Provisioner           = (*Attest)(nil)
	_ caddyhttp.MiddlewareHandler = (*Attest)(nil)
	_ coverage.Guard              = (*Attest)(nil)
)
