package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/gateway/web"
)

// P-02: a path that another server reads as another one reaches no app, with a good
// credential either; what only may be another is refused where less is asked for.
func TestAmbiguousPaths(t *testing.T) {
	acme := authn.Route{Profiles: []string{"acme"}}
	protected, strict := &proxy.Route{Route: acme}, &proxy.Route{Route: acme, StrictPaths: true}
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}
	off, observed := &proxy.Route{Off: true}, &proxy.Route{Route: acme, Observe: true}
	unsafe, unsafeOff := &proxy.Route{Route: acme, UnsafePaths: true}, &proxy.Route{Off: true, UnsafePaths: true}
	w := newWorld(t, routes(protected, strict, optional, off, observed, unsafe, unsafeOff))
	token := w.token("acme", nil)
	for path, c := range map[string]struct{ lax, strict bool }{
		"/x/..;/admin": {false, false}, "/x/%252e%252e/admin": {false, false}, "/x/..%5cadmin": {false, false}, "/./admin": {false, false},
		"/@scope%2fname": {true, false}, "/admin;x": {true, false}, "/admin.": {true, false}, "/admin%00": {true, false},
		"/a": {true, true}, "/.well-known/x": {true, true}, "/a%20b": {true, true},
	} {
		for name, route := range map[string]struct {
			route *proxy.Route
			pass  bool
		}{
			"protected": {protected, c.lax}, "strict": {strict, c.strict}, "optional": {optional, c.strict}, "off": {off, c.strict},
			"observed": {observed, c.strict}, "unsafe": {unsafe, true}, "unsafe, off": {unsafeOff, true},
		} {
			for _, rewritten := range []bool{false, true} {
				r := httptest.NewRequest("GET", path, nil)
				if rewritten {
					r = web.WithOriginal(httptest.NewRequest("GET", "/harmless", nil), httptest.NewRequest("GET", path, nil).URL)
				}
				r.Header.Set("Authorization", "Bearer "+token)
				resp, up := w.through(route.route, r)
				if route.pass {
					expect(t, name+" "+path, resp, 204, "")
					continue
				}
				refusedWith(t, resp, 400, "ambiguous_path")
				if up.calls != 0 || r.Header.Get("Authorization") != "" {
					t.Errorf("%s %s: %d calls of the app, Authorization %q", name, path, up.calls, r.Header.Get("Authorization"))
				}
			}
		}
	}
}

// Headers by which an app takes another path or method are of no use to anybody.
func TestOverridesAreRemoved(t *testing.T) {
	route, off := acme(), &proxy.Route{Off: true}
	w := newWorld(t, routes(route, off))
	for _, c := range []struct {
		route *proxy.Route
		r     *http.Request
	}{{route, bearer(w.token("acme", nil))}, {off, get()}} {
		for _, name := range []string{"X-Original-URL", "X-Rewrite-Url", "X_Original_Url", "X-HTTP-Method-Override", "x-http-method", "X.Method.Override"} {
			c.r.Header[name] = []string{"/admin"}
		}
		_, up := w.through(c.route, c.r)
		for name, values := range up.header {
			if len(values) > 0 && values[0] == "/admin" {
				t.Errorf("the app received %s", name)
			}
		}
	}
}
