package proxy

import (
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// A Route is one place of a site: who is admitted, and where the upstream finds the
// JWT.
type Route struct {
	authn.Route

	// Off scrubs the request and admits nobody: it passes without an identity.
	Off bool

	// Observe is Off, and computes and reports what would be decided about the request
	// if it was not.
	Observe bool

	// StrictPaths refuses also what may spell another segment of a path, as off, observed
	// and optional routes do. UnsafePaths lets every path pass. See web.CheckPath.
	StrictPaths, UnsafePaths bool

	// Preflight lets CORS preflights through, without identity.
	Preflight bool

	// Login is where a browser without a session is sent. Default: it is refused.
	Login Login

	// Forward names the header that carries the JWT. Default: Authorization with
	// the scheme Bearer.
	Forward Forward
}

// A compiledRoute has its defaults filled in and its names resolved.
type compiledRoute struct {
	core *authn.CompiledRoute // nil where off and not observed
	off  bool
	// How paths are judged.
	strict, unsafe bool
	login          Login
	preflight      bool
	observe        bool
	forward        Forward
	// injected are all that may be written, alone is that of the JWT.
	alone, injected []string
	large           sync.Once // a large JWT is warned of once
}

// injectsAuthorization tells whether the JWT goes into Authorization.
func (r *compiledRoute) injectsAuthorization() bool {
	return !r.off && r.forward.Header == "Authorization"
}

// Injected are the headers that the route may write.
func (r *Route) Injected() []string {
	var names []string
	if !r.Forward.None {
		names = append(names, r.Forward.WithDefaults().Header)
	}
	for _, c := range r.Copies {
		names = append(names, http.CanonicalHeaderKey(c.Header))
	}
	return names
}

// checkPaths refuses a request whose path may be read as another one.
func (r *compiledRoute) checkPaths(request *http.Request) error {
	if r.unsafe {
		return nil
	}
	if err := web.CheckPaths(request, r.strict); err != nil {
		return authn.Refuse("ambiguous_path", err)
	}
	return nil
}

// inject puts what the upstream is told into h, and answers the names.
func (r *compiledRoute) inject(h http.Header, d authn.Decision) []string {
	r.forward.set(h, d)
	if len(d.Copied) == 0 {
		return r.alone
	}
	names := slices.Clone(r.alone)
	for _, c := range d.Copied {
		name := http.CanonicalHeaderKey(c.Header)
		h[name], names = []string{c.Value}, append(names, name)
	}
	return names
}

func compile(core *authn.Authenticator, r *Route) (*compiledRoute, error) {
	if err := errors.Join(r.Forward.Check(), CheckCopies(r.Copies, r.Forward), r.Login.Check()); err != nil {
		return nil, err
	}
	c := &compiledRoute{strict: r.StrictPaths || r.Off || r.Observe || r.Optional, unsafe: r.UnsafePaths, login: r.Login, preflight: r.Preflight, off: r.Off || r.Observe, observe: r.Observe, forward: r.Forward.WithDefaults()}
	if r.Off {
		return c, nil
	}
	c.injected = r.Injected()
	if !r.Forward.None {
		c.alone = c.injected[:1:1]
	}
	var err error
	c.core, err = core.Compile(r.Route)
	return c, err
}
