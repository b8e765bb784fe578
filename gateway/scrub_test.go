package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpguts"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// spellings are what servers behind a proxy fold into X-User-Jwt.
var spellings = []string{
	"X-User-Jwt", "x-user-jwt", "X-USER-JWT", "X_User_Jwt", "x_user_jwt", "X.User.Jwt", "x.user.jwt",
	"X-User_Jwt", "X_User-Jwt", "X-User.Jwt", "X_USER.JWT", "X~User~Jwt", "x!user#jwt", "X^User|Jwt", "XUserJwt", "X--User-Jwt-",
}

func identityRoutes() (own, beside, off, optional *proxy.Route) {
	header := proxy.Forward{Header: "X-User-Jwt"}
	return &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}, Forward: header},
		acme(),
		&proxy.Route{Off: true},
		&proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}, Forward: header}
}

// H-01, CVE-2026-30851, CVE-2025-64484: a client-supplied identity header in any
// spelling never reaches the upstream, with or without a good credential, on the
// route that injects it or on another.
func TestForgedIdentityHeaderInAnySpelling(t *testing.T) {
	own, beside, off, optional := identityRoutes()
	w := newWorld(t, routes(own, beside, off, optional))
	token := w.token("acme", nil)
	for name, route := range map[string]*proxy.Route{"own": own, "beside": beside, "off": off, "optional": optional} {
		for _, credential := range []string{"", "Bearer " + token} {
			for _, spelling := range spellings {
				r := get()
				r.Header[spelling] = []string{"forged"}
				r.Trailer = http.Header{spelling: {"forged"}}
				if credential != "" {
					r.Header.Set("Authorization", credential)
				}
				_, up := w.through(route, r)
				if text := fmt.Sprint(up.header, up.trailer); strings.Contains(text, "forged") {
					t.Errorf("%s, %s, credential %t: %s", name, spelling, credential != "", text)
				}
				if strings.Contains(fmt.Sprint(r.Header, r.Trailer), "forged") {
					t.Errorf("%s, %s: still in the request that error routes see", name, spelling)
				}
			}
		}
	}
}

// The aliases of Authorization are never a client's to send; the header itself is
// where the route does not speak in it.
func TestForgedAuthorization(t *testing.T) {
	own, beside, off, _ := identityRoutes()
	w := newWorld(t, routes(own, beside, off))
	r := bearer(w.token("acme", nil))
	r.Header["authorization"] = []string{"Basic forged"}
	r.Header["AUTHORIZATION"] = []string{"Basic forged"}
	if _, up := w.through(beside, r); strings.Contains(fmt.Sprint(up.header), "forged") {
		t.Errorf("an alias survived: %v", up.header)
	}
	basic := get("Authorization", "Basic b3BzOnNlY3JldA==")
	if _, up := w.through(off, basic); up.header.Get("Authorization") != "Basic b3BzOnNlY3JldA==" {
		t.Error("off took a foreign credential away")
	}
	for name, credential := range map[string]string{
		"trusted token": w.token("acme", nil),
		"session token": w.attest("acme", nil)["session_token"].(string),
		"session JWT":   w.attest("acme", nil)["session_jwt"].(string),
	} {
		if _, up := w.through(off, bearer(credential)); up.header.Get("Authorization") != "" {
			t.Errorf("off forwarded a %s", name)
		}
	}
	if _, up := w.through(off, bearer("opaque-token-of-the-app")); up.header.Get("Authorization") == "" {
		t.Error("off took the app's own bearer away")
	}
}

// CVE-2024-45410: a header named in Connection is removed on the way to the
// upstream, also one that the gateway set. Tried with a real proxy and server.
func TestHopByHopDoesNotStripTheIdentity(t *testing.T) {
	own, beside, _, _ := identityRoutes()
	w := newWorld(t, routes(own, beside))
	up := &upstream{}
	server := httptest.NewServer(up)
	defer server.Close()
	target, _ := url.Parse(server.URL)
	reverse := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }}
	token := w.token("acme", nil)
	for _, c := range []struct {
		route  *proxy.Route
		header string
		hop    string
	}{
		{own, "X-User-Jwt", "X-User-Jwt"},
		{own, "X-User-Jwt", "x-user-jwt, close"},
		{own, "X-User-Jwt", "keep-alive,X_User_Jwt ,x-user-JWT"},
		{beside, "Authorization", "Authorization"},
		{beside, "Authorization", "close, aUTHORIZATION"},
	} {
		t.Run(c.hop, func(t *testing.T) {
			r := bearer(token)
			r.Header["Connection"] = []string{c.hop}
			rec := httptest.NewRecorder()
			w.gateway.Handler(c.route, reverse).ServeHTTP(rec, r)
			if rec.Code != 204 || !strings.Contains(up.header.Get(c.header), "eyJ") {
				t.Errorf("got %d, upstream saw %v", rec.Code, up.header)
			}
		})
	}
}

// The scrub keeps what is not ours, byte for byte.
func TestScrubLeavesTheRest(t *testing.T) {
	own, _, _, _ := identityRoutes()
	w := newWorld(t, routes(own))
	r := bearer(w.token("acme", nil))
	r.Header["X-User"] = []string{"a", "b"}
	r.Header["X-User-Jwt-Extra"] = []string{"c"}
	r.Header["Connection"] = []string{"keep-alive, X-Other"}
	_, up := w.through(own, r)
	want := http.Header{"X-User": {"a", "b"}, "X-User-Jwt-Extra": {"c"}, "Connection": {"keep-alive, X-Other"}}
	for name, values := range want {
		if !slices.Equal(up.header[name], values) {
			t.Errorf("%s became %q", name, up.header[name])
		}
	}
}

func FuzzScrubLeavesNoAlias(f *testing.F) {
	for _, s := range spellings {
		f.Add(s, "close")
		f.Add("Connection", s+", close")
	}
	own, _, _, _ := identityRoutes()
	f.Fuzz(func(t *testing.T, name, connection string) {
		if !httpguts.ValidHeaderFieldName(name) {
			t.Skip("no server takes it for a header")
		}
		w := sharedWorld(t, own)
		r := get()
		r.Header[name] = []string{"forged"}
		r.Header["Connection"] = []string{connection}
		before := maps.Clone(r.Header)
		_, _ = w.gateway.Proxy.Admit(r, own)
		for left := range r.Header {
			if isAlias(left, "X-User-Jwt") || (left != "Authorization" && isAlias(left, "Authorization")) {
				t.Errorf("%q is left of %v", left, before)
			}
		}
		for option := range strings.SplitSeq(r.Header.Get("Connection"), ",") {
			if isAlias(strings.TrimSpace(option), "X-User-Jwt") {
				t.Errorf("Connection is %q", r.Header.Get("Connection"))
			}
		}
		once := r.Header.Clone()
		_, _ = w.gateway.Proxy.Admit(r, own)
		if !maps.EqualFunc(once, r.Header, slices.Equal) {
			t.Errorf("a second scrub changed %v to %v", once, r.Header)
		}
	})
}

// variables are what servers make of a header name, by their sources; the last one
// is wider than all of them.
var variables = map[string]func(name string) string{
	"CGI (RFC 3875 §4.1.18), WSGI, Rack": func(name string) string { return "HTTP_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) },
	"PHP": func(name string) string {
		return "HTTP_" + strings.ToUpper(strings.NewReplacer("-", "_", ".", "_", " ", "_", "[", "_").Replace(name))
	},
	"lighttpd": func(name string) string {
		return "HTTP_" + strings.ToUpper(notAlphanumeric.ReplaceAllString(name, "_"))
	},
	"wider": func(name string) string { return strings.ToUpper(notAlphanumeric.ReplaceAllString(name, "")) },
}

var notAlphanumeric = regexp.MustCompile(`[^0-9A-Za-z]`)

// isAlias tells whether some server takes one name for the other.
func isAlias(name, other string) bool {
	for _, variable := range variables {
		if variable(name) == variable(other) {
			return true
		}
	}
	return false
}

var worlds = map[*proxy.Route]*world{}

// sharedWorld makes one world for all runs of a fuzz test.
func sharedWorld(t *testing.T, route *proxy.Route) *world {
	if worlds[route] == nil {
		worlds[route] = newWorld(t, routes(route))
	}
	return worlds[route]
}

// What was injected is not there for whoever handles an error.
func TestInjectedJWTIsRemovedAfterAnError(t *testing.T) {
	own, _, _, _ := identityRoutes()
	w := newWorld(t, routes(own))
	a, err := w.gateway.Proxy.Admit(bearer(w.token("acme", nil)), own)
	w.must(err)
	if a.Request.Header.Get("X-User-Jwt") == "" {
		t.Fatal("nothing was injected")
	}
	failed := errors.New("the upstream is away")
	if err := a.Forward(httptest.NewRecorder(), func(http.ResponseWriter, *http.Request) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if got := a.Request.Header.Get("X-User-Jwt"); got != "" {
		t.Errorf("still there: %q", got)
	}
}

// Of nested attests the innermost decides, from the credential that the client
// showed, and what the outer one injected is gone.
func TestInnermostAttestDecides(t *testing.T) {
	outer, inner := &proxy.Route{Route: authn.Route{Any: true}}, &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}, Forward: proxy.Forward{Header: "X-User-Jwt"}}
	off, strict := &proxy.Route{Off: true}, &proxy.Route{Route: authn.Route{Profiles: []string{"other"}}}
	w := newWorld(t, routes(outer, inner, off, strict))
	for _, credential := range []string{w.token("acme", nil), w.attest("acme", nil)["session_token"].(string)} {
		for name, c := range map[string]struct {
			route    *proxy.Route
			status   int
			identity bool
		}{"another header": {inner, 204, true}, "off": {off, 204, false}, "another profile": {strict, 401, false}} {
			up := &upstream{}
			rec := httptest.NewRecorder()
			w.gateway.Handler(outer, w.gateway.Handler(c.route, up)).ServeHTTP(rec, bearer(credential))
			if rec.Code != c.status || up.header.Get("Authorization") != "" || (up.header.Get("X-User-Jwt") != "") != c.identity {
				t.Errorf("%s: %d, upstream saw %v", name, rec.Code, up.header)
			}
		}
	}
}

// An upstream must not be able to hand out sessions in the gateway's name.
func TestUpstreamsSessionCookieIsDropped(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	next := http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Add("Set-Cookie", "__Host-session=fixed; Path=/; Secure")
		rw.Header().Add("Set-Cookie", "app=1")
		_, _ = io.WriteString(rw, "ok")
	})
	rec := httptest.NewRecorder()
	w.gateway.Handler(route, next).ServeHTTP(rec, bearer(w.token("acme", nil)))
	if got := rec.Header().Values("Set-Cookie"); !slices.Equal(got, []string{"app=1"}) {
		t.Errorf("Set-Cookie: %q", got)
	}
}
