package gateway_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// variants are routes that differ in one option each.
func variants() map[string]*proxy.Route {
	route := func(change func(*proxy.Route)) *proxy.Route {
		r := acme()
		change(r)
		return r
	}
	return map[string]*proxy.Route{
		"default":         acme(),
		"header":          route(func(r *proxy.Route) { r.Forward.Header = "X-Session" }),
		"header, scheme":  route(func(r *proxy.Route) { r.Forward = proxy.Forward{Header: "X-Session", Scheme: "Token"} }),
		"scheme":          route(func(r *proxy.Route) { r.Forward.Scheme = "JWT" }),
		"audience":        route(func(r *proxy.Route) { r.Audience = []string{"app"} }),
		"two audiences":   route(func(r *proxy.Route) { r.Audience = []string{"app", "other"} }),
		"joined audience": route(func(r *proxy.Route) { r.Audience = []string{`app" "other`} }),
		"template":        route(func(r *proxy.Route) { r.Template = "other" }),
		"lifetime":        route(func(r *proxy.Route) { r.JWTLifetime = 20 * time.Second }),
		"any":             route(func(r *proxy.Route) { r.Profiles, r.Any = nil, true }),
		"optional":        route(func(r *proxy.Route) { r.Optional = true }),
		"cookie":          route(func(r *proxy.Route) { r.SetCookie = true }),
	}
}

func variantSetup(list map[string]*proxy.Route) option {
	return func(s *setup) {
		s.gateway.Core.Templates = map[string]*claims.Template{"default": parsed(`{"a": 1}`), "other": parsed(`{"b": 2}`)}
		for _, r := range list {
			routes(r)(s)
		}
	}
}

func parsed(text string) *claims.Template {
	t, err := claims.Policy{}.ParseTemplate("default", text)
	if err != nil {
		panic(err)
	}
	return t
}

// heard is what an upstream hears: its headers, the JWT in them taken apart.
func (w *world) heard(route *proxy.Route, r *http.Request) string {
	w.t.Helper()
	_, up := w.through(route, r)
	all := map[string]string{}
	for name, values := range up.header {
		value := strings.Join(values, "|")
		if i := strings.Index(value, "eyJ"); i >= 0 {
			value = value[:i] + fmt.Sprint(w.decode(value[i:]))
		}
		all[name] = value
	}
	return fmt.Sprint(all)
}

// A JWT that was cached for one route went to the upstream of another with the
// first one's scheme: without Bearer in Authorization, or with it in X-Session.
// Whatever route was asked first, the second hears what it would have heard alone.
func TestCachedJWTCarriesNothingOfAnotherRoute(t *testing.T) {
	list := variants()
	w := newWorld(t, variantSetup(list))
	names := maps.Keys(list)
	for first := range names {
		for second := range names {
			token := w.attest("acme", nil)["session_token"].(string)
			cold := newWorld(t, variantSetup(list), func(s *setup) { s.store, s.gateway.Core.ReuseFor = w.store, -1 })
			w.heard(list[first], bearer(token))
			if warm, want := w.heard(list[second], bearer(token)), cold.heard(list[second], bearer(token)); warm != want {
				t.Errorf("after %q, %q hears\n%s, not\n%s", first, second, warm, want)
			}
		}
	}
}

// Of nested attests the innermost is heard, also where the outer one forwards in
// another way and both came from the cache.
func TestNestedAttestsForwardEachInItsOwnWay(t *testing.T) {
	list := variants()
	w := newWorld(t, variantSetup(list))
	token := w.attest("acme", nil)["session_token"].(string)
	for range 2 {
		up := &upstream{}
		inner := w.gateway.Handler(list["default"], up)
		w.gateway.Handler(list["header"], inner).ServeHTTP(httptest.NewRecorder(), bearer(token))
		if got := up.header.Get("Authorization"); !strings.HasPrefix(got, "Bearer eyJ") || up.header.Get("X-Session") != "" {
			t.Errorf("the upstream hears %v", up.header)
		}
		inner = w.gateway.Handler(list["header"], up)
		w.gateway.Handler(list["default"], inner).ServeHTTP(httptest.NewRecorder(), bearer(token))
		if got := up.header.Get("X-Session"); !strings.HasPrefix(got, "eyJ") || up.header.Get("Authorization") != "" {
			t.Errorf("the upstream hears %v", up.header)
		}
	}
}

// With jwt_lifetime 3s an upstream got JWTs that were good for 10 ms.
func TestJWTIsReusedOnlyWhileHalfOfItsLifeIsLeft(t *testing.T) {
	route := acme()
	route.JWTLifetime = 4 * time.Second
	w := newWorld(t, routes(route))
	token := w.attest("acme", nil)["session_token"].(string)
	heard := func() string {
		_, up := w.through(route, bearer(token))
		return up.header.Get("Authorization")
	}
	first := heard()
	w.clock.Advance(2 * time.Second)
	if heard() != first {
		t.Error("a JWT with half of its life left was not reused")
	}
	w.clock.Advance(time.Millisecond)
	if heard() == first {
		t.Error("a JWT with less than half of its life left was reused")
	}
}
