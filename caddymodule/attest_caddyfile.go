package caddymodule

import (
	"net/textproto"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// readAttestDirective reads the attest directive of a site, and checks it
// against the global attest block, which Caddy has read by then.
func readAttestDirective(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Attest)
	r, err := handler.read(h.Dispenser)
	if err != nil {
		return nil, err
	}
	if inNamedRoute(h) {
		return nil, r.Locate(&grammar.Problem{Place: attestPlace, Text: namedRoute})
	}
	handler.Source = r.Source(nil)
	app, err := globalApp(h)
	if err != nil {
		return nil, err
	}
	if p := firstProblem(false, func(c *checker) { c.route(attestPlace, handler, app) }); p != nil {
		return nil, r.Locate(p)
	}
	return handler, nil
}

// namedRoute is what an attest or attest_api in a named route is told. Caddy 2.11 keeps
// only the first handler of such a route, so that one after another directive would
// vanish, and with it the protection of whatever invokes the route.
const namedRoute = "it cannot stand in a named route, of which Caddy may keep only the first directive; use a snippet and 'import'"

// UnmarshalCaddyfile reads the attest directive.
//
//	attest [<profile>... | any | off] {
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
func (h *Attest) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	_, err := h.read(d)
	return err
}

// read is UnmarshalCaddyfile that answers what it read where.
func (h *Attest) read(d *caddyfile.Dispenser) (*grammar.Reader, error) {
	r := grammar.NewReader(d, attestPlace, attestArgs)
	if err := readRouteProfiles(r, h); err != nil {
		return nil, err
	}
	return r, attestBlock.Read(r, h)
}

const attestArgs = "[<profile>... | any | off]"

// pathsPass is the one value of Attest.UnsafePaths.
const pathsPass = "pass"

// preflightPass is that of Attest.Preflight.
const preflightPass = "pass"

var attestPlace = grammar.Place{"attest"}

var attestBlock = grammar.Block[Attest]{Name: "attest", Lines: []grammar.Line[Attest]{
	grammar.Flag("optional", "requests without a credential go through, without identity",
		func(h *Attest) *bool { return &h.Optional }),
	grammar.Custom("require", requirementArgs, "what a session must have: one of them, and something of every line", readRequire),
	grammar.Texts("audience", "<aud>...", "aud of the JWT for the upstream; default the gateway's issuer",
		func(h *Attest) *[]string { return &h.Audiences }),
	grammar.Text("template", "<name>", "its claims; default the template called default",
		func(h *Attest) *string { return &h.Template }),
	grammar.Duration("jwt_lifetime", "<duration>", "how long that JWT is good; default 60s",
		func(h *Attest) *caddy.Duration { return &h.JWTLifetime }),
	{Name: "forward_jwt", Args: "authorization | none | <Header> [<scheme>]", Help: "where the upstream receives it; default authorization (Bearer)", Block: forwardBlock, Read: readForwardJWT},
	grammar.Choice("preflight", "pass", "CORS preflights go through, without identity", []string{preflightPass},
		func(h *Attest) *string { return &h.Preflight }),
	grammar.Custom("login", "<url> [<origin>]", "where a person without a session is sent, with return_to", readLogin),
	grammar.Custom("copy_claims", "<claim>><Header>... [text|csv|json|base64url]", "claims of that JWT, or of member, organization or session, in headers of their own", readCopyClaims),
	grammar.Flag("set_cookie", "hand the session cookie to browsers that arrive with a trusted token",
		func(h *Attest) *bool { return &h.SetCookie }),
	grammar.Choice("unsafe_paths", "pass", "take paths that other servers may read as other paths", []string{pathsPass},
		func(h *Attest) *string { return &h.UnsafePaths }),
	grammar.Flag("observe", "admit and refuse nobody, as off, and record what would be decided",
		func(h *Attest) *bool { return &h.Observe }),
}}

// typAccessToken is the second of forwardTypes.
const typAccessToken = "at+jwt"

var forwardTypes = []string{"JWT", typAccessToken}

var forwardBlock = grammar.Block[ForwardJWT]{Name: "forward_jwt", Lines: []grammar.Line[ForwardJWT]{
	grammar.Choice("typ", "JWT|at+jwt", "its kind; at+jwt is an access token (RFC 9068)", forwardTypes,
		func(f *ForwardJWT) *string { return &f.Typ }),
	grammar.Text("scope", "<text>", "of an access token",
		func(f *ForwardJWT) *string { return &f.Scope }),
}}

// readRouteProfiles reads `[<profile>... | any | off]`.
func readRouteProfiles(r *grammar.Reader, h *Attest) error {
	args := r.RemainingArgs()
	if slices.Contains(args, "") {
		return r.Wrong()
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
		return r.Wrong()
	}
	return nil
}

// readForwardJWT reads `forward_jwt authorization | none | <Header> [<scheme>]` and its block.
func readForwardJWT(r *grammar.Reader, h *Attest) error {
	f, err := grammar.Once(r, &h.ForwardJWT)
	if err != nil {
		return err
	}
	args, err := r.Args(1)
	switch {
	case err != nil:
		return err
	case len(args) > 2, args[0] == "none" && len(args) > 1:
		return r.Wrong()
	case args[0] == "none":
		f.None = true
		return forwardBlock.Read(r, f)
	}
	f.Header = args[0]
	if strings.EqualFold(f.Header, "authorization") {
		f.Header = textproto.CanonicalMIMEHeaderKey(f.Header)
	}
	if len(args) == 2 {
		f.Scheme = args[1]
	}
	return forwardBlock.Read(r, f)
}

var _ caddyfile.Unmarshaler = (*Attest)(nil)
