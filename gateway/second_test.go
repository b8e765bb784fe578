package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// secondWorld reads a second factor from X-Device, beside acme's sessions; the route asks
// for it.
func secondWorld(t *testing.T, more ...option) (*world, *proxy.Route) {
	t.Helper()
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}, Require: []authn.Requirement{{Factors: []string{"device"}, Within: 10 * time.Minute}}}}
	w := newWorld(t, append([]option{routes(route), func(s *setup) {
		for _, p := range s.profiles {
			p.Organization, p.Namespace = "acme", "people"
		}
		other := s.profiles["other"]
		other.Factor, other.TokenFrom = trust.Factor{Type: "device", SecondOnly: true}, trust.Place{Header: "X-Device"}
		other.CreateMembers, other.CreateOrganizations = false, false
	}}, more...)...)
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	return w, route
}

const challenged = "insufficient_user_authentication"

// The second factor comes with the request that needs it, and stays with the session.
func TestSecondFactorBesideASession(t *testing.T) {
	for credential, show := range map[string]func(w *world) []string{
		"session token": func(w *world) []string {
			return []string{"Authorization", "Bearer " + w.attest("acme", nil)["session_token"].(string)}
		},
		"session JWT": func(w *world) []string {
			return []string{"Authorization", "Bearer " + w.attest("acme", nil)["session_jwt"].(string)}
		},
		"cookie": func(w *world) []string {
			return []string{"Cookie", "__Host-session=" + w.attest("acme", nil)["session_token"].(string)}
		},
		"trusted token": func(w *world) []string { return []string{"Authorization", "Bearer " + w.token("acme", nil)} },
	} {
		w, route := secondWorld(t)
		shown := show(w)
		resp, _ := w.through(route, get(shown...))
		expect(t, credential+" alone", resp, 401, challenged)
		proof := w.token("other", nil)
		before := w.store.writes()
		resp, up := w.through(route, get(append(shown, "X-Device", proof)...))
		expect(t, credential+" with the factor", resp, 204, "")
		factors, _ := at(up.claims, "session.authentication_factors").([]any)
		if len(factors) != 2 || at(factors[1].(map[string]any), "type") != "device" || up.header.Get("X-Device") != "" {
			t.Errorf("%s: the app received %v with %v", credential, factors, up.header)
		}
		if w.store.writes() == before {
			t.Errorf("%s: nothing was written", credential)
		}
		before = w.store.writes()
		for range 3 {
			resp, _ = w.through(route, get(append(shown, "X-Device", proof)...))
			expect(t, credential+" and the factor again", resp, 204, "")
		}
		resp, _ = w.through(route, get(shown...))
		expect(t, credential+" afterwards", resp, 204, "")
		if n := w.store.writes() - before; n != 0 {
			t.Errorf("%s: %d writes for what was attached", credential, n)
		}
		w.clock.Advance(10 * time.Minute)
		if credential == "session token" {
			resp, _ = w.through(route, get(shown...))
			expect(t, credential+" after the age", resp, 401, challenged)
		}
	}
}

func TestSecondFactorsThatAreRefused(t *testing.T) {
	optional := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}, Optional: true}}
	w, route := secondWorld(t, routes(optional))
	session := w.attest("acme", nil)["session_token"].(string)
	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com", "jti": "eve"})})
	proof := w.token("other", nil)
	beside := func(values ...string) *http.Request {
		r := bearer(session)
		r.Header["X-Device"] = values
		return r
	}
	for what, c := range map[string]struct {
		r      *http.Request
		route  *proxy.Route
		status int
		code   string
	}{
		"alone":                 {get("X-Device", proof), route, 401, "profile_not_accepted"},
		"alone, optional":       {get("X-Device", proof), optional, 401, "profile_not_accepted"},
		"beside a dead cookie":  {get("X-Device", proof, "Cookie", "__Host-session=x"), optional, 401, "profile_not_accepted"},
		"of another person":     {beside(w.token("other", claims.Object{"sub": "eve", "email": "eve@example.com"})), route, 403, "member_session_member_id_mismatch"},
		"of nobody":             {beside(w.token("other", claims.Object{"sub": "nobody", "email": nil})), route, 403, "member_session_member_id_mismatch"},
		"forged":                {beside(proof[:len(proof)-4] + "AAAA"), route, 401, "invalid_trusted_auth_token"},
		"expired":               {beside(w.token("other", claims.Object{"exp": 1})), route, 401, "invalid_trusted_auth_token"},
		"no token":              {beside("x"), route, 401, "invalid_trusted_auth_token"},
		"twice":                 {beside(proof, proof), route, 400, "too_many_credentials"},
		"a first factor":        {beside(w.token("acme", nil)), route, 401, "invalid_trusted_auth_token"},
		"a session token":       {beside(session), route, 401, "invalid_trusted_auth_token"},
		"in Authorization":      {bearer(proof), route, 401, "invalid_trusted_auth_token"},
		"beside a dead session": {get("Authorization", "Bearer "+session[:len(session)-1]+"x", "X-Device", proof), route, 401, ""},
	} {
		before := w.store.writes()
		resp, up := w.through(c.route, c.r)
		expect(t, what, resp, c.status, c.code)
		if n := w.store.writes() - before; n != 0 || up.calls > 0 {
			t.Errorf("%s: %d writes, %d calls of the app", what, n, up.calls)
		}
	}
	resp, _ := w.through(route, bearer(session))
	expect(t, "afterwards", resp, 401, challenged)
	w.freeze()
	resp, _ = w.through(route, beside(proof))
	expect(t, "while sign-ins are frozen", resp, 503, "sign_ins_frozen")
}

// A browser gets a new secret with the factor. The former one is good for a while, for what
// is under way, and a second renewal in that time would end it.
func TestSecondFactorRenewsTheCookie(t *testing.T) {
	w, route := secondWorld(t)
	old := w.attest("acme", nil)["session_token"].(string)
	ask := func(cookie, proof string) (*http.Response, string) {
		r := get("Cookie", "__Host-session="+cookie)
		if proof != "" {
			r.Header.Set("X-Device", proof)
		}
		resp, _ := w.through(route, r)
		value, _, _ := strings.Cut(strings.TrimPrefix(resp.Header.Get("Set-Cookie"), "__Host-session="), ";")
		return resp, value
	}
	resp, renewed := ask(old, w.token("other", claims.Object{"jti": "1"}))
	expect(t, "with the factor", resp, 204, "")
	if renewed == "" || renewed == old || resp.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("cookie %.20s, Cache-Control %q", renewed, resp.Header.Get("Cache-Control"))
	}
	if resp, again := ask(old, w.token("other", claims.Object{"jti": "2"})); resp.StatusCode != 204 || again != renewed {
		t.Errorf("a request that was under way: %d, cookie %.20s", resp.StatusCode, again)
	}
	if resp, again := ask(renewed, ""); resp.StatusCode != 204 || again != "" {
		t.Errorf("the new one: %d, cookie %.20s", resp.StatusCode, again)
	}
	w.clock.Advance(31 * time.Second)
	if resp, _ := ask(old, ""); resp.StatusCode != 401 {
		t.Errorf("the former one after half a minute: %d", resp.StatusCode)
	}
	if resp, _ := ask(renewed, ""); resp.StatusCode != 204 {
		t.Errorf("the new one after half a minute: %d", resp.StatusCode)
	}
}

// A clock ahead of ours is not a write for each request.
func TestSecondFactorOfAClockAhead(t *testing.T) {
	w, route := secondWorld(t)
	session := w.attest("acme", nil)["session_token"].(string)
	ahead := w.token("other", claims.Object{"iat": w.clock.Now().Add(30 * time.Second).Unix()})
	show := func() int {
		before := w.store.writes()
		r := bearer(session)
		r.Header.Set("X-Device", ahead)
		resp, _ := w.through(route, r)
		expect(t, "with the factor", resp, 204, "")
		return w.store.writes() - before
	}
	show()
	if n := show(); n != 0 {
		t.Errorf("%d writes while it is ahead", n)
	}
	w.clock.Advance(31 * time.Second)
	show()
	if n := show(); n != 0 {
		t.Errorf("%d writes afterwards", n)
	}
}

func TestSecondFactorInParallel(t *testing.T) {
	w, route := secondWorld(t)
	session, proof := w.attest("acme", nil)["session_token"].(string), w.token("other", nil)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			r := bearer(session)
			r.Header.Set("X-Device", proof)
			if resp, _ := w.through(route, r); resp.StatusCode != 204 {
				t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Attest-Error"))
			}
		})
	}
	all.Wait()
	_, up := w.through(route, bearer(session))
	if factors, _ := at(up.claims, "session.authentication_factors").([]any); len(factors) != 2 {
		t.Errorf("factors %v", factors)
	}
}

// A route that observes tells what the factor would do, and attaches nothing.
func TestSecondFactorObserved(t *testing.T) {
	told := &trials{of: make(chan authn.Decided)}
	observed := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}, Require: []authn.Requirement{{Factors: []string{"device"}}}}, Observe: true}
	w, _ := secondWorld(t, routes(observed), func(s *setup) { s.gateway.Core.Observers = authn.Observers{told} })
	session := w.attest("acme", nil)["session_token"].(string)
	for device, want := range map[string]string{"": challenged, w.token("other", nil): "", "x": "invalid_trusted_auth_token"} {
		r := bearer(session)
		if device != "" {
			r.Header.Set("X-Device", device)
		}
		before := w.store.writes()
		resp, _ := w.through(observed, r)
		if one := <-told.of; one.Code != want || resp.StatusCode != 204 || w.store.writes() != before {
			t.Errorf("%.5q: told %+v, want %q; %d, %d writes", device, one, want, resp.StatusCode, w.store.writes()-before)
		}
	}
}

func TestSecondFactorsReadFromPlacesOfTheirOwn(t *testing.T) {
	s := defaultSetup()
	s.profiles["acme"].TokenFrom, s.profiles["other"].TokenFrom = trust.Place{Header: "X-Token"}, trust.Place{Header: "X-Token"}
	s.profiles["other"].Factor.SecondOnly, s.profiles["other"].CreateMembers, s.profiles["other"].CreateOrganizations = true, false, false
	s.gateway.Routes = []*proxy.Route{{Route: authn.Route{Profiles: []string{"acme", "other"}}}}
	if err := s.tryNew(t); err == nil || !strings.Contains(fmt.Sprint(err), "a place of its own") {
		t.Error(err)
	}
}
