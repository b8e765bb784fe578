package gateway_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// What a route requires is judged at every request: one of each line, all lines.
func TestRequirementsOfARoute(t *testing.T) {
	route := func(all ...authn.Requirement) *proxy.Route {
		return &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}, Require: all}}
	}
	editors := route(authn.Requirement{Roles: []string{"admin", "editor"}})
	devices := route(authn.Requirement{Factors: []string{"device"}})
	nobodys := route(authn.Requirement{Factors: []string{"retina"}})
	acme := route(authn.Requirement{Organizations: []string{"acme"}})
	elsewhere := route(authn.Requirement{Organizations: []string{"globex"}})
	pro := route(authn.Requirement{Claims: []trust.RequiredClaim{{Path: "plan", Value: "pro"}, {Path: "plan", Value: "team"}}}, authn.Requirement{Roles: []string{"editor"}})
	template, err := claims.Policy{}.ParseTemplate("default", `{"plan": {{ token.plan }}}`)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, routes(editors, devices, nobodys, acme, elsewhere, pro), func(s *setup) {
		s.gateway.Core.Templates = map[string]*claims.Template{"default": template}
		for _, p := range s.profiles {
			p.KeepClaims, p.Organization, p.Namespace = []string{"plan"}, "acme", "people"
		}
		s.profiles["other"].Factor.Type = "device"
	})
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	reader := w.token("acme", claims.Object{"jti": "1", "roles": []any{"reader"}, "plan": "free"})
	for what, c := range map[string]struct {
		route  *proxy.Route
		status int
		code   string
	}{
		"a role that is missing":         {editors, 403, "requirement_not_met"},
		"a factor that is missing":       {devices, 401, "insufficient_user_authentication"},
		"a factor that nobody gives":     {nobodys, 403, "requirement_not_met"},
		"the organization":               {acme, 204, ""},
		"another organization":           {elsewhere, 403, "requirement_not_met"},
		"a claim that has another value": {pro, 403, "requirement_not_met"},
	} {
		for range 2 { // cold and warm
			resp, up := w.through(c.route, bearer(reader))
			expect(t, what, resp, c.status, c.code)
			if c.status != 204 && up.calls > 0 {
				t.Errorf("%s: the app was asked", what)
			}
			if got := resp.Header.Get("WWW-Authenticate"); c.status == 401 && got != `Bearer error="insufficient_user_authentication", acr_values="device"` {
				t.Errorf("%s: %s", what, got)
			}
		}
	}
	made := w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"jti": "2", "sub": "eve", "email": "eve@example.com", "roles": []any{"editor"}, "plan": "team"})})
	session := made["session_token"].(string)
	for what, r := range map[string]*proxy.Route{"one of the roles": editors, "one of the claims, and the role": pro} {
		resp, _ := w.through(r, bearer(session))
		expect(t, what, resp, 204, "")
	}
	resp, _ := w.through(devices, bearer(session))
	expect(t, "before the second factor", resp, 401, "insufficient_user_authentication")
	added := w.attest("other", claims.Object{"session_token": session, "token": w.token("other", claims.Object{"sub": "eve", "email": "eve@example.com"})})
	resp, _ = w.through(devices, bearer(added["session_token"].(string)))
	expect(t, "after the second factor", resp, 204, "")
}

// Ages are those of the proof: before it a challenge that names factor and age (RFC 9470),
// then in, and after the age the challenge again. A token issued anew is no proof.
func TestAgesOfProofs(t *testing.T) {
	within := &proxy.Route{Route: authn.Route{Any: true, Require: []authn.Requirement{{Factors: []string{"device", "retina"}, Within: 10 * time.Minute}}}}
	fresh := &proxy.Route{Route: authn.Route{Any: true, Require: []authn.Requirement{{Fresh: time.Hour}}}}
	w := newWorld(t, routes(within, fresh), func(s *setup) {
		for _, p := range s.profiles {
			p.Organization, p.Namespace = "acme", "people"
		}
		s.profiles["other"].Factor = trust.Factor{Type: "device", SecondOnly: true}
		s.profiles["other"].CreateMembers, s.profiles["other"].CreateOrganizations = false, false
	})
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	signedIn := w.clock.Now().Add(-59 * time.Minute).Unix()
	s := named(w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"auth_time": signedIn})}))
	asked := func(what string, route *proxy.Route, challenge string) {
		t.Helper()
		resp, _ := w.through(route, bearer(s["session_token"].(string)))
		if challenge == "" {
			expect(t, what, resp, 204, "")
			return
		}
		expect(t, what, resp, 401, "insufficient_user_authentication")
		is(t, claims.Object{"challenge": resp.Header.Get("WWW-Authenticate")}, "challenge", `Bearer error="insufficient_user_authentication", `+challenge)
	}
	const device, hour = `acr_values="device", max_age="600"`, `max_age="3600"`
	asked("without the factor", within, device)
	asked("a sign-in of 59 minutes ago", fresh, "")
	proof := w.token("other", nil)
	w.attest("other", with(s, claims.Object{"token": proof}))
	asked("with the factor", within, "")
	w.clock.Advance(time.Minute)
	asked("a sign-in of an hour ago, and a second factor that is fresh", fresh, hour)
	w.clock.Advance(3 * time.Minute)
	w.attest("other", with(s, claims.Object{"token": proof})) // shown again
	w.clock.Advance(6*time.Minute - time.Second)
	asked("a second before the age", within, "")
	w.clock.Advance(time.Second)
	asked("at the age", within, device)
	w.attest("acme", with(s, claims.Object{"token": w.token("acme", claims.Object{"auth_time": signedIn, "jti": "refreshed"})}))
	asked("after a silent refresh", fresh, hour)
	w.attest("acme", with(s, claims.Object{"token": w.token("acme", claims.Object{"auth_time": nil, "jti": "silent"})}))
	asked("a token that does not say", fresh, hour)
	w.attest("acme", with(s, claims.Object{"token": w.token("acme", claims.Object{"jti": "anew"})}))
	asked("signed in again", fresh, "")
}

// A requirement in CEL sees the session as it is now; what cannot be evaluated is not met.
func TestRequirementsInCEL(t *testing.T) {
	for expression, met := range map[string]bool{
		"claims.plan == 'pro' && claims.seats == 9007199254740993": true,
		"claims.plan == 'free'": false,
		"claims.nothing == 'x'": false,
		"!has(claims.nothing)":  true,
		"'editor' in member.rbac.roles && member.email_address.endsWith('@example.com')":                                              true,
		"organization.organization_slug == 'nobodys'":                                                                                 false,
		"session.profile == 'acme' && session.factor_types == ['trusted_auth_token']":                                                 true,
		"factors.exists(f, f.issuer == 'https://acme.test' && request.time - f.proved_at < duration('1m'))":                           true,
		"factors.exists(f, request.time - f.proved_at > duration('1m'))":                                                              false,
		"request.method == 'GET' && request.host == 'app.test' && request.client_ip == '192.0.2.1'":                                   true,
		"request.method in ['POST', 'PUT']":                                                                                           false,
		"[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, a+b+c+d > 0))))": false, // costs too much
	} {
		route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Require: []authn.Requirement{{Expression: expression}}}}
		template, err := claims.Policy{}.ParseTemplate("default", `{"plan": "pro", "seats": 9007199254740993}`)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Templates = map[string]*claims.Template{"default": template} })
		token := w.token("acme", claims.Object{"roles": []any{"editor"}})
		for _, when := range []string{"cold", "warm"} {
			r := httptest.NewRequest("GET", "https://APP.test:443/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			resp, _ := w.through(route, r)
			if met {
				expect(t, expression+" "+when, resp, 204, "")
			} else {
				expect(t, expression+" "+when, resp, 403, "requirement_not_met")
			}
		}
	}
}

func TestRequirementsThatCannotBe(t *testing.T) {
	for what, r := range map[string]authn.Route{
		"nothing":         {Require: []authn.Requirement{{}}},
		"two kinds":       {Require: []authn.Requirement{{Roles: []string{"a"}, Factors: []string{"b"}}}},
		"a claim alone":   {Require: []authn.Requirement{{Claims: []trust.RequiredClaim{{Path: "a"}}}}},
		"within alone":    {Require: []authn.Requirement{{Roles: []string{"a"}, Within: time.Minute}}},
		"an age below 0":  {Require: []authn.Requirement{{Fresh: -time.Minute}}},
		"no whole second": {Require: []authn.Requirement{{Factors: []string{"a"}, Within: time.Millisecond}}},
		"no condition":    {Require: []authn.Requirement{{Expression: "1 + 1"}}},
		"beside optional": {Optional: true, Require: []authn.Requirement{{Roles: []string{"a"}}}},
	} {
		if err := r.Check(); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// trials are the decisions that were only observed.
type trials struct {
	decisions
	of chan authn.Decided
}

func (t *trials) Decided(one authn.Decided) {
	if one.Observed {
		t.of <- one
	}
}

// A route that observes tells of a token without a session what the requirement would say,
// also where its organization and member would be created first.
func TestObservedRequirement(t *testing.T) {
	require := []authn.Requirement{{Roles: []string{"editor"}}}
	judged := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Require: require}}
	observed := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Require: require}, Observe: true}
	told := &trials{of: make(chan authn.Decided)}
	for role, want := range map[string]string{"editor": "", "reader": "requirement_not_met"} {
		w := newWorld(t, routes(judged, observed), func(s *setup) { s.gateway.Core.Observers = authn.Observers{told} })
		token := w.token("acme", claims.Object{"roles": []any{role}})
		for _, when := range []string{"nobody is there", "the session is there"} {
			w.through(observed, bearer(token))
			if one := <-told.of; one.Code != want {
				t.Errorf("%s, %s: %+v, want %q", role, when, one, want)
			}
			if resp, _ := w.through(judged, bearer(token)); (resp.StatusCode == 204) != (want == "") {
				t.Errorf("%s, %s: judged %d", role, when, resp.StatusCode)
			}
		}
	}
}
