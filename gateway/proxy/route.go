package proxy

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"golang.org/x/net/http/httpguts"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// A Route is one place of a site: who is admitted, and where the upstream finds the
// JWT.
type Route struct {
	authn.Route

	// Off scrubs the request and admits nobody: it passes without an identity.
	Off bool

	// Forward names the header that carries the JWT. Default: Authorization with
	// the scheme Bearer.
	Forward Forward
}

// Forward is where the upstream finds the JWT.
type Forward struct {
	// Header is the header's name. Default: Authorization.
	Header string
	// Scheme stands before the JWT, with a space. Default: Bearer in Authorization,
	// none elsewhere.
	Scheme string
}

// WithDefaults fills in what is not set.
func (f Forward) WithDefaults() Forward {
	if f.Header == "" {
		f.Header = "Authorization"
	}
	f.Header = http.CanonicalHeaderKey(f.Header)
	if f.Header == "Authorization" && f.Scheme == "" {
		f.Scheme = "Bearer"
	}
	return f
}

// Check tells what is wrong with the header's name.
func (f Forward) Check() error {
	f = f.WithDefaults()
	if !httpguts.ValidHeaderFieldName(f.Header) {
		return fmt.Errorf("proxy: forward_jwt: %q is not a header name", f.Header)
	}
	if slices.Contains(unforwardable, f.Header) {
		return fmt.Errorf("proxy: forward_jwt: the header %s has a meaning of its own", f.Header)
	}
	return nil
}

// unforwardable are headers that proxies read, drop or rewrite on the way.
var unforwardable = []string{
	"Connection", "Content-Length", "Content-Type", "Cookie", "Host", "Keep-Alive", "Origin",
	"Proxy-Authorization", "Proxy-Connection", "Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
}

// set puts the JWT into h as the one value of the header.
func (f Forward) set(h http.Header, jwt string) {
	if f.Scheme != "" {
		jwt = f.Scheme + " " + jwt
	}
	h[f.Header] = []string{jwt}
}

// A compiledRoute has its defaults filled in and its names resolved.
type compiledRoute struct {
	core    *authn.CompiledRoute // nil where off
	off     bool
	forward Forward
	large   sync.Once // a large JWT is warned of once
}

// injectsAuthorization tells whether the JWT goes into Authorization.
func (r *compiledRoute) injectsAuthorization() bool {
	return !r.off && r.forward.Header == "Authorization"
}

func compile(core *authn.Authenticator, r *Route) (*compiledRoute, error) {
	if err := r.Forward.Check(); err != nil {
		return nil, err
	}
	c := &compiledRoute{off: r.Off, forward: r.Forward.WithDefaults()}
	if r.Off {
		return c, nil
	}
	var err error
	c.core, err = core.Compile(r.Route)
	return c, err
}
