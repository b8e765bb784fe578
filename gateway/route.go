package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/attestgate/caddy-attest/claims"
)

// A Route says who may pass at one place of a site, and what the upstream behind
// it is told. The zero value admits nobody.
type Route struct {
	// Profiles are the names of the profiles whose tokens, and whose sessions, are
	// good here. A session made by another profile is not.
	Profiles []string

	// Any accepts every configured profile instead of those named.
	Any bool

	// Off scrubs the request and admits nobody: it passes without an identity.
	Off bool

	// Optional lets a request without a credential through, scrubbed. A bad
	// credential is refused all the same.
	Optional bool

	// Audience is the aud of the JWT the upstream receives. By default, the issuer.
	Audience []string

	// Template names the claim template of the JWT. By default the template called
	// "default", where there is one.
	Template string

	// JWTLifetime is how long the injected JWT is good. Default: 60 s.
	JWTLifetime time.Duration

	// Forward names the header that carries the JWT. Default: Authorization with
	// the scheme Bearer.
	Forward Forward

	// SetCookie hands the session cookie to a browser that arrives with a trusted
	// token.
	SetCookie bool
}

// Forward is where the upstream finds the JWT.
type Forward struct {
	// Header is the header's name. Default: Authorization.
	Header string
	// Scheme stands before the JWT, with a space. Default: Bearer in Authorization,
	// none elsewhere.
	Scheme string
}

func (f Forward) withDefaults() Forward {
	if f.Header == "" {
		f.Header = "Authorization"
	}
	f.Header = http.CanonicalHeaderKey(f.Header)
	if f.Header == "Authorization" && f.Scheme == "" {
		f.Scheme = "Bearer"
	}
	return f
}

func (f Forward) check() error {
	if !httpguts.ValidHeaderFieldName(f.Header) {
		return fmt.Errorf("gateway: forward_jwt: %q is not a header name", f.Header)
	}
	if slices.Contains(unforwardable, f.Header) {
		return fmt.Errorf("gateway: forward_jwt: the header %s has a meaning of its own", f.Header)
	}
	return nil
}

// unforwardable are headers that proxies read, drop or rewrite on the way.
var unforwardable = []string{
	"Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Keep-Alive", "Origin",
	"Proxy-Authorization", "Proxy-Connection", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
}

// A route as the gateway uses it: defaults filled in, names resolved.
type route struct {
	Route
	profiles []string
	template *claims.Template
	audience []string
	lifetime time.Duration
}

// injectsAuthorization tells whether the JWT goes into Authorization.
func (r *route) injectsAuthorization() bool { return !r.Off && r.Forward.Header == "Authorization" }

var errNoProfile = errors.New("gateway: the route names no profile")
