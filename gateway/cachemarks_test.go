package gateway_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// A shared cache before the gateway served a member's page to everybody.
func TestAdmittedAnswersAreNotForSharedCaches(t *testing.T) {
	strict, optional, off := acme(), &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true}}, &proxy.Route{Off: true}
	w := newWorld(t, routes(strict, optional, off))
	cookie := "__Host-session=" + w.attest("acme", nil)["session_token"].(string)
	for name, c := range map[string]struct {
		route         *proxy.Route
		header        []string
		upstream      []string
		control, vary string
	}{
		"bearer":                  {strict, []string{"Authorization", "Bearer " + w.token("acme", nil)}, nil, "private", ""},
		"cookie":                  {strict, []string{"Cookie", cookie}, nil, "private", ""},
		"max-age":                 {strict, []string{"Cookie", cookie}, []string{"max-age=60"}, "max-age=60, private", ""},
		"an empty line":           {strict, []string{"Cookie", cookie}, []string{""}, "private", ""},
		"two lines":               {strict, []string{"Cookie", cookie}, []string{"max-age=60", "immutable"}, "max-age=60, immutable, private", ""},
		"no-cache is stored":      {strict, []string{"Cookie", cookie}, []string{"no-cache"}, "no-cache, private", ""},
		"private for a field":     {strict, []string{"Cookie", cookie}, []string{`private="x-a"`}, `private="x-a", private`, ""},
		"upstream: public":        {strict, []string{"Cookie", cookie}, []string{"Public, max-age=60"}, "Public, max-age=60", ""},
		"upstream: s-maxage":      {strict, []string{"Cookie", cookie}, []string{"s-maxage=60"}, "s-maxage=60", ""},
		"upstream: private":       {strict, []string{"Cookie", cookie}, []string{"private"}, "private", ""},
		"upstream: no-store":      {strict, []string{"Cookie", cookie}, []string{"max-age=1", "no-store"}, "max-age=1, no-store", ""},
		"optional, admitted":      {optional, []string{"Cookie", cookie}, nil, "private", "Accept"},
		"optional, anonymous":     {optional, nil, nil, "", "Accept, Authorization, Cookie"},
		"optional, dead, cleared": {optional, []string{"Cookie", "__Host-session=session-x"}, []string{"public"}, "no-store", "Accept, Authorization, Cookie"},
		"off":                     {off, []string{"Cookie", cookie}, nil, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rec := httptest.NewRecorder()
			w.gateway.Handler(c.route, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header()["Cache-Control"] = c.upstream
				if c.vary != "" {
					rw.Header().Set("Vary", "Accept")
				}
				if name != "cookie" { // an answer that nobody writes counts too
					rw.WriteHeader(http.StatusOK)
				}
			})).ServeHTTP(rec, get(c.header...))
			values := rec.Header().Values("Cache-Control")
			if got := joined(values); got != c.control || joined(rec.Header().Values("Vary")) != c.vary {
				t.Errorf("Cache-Control %q, want %q; Vary %q", values, c.control, rec.Header().Values("Vary"))
			}
		})
	}
}

func joined(lines []string) string { return strings.Join(lines, ", ") }

// An error page for somebody who was admitted may say who it is.
func TestErrorPageForAnAdmittedRequestIsPrivate(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	a, err := w.gateway.Proxy.Admit(bearer(w.token("acme", nil)), route)
	w.must(err)
	rec := httptest.NewRecorder()
	_ = a.Forward(rec, func(http.ResponseWriter, *http.Request) error { return errors.New("away") })
	if got := rec.Header().Get("Cache-Control"); got != "private" {
		t.Errorf("Cache-Control %q", got)
	}
}
