package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// What is told to be elsewhere without a look at the mux is not in it.
func FuzzElsewhereIsNotInTheMux(f *testing.F) {
	core := &authn.Authenticator{Config: authn.Config{Issuer: "https://a.test", Project: authn.Project{ID: "project"}, Compat: true}}
	a := New(core, Serve{Keys: true, Sessions: true, Directory: true}, Options{ConsumerOrganization: "organization"})
	for pattern := range a.endpoints() {
		f.Add(pattern)
	}
	for _, p := range []string{"/", "", "/app", "/v1", "/v1/", "//v1/b2b/sessions", "/b2b/v1/sessions", "/x/../v1/b2b/sessions", "/%76%31/b2b/sessions", "/V1/b2b", "/.well-known/jwks.json", "/./.well-known/jwks.json", "/a/.well-known", "*"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		u, err := url.ParseRequestURI(p)
		if err != nil || !a.isElsewhere(u) {
			t.Skip()
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		n := normalise(u.EscapedPath())
		r.URL = &url.URL{Path: unescaped(n), RawPath: n}
		if _, pattern := a.mux.Handler(r); pattern != "" {
			t.Errorf("%q is of %q", p, pattern)
		}
	})
}
