package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// Who has stolen the cookie from before the second factor is not given the one from after.
func TestAttackFormerCookieIsNotRenewed(t *testing.T) {
	w, route := secondWorld(t)
	stolen := w.attest("acme", nil)["session_token"].(string)
	w.through(route, get("Cookie", "__Host-session="+stolen, "X-Device", w.token("other", nil)))
	w.clock.Advance(20 * time.Second)
	if resp, _ := w.through(route, get("Cookie", "__Host-session="+stolen)); resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("the former cookie is answered with %.40s", resp.Header.Get("Set-Cookie"))
	}
	w.clock.Advance(time.Minute)
	if resp, _ := w.through(route, get("Cookie", "__Host-session="+stolen)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("the former cookie: %d", resp.StatusCode)
	}
}

// An external id that the API gave in one organization is no word of the issuer's in another.
func TestAttackExchangeTakesAnIdOfTheAPI(t *testing.T) {
	w := newWorld(t, func(s *setup) {
		delete(s.profiles, "other")
		p := s.profiles["acme"]
		p.DefaultNamespace, p.Organization, p.CreateOrganizations, p.CreateMembers = "api", "", false, false
	})
	org := func(id string) string {
		return w.organization(claims.Object{"organization_name": id, "organization_external_id": id, "profiles": []any{"acme"}})
	}
	a, b := org("a"), org("b")
	w.member(a, claims.Object{"email_address": "mallory@example.com", "external_id": "1"})
	w.member(b, claims.Object{"email_address": "victim@example.com", "external_id": "1"})
	made := w.ok("POST", attestPath, claims.Object{"profile_id": "acme", "organization_id": a, "token": w.token("acme", claims.Object{"sub": nil, "email": "mallory@example.com"})})
	if status, answer := w.call("POST", exchangePath, with(named(made), claims.Object{"organization_id": b})); status == http.StatusOK {
		t.Errorf("the victim's session: %v", answer["member_id"])
	}
}

// email_verified speaks of the claim email, whatever an address is read from.
func TestAttackVerifiedIsAnotherAddress(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Any: true}}
	w := newWorld(t, routes(route), func(s *setup) {
		for _, p := range s.profiles {
			p.Organization = "shared"
		}
		s.profiles["other"].Map, s.profiles["other"].Roles = map[string]string{"email": "contact_email"}, nil
	})
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "shared", "profiles": []any{"acme", "other"}})
	_, victim := w.through(route, bearer(w.token("acme", claims.Object{"sub": "v", "email": "victim@corp.example"})))
	_, mallory := w.through(route, bearer(w.token("other", claims.Object{"sub": "mallory", "email": "mallory@evil.example", "contact_email": "victim@corp.example"})))
	if victim.claims["sub"] == nil || victim.claims["sub"] == mallory.claims["sub"] {
		t.Errorf("victim %v, mallory %v", victim.claims["sub"], mallory.claims["sub"])
	}
}

// What proxies in front add to every request is nothing that a page has meant.
func TestAttackHeadersOfFrontProxiesAreAmbient(t *testing.T) {
	for _, name := range []string{"X-Pomerium-Jwt-Assertion", "X-Amzn-Oidc-Accesstoken", "X-Auth-Request-Access-Token", "X-Ms-Token-Aad-Id-Token", "Teleport-Jwt-Assertion"} {
		w, route := placedWorld(t, trust.Place{Header: name})
		resp, _ := w.through(route, requestWith("POST", name, w.token("acme", nil), "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"))
		expect(t, name, resp, 403, "cross_site_request")
	}
}

// Strangers' tokens do not keep those of people from being asked about.
func TestAttackIntrospectionFlood(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"other"}}}
	w, _, _ := introspecting(t, routes(route))
	resp, _ := w.through(route, bearer("opaque-1"))
	expect(t, "before", resp, 204, "")
	w.clock.Advance(31 * time.Second)
	for i := range 2 * trust.IntrospectionRate {
		w.through(route, bearer(fmt.Sprint("garbage-", i)))
	}
	resp, _ = w.through(route, bearer("opaque-1"))
	expect(t, "meanwhile", resp, 204, "")
}

// A profile that only observes admits nobody, by sessions from before either.
func TestAttackObservedProfileKeepsItsSessions(t *testing.T) {
	route, observed := acme(), acme()
	w := newWorld(t, routes(route))
	made := w.attest("acme", nil)
	w2 := newWorld(t, routes(observed), w.shared(), func(s *setup) { s.profiles["acme"].Observe = true })
	for _, credential := range []string{"session_token", "session_jwt"} {
		if resp, _ := w2.through(observed, bearer(made[credential].(string))); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", credential, resp.StatusCode)
		}
	}
	if resp, _ := w.through(route, bearer(made["session_token"].(string))); resp.StatusCode != 204 {
		t.Errorf("where it does not only observe: %d", resp.StatusCode)
	}
}

// A token that was used up is not taken while sign-ins are frozen.
func TestAttackReplayDuringAFreeze(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) {
		s.profiles["acme"].ReplayReject, s.profiles["acme"].SessionKey = true, []string{"sub"}
	})
	w.through(route, bearer(w.token("acme", claims.Object{"jti": "a"})))
	used := w.token("acme", claims.Object{"jti": "b"})
	w.attest("acme", claims.Object{"token": used})
	w.freeze()
	resp, _ := w.through(route, bearer(used))
	expect(t, "frozen", resp, 401, "token_replayed")
	w.must(w.gateway.Core.DisableProfile(t.Context(), directory.AllProfiles, false))
	resp, _ = w.through(route, bearer(used))
	expect(t, "afterwards", resp, 401, "token_replayed")
}

// A second factor that is taken once is of use to one session.
func TestAttackSecondFactorOfTwoSessions(t *testing.T) {
	w, route := secondWorld(t, func(s *setup) { s.profiles["other"].ReplayReject = true })
	one := w.attest("acme", nil)["session_token"].(string)
	w.clock.Advance(time.Second)
	two := w.attest("acme", nil)["session_token"].(string)
	proof := w.token("other", claims.Object{"jti": "once"})
	for range 2 {
		resp, _ := w.through(route, get("Authorization", "Bearer "+one, "X-Device", proof))
		expect(t, "its session", resp, 204, "")
	}
	resp, _ := w.through(route, get("Authorization", "Bearer "+two, "X-Device", proof))
	expect(t, "another session", resp, 401, "token_replayed")
}

// A proof of a profile that the route does not name makes nothing fresh there.
func TestAttackFreshByAnotherProfile(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, Require: []authn.Requirement{{Fresh: 5 * time.Minute}}}}
	w := newWorld(t, routes(route), func(s *setup) {
		for _, p := range s.profiles {
			p.Organization, p.Namespace = "acme", "people"
		}
	})
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	s := named(w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"auth_time": w.clock.Now().Add(-time.Hour).Unix()})}))
	w.attest("other", with(s, claims.Object{"token": w.token("other", nil)}))
	resp, _ := w.through(route, bearer(s["session_token"].(string)))
	expect(t, "after another profile's proof", resp, 401, "insufficient_user_authentication")
}

// Of tokens that share a session the newest says what holds, also where it ends no later.
func TestAttackOlderClaimsOfASharedSession(t *testing.T) {
	route := acme()
	template, err := claims.Policy{}.ParseTemplate("default", `{"plan": {{ token.plan | default("free") }}}`)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, routes(route), func(s *setup) {
		s.gateway.Core.Templates = map[string]*claims.Template{"default": template}
		s.profiles["acme"].SessionKey, s.profiles["acme"].KeepClaims = []string{"sub"}, []string{"plan"}
	})
	end := w.clock.Now().Add(time.Hour).Unix()
	token := func(jti, plan string) string {
		return w.token("acme", claims.Object{"jti": jti, "plan": plan, "exp": end})
	}
	first := token("1", "pro")
	_, up := w.through(route, bearer(first))
	is(t, up.claims, "plan", "pro")
	w.clock.Advance(10 * time.Minute)
	_, up = w.through(route, bearer(token("2", "suspended")))
	is(t, up.claims, "plan", "suspended")
	_, up = w.through(route, bearer(first))
	is(t, up.claims, "plan", "suspended")
	if strings.Contains(fmt.Sprint(up.claims), "pro ") {
		t.Error(up.claims)
	}
}
