package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/verify"
)

// readVerifyDirective reads the attest_verify directive of a site, and checks it against
// the global attest block.
func readVerifyDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Verify)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if inNamedRoute(h) {
		return nil, r.Locate(&grammar.Problem{Place: verifyPlace, Text: namedRoute})
	}
	handler.Source = r.Source(nil)
	app, err := globalApp(h)
	if err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.verify(handler, app) }); p != nil {
		return nil, r.Locate(p)
	}
	return handler, nil
}

// UnmarshalCaddyfile reads the attest_verify directive.
//
//	attest_verify [<profile>... | any] {
//		for nginx | traefik | caddy | haproxy | envoy
//		hosts <name>...
//		optional
//		require role <role>... | factor <type>... [within <duration>] | fresh <duration> | organization <id>... | claim <path>=<value>... | expression <CEL>
//		audience <aud>...
//		template <name>
//		jwt_lifetime <duration>
//		forward_jwt authorization | none | <Header> [<scheme>] {
//			typ JWT|at+jwt
//			scope <text>
//		}
//		preflight pass
//		login <url> [<origin>]
//		copy_claims <claim>><Header>... [text|csv|json|base64url]
//		set_cookie
//		unsafe_paths pass
//		observe
//	}
func (h *Verify) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *Verify) read(d *caddyfile.Dispenser) (*grammar.Reader, error) {
	r := grammar.NewReader(d, verifyPlace, verifyArgs)
	if err := readRouteProfiles(r, &h.Route); err != nil {
		return nil, err
	}
	if h.Route.Off {
		return nil, r.Errf("attest_verify decides for another proxy, and 'off' decides nothing; expected %s", verifyArgs)
	}
	return r, verifyBlock.Read(r, h)
}

const verifyArgs = "[<profile>... | any]"

var verifyPlace = grammar.Place{"attest_verify"}

var verifyBlock = grammar.Block[Verify]{Name: "attest_verify", Lines: append([]grammar.Line[Verify]{
	grammar.Choice("for", "nginx | traefik | caddy | haproxy | envoy", "the kind of proxy that asks, and with it the headers that say which request it asks about", verify.Families(),
		func(h *Verify) *string { return &h.For }),
	grammar.Texts("hosts", "<name>...", "hosts that may be asked about, beside that of the question",
		func(h *Verify) *[]string { return &h.Hosts }),
}, grammar.Within(attestBlock, func(h *Verify) *Attest { return &h.Route })...)}

// verify checks an attest_verify handler against the app.
func (c *checker) verify(h *Verify, a *App) {
	c.core(verifyPlace, verify.Config{For: h.For, Hosts: h.Hosts}.Check())
	c.Unique(verifyPlace.At("hosts"), h.Hosts)
	if h.Route.Off {
		c.Refuse(verifyPlace, "it decides for another proxy, and 'off' decides nothing")
	}
	if h.Route.Preflight != "" {
		c.Refuse(verifyPlace.At("preflight"), "another proxy does not say whether a preflight has a body; let preflights through there")
	}
	c.verifyPlaces(&h.Route, a)
	c.route(verifyPlace, &h.Route, a)
}

// verifyPlaces refuses profiles whose tokens another proxy would hand on.
func (c *checker) verifyPlaces(h *Attest, a *App) {
	for name, p := range sorted(a.Profiles) {
		named := slices.Contains(h.Profiles, name) || len(h.Profiles) == 0
		if f := p.TokenFrom; named && f != nil && f.place().Navigated() {
			c.Refuse(verifyPlace, "profile %s reads its tokens from %s, which another proxy would hand on to the app: it sends the address and the body itself", name, f.place())
		}
	}
}

var _ caddyfile.Unmarshaler = (*Verify)(nil)
