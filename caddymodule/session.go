package caddymodule

import (
	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// Session says how long sessions live and what they are carried in.
type Session struct {
	// How long a new session lives if its maker names no duration. It does not
	// apply to the session of a bearer token at the proxy, which ends with its
	// token. Default: 60m.
	Duration caddy.Duration `json:"duration,omitempty"`

	// How long a session can live in all, however often it is extended, at most 366d.
	// Default: 30d, with compat 366d.
	MaxDuration caddy.Duration `json:"max_duration,omitempty"`

	// How long a session lives without a request. Default: 0, until its end.
	Idle caddy.Duration `json:"idle,omitempty"`

	// How long a session JWT of the session API is valid, at least 1s.
	// Default: 5m.
	JWTLifetime caddy.Duration `json:"jwt_lifetime,omitempty"`

	// For how long requests of one session share one injected JWT; 0 signs one
	// for each request. Default: 30s.
	ReuseFor *caddy.Duration `json:"reuse_for,omitempty"`

	// How many ordinary sessions a member has: one more ends the oldest. Those of
	// bearer tokens at the proxy do not count; a negative number is no limit.
	// Default: 200, with compat no limit.
	PerMember int `json:"per_member,omitempty"`

	// The cookie that carries the session token.
	Cookie *Cookie `json:"cookie,omitempty"`
}

// Cookie is the session cookie. It is always Secure, HttpOnly and of path /.
type Cookie struct {
	// The name. It begins with `__Host-`, or, with a domain, `__Secure-`, so that
	// no other host can set it. Default: __Host-session, or __Secure-session with
	// a domain.
	Name string `json:"name,omitempty"`

	// The SameSite attribute: `lax`, `strict` or `none`. With none the cookie is
	// also Partitioned. Default: lax.
	SameSite string `json:"same_site,omitempty"`

	// The Domain attribute: every host below it is sent the session.
	// Default: none, only the host that set it.
	Domain string `json:"domain,omitempty"`

	// Other origins, as https://app.example.com, whose pages may send the cookie with
	// requests that change something. Default: none, only pages of the request's own origin.
	TrustedOrigins []string `json:"trusted_origins,omitempty"`

	// Where a browser ends its session. Default: nowhere.
	Logout *Logout `json:"logout,omitempty"`
}

// Logout ends the session of the cookie that comes with a request.
type Logout struct {
	// The path, on every route with attest. A POST of the site's own pages ends the session,
	// and so does a link that a person follows there; else it is a page with a button.
	Path string `json:"path"`

	// Where the browser goes then: a path, or an http or https URL. Default: /.
	Then string `json:"then,omitempty"`
}

// logout is the line to the gateway.
func (c *Cookie) logout() proxy.Logout {
	if c.Logout == nil {
		return proxy.Logout{}
	}
	return proxy.Logout{Path: c.Logout.Path, Then: c.Logout.Then}
}

var sessionBlock = grammar.Block[Session]{Name: "session", Lines: []grammar.Line[Session]{
	grammar.Duration("duration", "<duration>", "of a session whose maker names none; default 60m",
		func(s *Session) *caddy.Duration { return &s.Duration }),
	grammar.Duration("max_duration", "<duration>", "of a session in all; default 30d, with compat 366d",
		func(s *Session) *caddy.Duration { return &s.MaxDuration }),
	grammar.Duration("idle", "<duration>", "how long it lives without a request; default until its end",
		func(s *Session) *caddy.Duration { return &s.Idle }),
	grammar.Duration("jwt_lifetime", "<duration>", "of a session JWT of the API; default 5m",
		func(s *Session) *caddy.Duration { return &s.JWTLifetime }),
	grammar.DurationOrZero("reuse_for", "<duration>", "how long requests share one injected JWT; default 30s, 0 signs each time",
		func(s *Session) **caddy.Duration { return &s.ReuseFor }),
	grammar.Custom("per_member", "<n> | off", "how many a member has, the oldest end; default 200, with compat off", readPerMember),
	grammar.SubText("cookie", "<name>", "of the session cookie; default __Host-session", cookieBlock,
		func(s *Session) **Cookie { return &s.Cookie }, func(c *Cookie) *string { return &c.Name }),
}}

var cookieBlock = grammar.Block[Cookie]{Name: "cookie", Lines: []grammar.Line[Cookie]{
	grammar.Choice("same_site", "lax|strict|none", "its SameSite; default lax", sameSites,
		func(c *Cookie) *string { return &c.SameSite }),
	grammar.Text("domain", "<domain>", "for every host below it; the name then begins with __Secure-",
		func(c *Cookie) *string { return &c.Domain }),
	grammar.Texts("trusted_origins", "<origin>...", "whose pages may send it with what changes something, beside the site's own",
		func(c *Cookie) *[]string { return &c.TrustedOrigins }),
	grammar.Custom("logout", "<path> [<then>]", "where a browser ends its session, and where it goes then; default /", readLogout),
}}

// readLogout reads `logout <path> [<then>]`.
func readLogout(r *grammar.Reader, c *Cookie) error {
	l, err := grammar.Once(r, &c.Logout)
	if err != nil {
		return err
	}
	l.Path, l.Then, err = r.OneOrTwo()
	return err
}

// readPerMember reads `per_member <n> | off`.
func readPerMember(r *grammar.Reader, s *Session) error {
	if s.PerMember != 0 {
		return r.Again()
	}
	text, err := r.Word()
	if err != nil {
		return err
	}
	if text == "off" {
		s.PerMember = -1
		return nil
	}
	s.PerMember, err = r.ParseNumber(text, 1)
	return err
}
