package caddymodule

import (
	"regexp"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// readDeskDirective reads the attest_desk directive of a site.
func readDeskDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Desk)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if inNamedRoute(h) {
		return nil, r.Locate(&grammar.Problem{Place: deskPlace, Text: namedRoute})
	}
	if _, err := globalApp(h); err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.desk(handler) }); p != nil {
		return nil, r.Locate(p)
	}
	return handler, nil
}

// UnmarshalCaddyfile reads the attest_desk directive.
//
//	attest_desk {
//		write
//		hosts <name>...
//	}
func (h *Desk) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *Desk) read(d *caddyfile.Dispenser) (*grammar.Reader, error) {
	r := grammar.NewReader(d, deskPlace, "")
	if r.NextArg() {
		return nil, r.Errf("attest_desk takes only a block")
	}
	return r, deskBlock.Read(r, h)
}

var deskPlace = grammar.Place{"attest_desk"}

var deskBlock = grammar.Block[Desk]{Name: "attest_desk", Lines: []grammar.Line[Desk]{
	grammar.Flag("write", "let the page end sessions; default it only looks",
		func(h *Desk) *bool { return &h.Write }),
	grammar.Texts("hosts", "<name>...", "names under which it answers, beside loopback ones",
		func(h *Desk) *[]string { return &h.Hosts }),
}}

var hostForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)

// desk checks an attest_desk handler.
func (c *checker) desk(h *Desk) {
	at := deskPlace.At("hosts")
	for _, name := range h.Hosts {
		if !hostForm.MatchString(name) {
			c.Refuse(at.At(name), "expected a host name in lower case, without port")
		}
	}
	c.Unique(at, h.Hosts)
}

var _ caddyfile.Unmarshaler = (*Desk)(nil)
