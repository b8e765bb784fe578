package caddymodule

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// readAPIDirective reads the attest_api directive of a site, and checks it
// against the global attest block, which Caddy has read by then.
func readAPIDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(API)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	app, err := globalApp(h)
	if err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.api(handler, app) }); p != nil {
		return nil, r.locate(p)
	}
	return handler, nil
}

// UnmarshalCaddyfile reads the attest_api directive.
//
//	attest_api {
//		serve keys|sessions|directory...
//	}
func (h *API) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *API) read(d *caddyfile.Dispenser) (*reader, error) {
	r := newReader(d, apiPlace, "")
	if r.NextArg() {
		return nil, r.Errf("attest_api takes only a block")
	}
	return r, apiBlock.read(r, h)
}

var apiPlace = where{"attest_api"}

var apiBlock = grammar[API]{name: "attest_api", words: []word[API]{
	{
		name: "serve", args: "keys|sessions|directory...",
		help: "default keys, and what the project's secrets open",
		read: func(r *reader, h *API) error { return r.choices(&h.Serve, parts...) },
	},
}}

var _ caddyfile.Unmarshaler = (*API)(nil)
