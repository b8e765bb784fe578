package caddymodule

import (
	"errors"
	"net/http"
	"reflect"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/verify"
	"github.com/attestgate/caddy-attest/gateway/web"
)

func init() {
	caddy.RegisterModule(new(Verify))
}

// Verify answers another proxy's question: may this request pass, and with which headers?
// It decides as attest does about the same request, and serves nothing.
//
// The server needs `trusted_proxies`: what a proxy says of a request counts only from those.
type Verify struct {
	// The kind of proxy that asks: nginx (auth_request), traefik and caddy (forward auth),
	// haproxy, envoy (ext_authz over HTTP). It decides which headers say which request is
	// asked about; each must be there once. Required.
	For string `json:"for,omitempty"`

	// The hosts that may be asked about, in lower case without port, beside the one that the
	// question is sent to. Default: none.
	Hosts []string `json:"hosts,omitempty"`

	// Who is admitted, and what is told of them. Not off, nor preflight.
	Route Attest `json:"route,omitzero"`

	// Where a Caddyfile says this, for errors about the whole configuration; the adapter
	// writes it. Default: unknown.
	Source string `json:"source,omitempty"`

	app  *App
	door *verify.Door
}

// CaddyModule returns the Caddy module information.
func (*Verify) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.handlers.attest_verify",
		New: func() caddy.Module { return new(Verify) },
	}
}

// Provision joins the route to the app, and asks for trusted proxies.
func (h *Verify) Provision(ctx caddy.Context) error {
	app, err := appOf(ctx)
	if app == nil {
		return err
	}
	h.app, h.Route.app, h.Route.Source, h.Route.elsewhere = app, app, h.Source, true
	err = provision(func(c *checker) { c.verify(h, app) }, h.Route.replacing(verifyPlace))
	if err == nil {
		err = trustsProxies(ctx)
	}
	if err != nil {
		return withSource(err, h.Source)
	}
	h.Route.join(ctx)
	names := h.Route.route.Injected()
	for _, place := range app.places() {
		if place.Header != "" {
			names = append(names, place.Header)
		}
	}
	h.door = verify.New(verify.Config{For: h.For, Hosts: h.Hosts, Headers: names, Trusted: fromTrustedProxy})
	h.tell(ctx)
	return nil
}

// tell says what is for the operator to see to.
func (h *Verify) tell(ctx caddy.Context) {
	taken, removed := h.door.Replaced()
	ctx.Logger().Info("the proxy in front must replace these request headers by those of the answer, removing what has none there, and remove the others",
		zap.Strings("replace", taken), zap.Strings("remove", removed), zap.String("for", h.For))
	if server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server); ok && server.Logs != nil {
		ctx.Logger().Warn("the answers of attest_verify hold JWTs: write the access log of its server with `format attest`", zap.String("source", h.Source))
	}
}

// trustsProxies refuses a server on which nobody may ask.
func trustsProxies(ctx caddy.Context) error {
	server, ok := ctx.Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	if !ok || !server.TrustedProxiesUnix && !hasTrustedProxies(server) {
		return errors.New("attest_verify: the server has no trusted_proxies, so that nobody may ask; name the proxy in front in the global options: servers { trusted_proxies static <range> }")
	}
	return nil
}

// hasTrustedProxies looks at what Caddy has made of trusted_proxies, which it does not
// export; the text is gone when handlers are provisioned. Where that cannot be seen, it is
// told by each request that is refused.
func hasTrustedProxies(server *caddyhttp.Server) bool {
	field := reflect.ValueOf(server).Elem().FieldByName("trustedProxies")
	return field.Kind() != reflect.Interface || !field.IsNil()
}

func fromTrustedProxy(r *http.Request) bool {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted
}

var errBehindAttest = errors.New("attest_verify stands behind an attest, which has judged the question instead of the request that it is about")

// ServeHTTP answers one question.
func (h *Verify) ServeHTTP(w http.ResponseWriter, r *http.Request, _ caddyhttp.Handler) error {
	h.app.lease.requests.begin()
	defer h.app.lease.requests.end()
	g, err := h.app.gate.pass(r.Context())
	if err != nil {
		return h.refuse(w, r, r, authn.Refuse("service_unavailable", err), web.Announce)
	}
	if proxy.Admitted(r) {
		return h.refuse(w, r, r, authn.Refuse("internal_server_error", errBehindAttest), web.Announce)
	}
	about, err := h.door.Request(r)
	if err != nil {
		return h.refuse(w, r, r, authn.RefusalOf(err), web.Announce)
	}
	sent := about.Header.Clone()
	a, err := g.Proxy.Admit(about, h.Route.route)
	if err != nil {
		return h.answer(w, r, about, authn.RefusalOf(err), g.Proxy)
	}
	granted := make(http.Header)
	if err := h.door.Grant(granted, sent, about.Header); err != nil {
		return h.refuse(w, r, about, authn.RefusalOf(err), web.Announce)
	}
	publish(a)
	traceAdmission(a)
	return a.Forward(w, func(w http.ResponseWriter, _ *http.Request) error {
		for name, lines := range granted {
			w.Header()[name] = lines
		}
		w.WriteHeader(http.StatusOK)
		return nil
	})
}

// answer sends a browser to the login, or refuses.
func (h *Verify) answer(w http.ResponseWriter, r, about *http.Request, refused *authn.Refusal, p *proxy.Proxy) error {
	if refused.Location == "" {
		return h.refuse(w, r, about, refused, p.Announce)
	}
	status := h.door.Status(http.StatusFound)
	sendToLogin(statusWriter{w, h.door, status}, about, refused, status, p)
	return nil
}

// refuse answers the question r, which was about another request, through Caddy's error
// routes. They are upstreams too.
func (h *Verify) refuse(w http.ResponseWriter, r, about *http.Request, refused *authn.Refusal, announce func(http.Header, *authn.Refusal, int, string)) error {
	if r == about {
		about = r.Clone(r.Context())
	}
	h.app.scrub(r)
	return h.app.refuse(w, about, refused, h.door.Status(proxy.Status(refused.Kind)), func(header http.Header, refused *authn.Refusal, status int, id string) {
		announce(header, refused, status, id)
		h.door.Finish(header)
	})
}

// A statusWriter answers with its own status.
type statusWriter struct {
	http.ResponseWriter
	door   *verify.Door
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w statusWriter) WriteHeader(int) {
	w.door.Finish(w.Header())
	w.ResponseWriter.WriteHeader(w.status)
}

var (
	_ caddy.Module                = (*Verify)(nil)
	_ caddy.Provisioner           = (*Verify)(nil)
	_ caddyhttp.MiddlewareHandler = (*Verify)(nil)
)
