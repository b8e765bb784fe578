package caddymodule

import (
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// readAPIDirective reads the attest_api directive of a site, and checks it
// against the global attest block, which Caddy has read by then.
func readAPIDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(API)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if inNamedRoute(h) {
		return nil, r.Locate(&grammar.Problem{Place: apiPlace, Text: namedRoute})
	}
	app, err := globalApp(h)
	if err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.api(handler, app) }); p != nil {
		return nil, r.Locate(p)
	}
	return handler, nil
}

// UnmarshalCaddyfile reads the attest_api directive.
//
//	attest_api {
//		serve keys|sessions|directory...
//		health <path>
//	}
func (h *API) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *API) read(d *caddyfile.Dispenser) (*grammar.Reader, error) {
	r := grammar.NewReader(d, apiPlace, "")
	if r.NextArg() {
		return nil, r.Errf("attest_api takes only a block")
	}
	return r, apiBlock.Read(r, h)
}

var apiPlace = grammar.Place{"attest_api"}

var apiBlock = grammar.Block[API]{Name: "attest_api", Lines: []grammar.Line[API]{
	grammar.Choices("serve", "keys|sessions|directory...", "what it answers; default keys, and what the project's secrets open", parts,
		func(h *API) *[]string { return &h.Serve }),
	grammar.Text("health", "<path>", "answers whether the gateway serves, to anyone; ?strict fails for what is degraded",
		func(h *API) *string { return &h.Health }),
}}

var _ caddyfile.Unmarshaler = (*API)(nil)

// api checks an attest_api handler against the app.
func (c *checker) api(h *API, a *App) {
	at := apiPlace.At("serve")
	c.Choices(at, h.Serve, parts...)
	for _, part := range h.Serve {
		if part != serveKeys && !a.callersMay(part) {
			c.Refuse(at.At(part), "no secret of a project in the global attest block opens it")
		}
	}
	if h.Health != "" && (!strings.HasPrefix(h.Health, "/") || strings.ContainsAny(h.Health, "*?#{}")) {
		c.Refuse(apiPlace.At("health"), "expected a path that begins with /, without wildcards, query and placeholders")
	}
}

// callersMay tells whether any secret of the project opens the part.
func (a *App) callersMay(part string) bool {
	return a.Project != nil && slices.ContainsFunc(a.Project.Secrets, func(s ProjectSecret) bool { return s.allows(part) })
}
