package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A preflight passes without identity, and nothing that only looks like one.
func TestPreflight(t *testing.T) {
	route, plain := acme(), acme()
	route.Preflight = true
	w := newWorld(t, routes(route, plain))
	ask := func(change func(*http.Request)) *http.Request {
		r := httptest.NewRequest("OPTIONS", "https://app.test/api", nil)
		r.Header.Set("Origin", "https://other.test")
		r.Header.Set("Access-Control-Request-Method", "PUT")
		r.Header.Set("Access-Control-Request-Headers", "authorization")
		if change != nil {
			change(r)
		}
		return r
	}
	res, up := w.through(route, ask(nil))
	if res.StatusCode != 204 || up.claims != nil || up.header.Get("Authorization") != "" || up.header.Get("Access-Control-Request-Headers") != "authorization" {
		t.Errorf("%d, the app received %v", res.StatusCode, up.header)
	}
	if res, _ := w.through(plain, ask(nil)); res.StatusCode != 401 {
		t.Errorf("where they do not pass: %d", res.StatusCode)
	}
	session := w.attest("acme", nil)["session_token"].(string)
	for what, change := range map[string]func(*http.Request){
		"GET":                func(r *http.Request) { r.Method = "GET" },
		"no Origin":          func(r *http.Request) { r.Header.Del("Origin") },
		"two Origins":        func(r *http.Request) { r.Header.Add("Origin", "https://x.test") },
		"no method asked":    func(r *http.Request) { r.Header.Del("Access-Control-Request-Method") },
		"a body":             func(r *http.Request) { *r = *httptest.NewRequest("OPTIONS", "/", strings.NewReader("x")) },
		"a cookie":           func(r *http.Request) { r.Header.Set("Cookie", "theme=dark") },
		"a bad bearer":       func(r *http.Request) { r.Header.Set("Authorization", "Bearer x.y.z") },
		"an upgrade":         func(r *http.Request) { r.Header.Set("Upgrade", "websocket") },
		"a method override":  func(r *http.Request) { r.Header["X_HTTP_Method_Override"] = []string{"DELETE"} },
		"a path of two ways": func(r *http.Request) { r.URL.Path = "/x/../admin" },
	} {
		res, up := w.through(route, ask(change))
		if res.StatusCode < 400 || up.calls > 0 {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
	}
	res, up = w.through(route, ask(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+session) }))
	if res.StatusCode != 204 || up.claims["sub"] == nil {
		t.Errorf("with a session: %d", res.StatusCode)
	}
}
