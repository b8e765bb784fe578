package caddymodule

import (
	"net/textproto"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
)

// readAttestDirective reads the attest directive of a site, and checks it
// against the global attest block, which Caddy has read by then.
func readAttestDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Attest)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if h.IsNamedRoute() {
		return nil, r.locate(&problem{where: attestPlace, text: namedRoute})
	}
	handler.Source = r.source()
	app, err := globalApp(h)
	if err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.route(handler, app) }); p != nil {
		return nil, r.locate(p)
	}
	return handler, nil
}

// namedRoute is what an attest in a named route is told. Caddy 2.11 keeps only the
// first handler of such a route, so that an attest after another directive would
// vanish, and with it the protection of whatever invokes the route.
const namedRoute = "it cannot stand in a named route, of which Caddy may keep only the first directive; use a snippet and 'import'"

// UnmarshalCaddyfile reads the attest directive.
//
//	attest [<profile>... | any | off] {
//		optional
//		audience <aud>...
//		template <name>
//		jwt_lifetime <duration>
//		forward_jwt authorization | <Header> [<scheme>]
//		set_cookie
//	}
func (h *Attest) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *Attest) read(d *caddyfile.Dispenser) (*reader, error) {
	r := newReader(d, attestPlace, attestArgs)
	if err := readRouteProfiles(r, h); err != nil {
		return nil, err
	}
	return r, attestBlock.read(r, h)
}

const attestArgs = "[<profile>... | any | off]"

var attestPlace = where{"attest"}

var attestBlock = grammar[Attest]{name: "attest", words: []word[Attest]{
	{
		name: "optional",
		help: "requests without a credential go through, without identity",
		read: func(r *reader, h *Attest) error { return r.flag(&h.Optional) },
	},
	{
		name: "audience", args: "<aud>...",
		help: "aud of the JWT for the upstream; default the gateway's issuer",
		read: func(r *reader, h *Attest) error { return r.texts(&h.Audiences) },
	},
	{
		name: "template", args: "<name>",
		help: "its claims; default the template called default",
		read: func(r *reader, h *Attest) error { return r.text(&h.Template) },
	},
	{
		name: "jwt_lifetime", args: "<duration>",
		help: "default 60s",
		read: func(r *reader, h *Attest) error { return r.duration(&h.JWTLifetime) },
	},
	{
		name: "forward_jwt", args: "authorization | <Header> [<scheme>]",
		help: "where the upstream receives it; default authorization (Bearer)",
		read: readForwardJWT,
	},
	{
		name: "set_cookie",
		help: "hand the session cookie to browsers that arrive with a trusted token",
		read: func(r *reader, h *Attest) error { return r.flag(&h.SetCookie) },
	},
}}

// readRouteProfiles reads `[<profile>... | any | off]`.
func readRouteProfiles(r *reader, h *Attest) error {
	args := r.RemainingArgs()
	if slices.Contains(args, "") {
		return r.wrong()
	}
	for _, arg := range args {
		switch arg {
		case "any":
			h.Any = true
		case "off":
			h.Off = true
		default:
			h.Profiles = append(h.Profiles, arg)
		}
	}
	if (h.Any || h.Off) && len(args) > 1 {
		return r.wrong()
	}
	return nil
}

// readForwardJWT reads `forward_jwt authorization | <Header> [<scheme>]`.
func readForwardJWT(r *reader, h *Attest) error {
	f, err := once(r, &h.ForwardJWT)
	if err != nil {
		return err
	}
	args, err := r.args(1)
	if err != nil {
		return err
	}
	if len(args) > 2 {
		return r.wrong()
	}
	f.Header = args[0]
	if strings.EqualFold(f.Header, "authorization") {
		f.Header = textproto.CanonicalMIMEHeaderKey(f.Header)
	}
	if len(args) == 2 {
		f.Scheme = args[1]
	}
	return nil
}

var _ caddyfile.Unmarshaler = (*Attest)(nil)
