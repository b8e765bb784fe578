package gateway_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap/zapcore"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// copying is a world with a template of many types, and a route that copies.
func copying(t *testing.T, list []authn.Copy, more ...*proxy.Route) (*world, *proxy.Route) {
	t.Helper()
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Optional: true, Copies: list}}
	template, err := claims.Policy{}.ParseTemplate("default", `{"plan": "pro", "seats": 9007199254740993, "on": true, "deep": {"a": ["x", "y"]},
		"evil": "a\r\nX-Admin: 1", "umlaut": "Jürgen", "comma": ["editor", "x,admin"], "none": [], "space": " x"}`)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, routes(append(more, route)...), func(s *setup) { s.gateway.Core.Templates = map[string]*claims.Template{"default": template} }), route
}

func TestCopiedClaims(t *testing.T) {
	want := map[authn.Copy]string{
		{Source: "session.roles", Header: "X-Roles", Format: "csv"}:           "editor,reader",
		{Source: "member.email_address", Header: "X-Forwarded-Email"}:         "ada@example.com",
		{Source: "organization.organization_name", Header: "X-Org"}:           "acme",
		{Source: "session.profile", Header: "X-Profile"}:                      "acme",
		{Source: "plan", Header: "X-Plan"}:                                    "pro",
		{Source: "plan", Header: "X-Plans", Format: "csv"}:                    "pro",
		{Source: "seats", Header: "X-Seats"}:                                  "9007199254740993",
		{Source: "on", Header: "X-On"}:                                        "true",
		{Source: "deep.a", Header: "X-Deep", Format: "json"}:                  `["x","y"]`,
		{Source: "umlaut", Header: "X-Umlaut-Json", Format: "json"}:           `"J\u00fcrgen"`,
		{Source: "umlaut", Header: "X-Umlaut-64", Format: "base64url"}:        base64.RawURLEncoding.EncodeToString([]byte("Jürgen")),
		{Source: "deep", Header: "X-Deep-64", Format: "base64url"}:            base64.RawURLEncoding.EncodeToString([]byte(`{"a":["x","y"]}`)),
		{Source: "umlaut", Header: "X-Umlaut"}:                                "",
		{Source: "evil", Header: "X-Evil"}:                                    "",
		{Source: "evil", Header: "X-Evil-Csv", Format: "csv"}:                 "",
		{Source: "comma", Header: "X-Comma", Format: "csv"}:                   "",
		{Source: "deep.a", Header: "X-Deep-Text"}:                             "",
		{Source: "deep", Header: "X-Deep-Csv", Format: "csv"}:                 "",
		{Source: "space", Header: "X-Space"}:                                  "",
		{Source: "nothing", Header: "X-Nothing"}:                              "",
		{Source: "session.authentication_factors.0.profile", Header: "X-Fac"}: "acme",
	}
	var list []authn.Copy
	for c := range want {
		list = append(list, c)
	}
	w, route := copying(t, list)
	token := w.token("acme", claims.Object{"roles": []any{"reader", "editor"}})
	for _, when := range []string{"cold", "warm"} {
		_, up := w.through(route, bearer(token))
		if sub := up.claims["sub"]; sub == nil {
			t.Fatalf("%s: not admitted", when)
		}
		for c, value := range want {
			if got := up.header[c.Header]; fmt.Sprint(got) != fmt.Sprint([]string{value}) && (value != "" || got != nil) {
				t.Errorf("%s %s: %q, want %q", when, c.Header, got, value)
			}
		}
	}
	if strings.Contains(fmt.Sprint(want), "X-Admin") {
		t.Error("a header of the client's")
	}
}

// What a client sends under the name of a copied claim reaches no upstream, in whatever
// spelling, on whatever route, and neither does what an outer attest copied.
func TestCopiedHeadersAreScrubbedEverywhere(t *testing.T) {
	off, plain := &proxy.Route{Off: true}, &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w, route := copying(t, []authn.Copy{{Source: "plan", Header: "X-Plan"}, {Source: "nothing", Header: "X-Nothing"}}, off, plain)
	session := w.attest("acme", nil)["session_token"].(string)
	forged := func(r *http.Request) *http.Request {
		for _, name := range []string{"X-Plan", "X_Plan", "x-nothing", "X.Nothing"} {
			r.Header[name] = []string{"forged"}
		}
		return r
	}
	for name, c := range map[string]struct {
		route *proxy.Route
		r     *http.Request
		want  string
	}{
		"admitted": {route, bearer(session), "pro"}, "anonymous": {route, get(), ""}, "off": {off, get(), ""}, "another route": {plain, bearer(session), ""},
	} {
		_, up := w.through(c.route, forged(c.r))
		for header, values := range up.header {
			if strings.Contains(fmt.Sprint(values), "forged") {
				t.Errorf("%s: the app received %s: %v", name, header, values)
			}
		}
		if got := up.header.Get("X-Plan"); got != c.want {
			t.Errorf("%s: X-Plan %q, want %q", name, got, c.want)
		}
	}
	inner := &upstream{}
	rec := &discard{http.Header{}}
	w.gateway.Handler(route, w.gateway.Handler(plain, inner)).ServeHTTP(rec, bearer(session))
	if inner.calls != 1 || inner.header.Get("X-Plan") != "" {
		t.Errorf("behind an inner attest: %d calls, X-Plan %q", inner.calls, inner.header.Get("X-Plan"))
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func TestCopiesThatCannotBe(t *testing.T) {
	for what, c := range map[string]authn.Copy{
		"an underscore":      {Source: "sub", Header: "X_User"},
		"Authorization":      {Source: "sub", Header: "authorization"},
		"Cookie":             {Source: "sub", Header: "Cookie"},
		"X-Forwarded-For":    {Source: "sub", Header: "X-Forwarded-For"},
		"the JWT's own":      {Source: "sub", Header: "x-jwt"},
		"no source":          {Header: "X-User"},
		"an unknown member":  {Source: "member.emial", Header: "X-User"},
		"an unknown format":  {Source: "sub", Header: "X-User", Format: "xml"},
		"an unknown session": {Source: "session.idd", Header: "X-User"},
	} {
		s := defaultSetup()
		s.gateway.Routes = []*proxy.Route{{Route: authn.Route{Profiles: []string{"acme"}, Copies: []authn.Copy{c}}, Forward: proxy.Forward{Header: "X-Jwt"}}}
		if err := s.tryNew(t); err == nil || !strings.Contains(err.Error(), "copy_claims") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := (authn.Route{Copies: []authn.Copy{{Source: "a", Header: "X"}, {Source: "b", Header: "X"}}}).Check(); err != nil {
		t.Error(err)
	}
	if err := proxy.CheckCopies([]authn.Copy{{Source: "a", Header: "X-A"}, {Source: "b", Header: "x-a"}}, proxy.Forward{}); err == nil {
		t.Error("one header for two claims")
	}
}

// An app that reads headers alone receives no JWT, also none that a client sends, and the
// credential does not go on.
func TestForwardNone(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Copies: []authn.Copy{{Source: "sub", Header: "X-User"}}}, Forward: proxy.Forward{None: true}}
	other := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}, Forward: proxy.Forward{Header: "X-Jwt"}}
	w := newWorld(t, routes(route, other))
	for _, when := range []string{"cold", "warm"} {
		r := bearer(w.token("acme", nil))
		r.Header.Set("X-Jwt", "forged")
		r.Header.Set("X-User", "forged")
		_, up := w.through(route, r)
		if user := up.header.Get("X-User"); up.calls != 1 || !strings.HasPrefix(user, "member-") || up.header.Get("Authorization") != "" || up.header.Get("X-Jwt") != "" {
			t.Errorf("%s: %v", when, up.header)
		}
	}
	if err := (proxy.Forward{None: true, Header: "X-Jwt"}).Check(); err == nil {
		t.Error("none with a header")
	}
}

// Users choose what is in their claims, and not how much is logged of it.
func TestUncopiedClaimIsWarnedOfOnce(t *testing.T) {
	log, logs := logged(zapcore.WarnLevel)
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Copies: []authn.Copy{{Source: "member.name", Header: "X-Name"}, {Source: "roles", Header: "X-Roles"}}}}
	w := newWorld(t, routes(route), log)
	for i := range 5 {
		w.through(route, bearer(w.token("acme", claims.Object{"sub": fmt.Sprint("u-", i), "name": "Jürgen"})))
	}
	if n := logs.FilterMessageSnippet("not copied").Len(); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// Eight kilobytes in all, or the request is refused.
func TestCopiedClaimsAreBounded(t *testing.T) {
	var list []authn.Copy
	for i := range 200 {
		list = append(list, authn.Copy{Source: "umlaut", Header: fmt.Sprint("X-H-", i), Format: "json"})
		list = append(list, authn.Copy{Source: "deep", Header: fmt.Sprint("X-G-", i), Format: "base64url"})
		list = append(list, authn.Copy{Source: "comma", Header: fmt.Sprint("X-F-", i), Format: "base64url"})
	}
	w, route := copying(t, list)
	resp, up := w.through(route, bearer(w.token("acme", nil)))
	refusedWith(t, resp, 502, "copied_claims_too_large")
	if up.calls != 0 {
		t.Errorf("the app was asked %d times", up.calls)
	}
	var e *authn.ConfigError
	if errors.As(authn.Route{Copies: list}.Check(), &e) {
		t.Error(e)
	}
}
