package gateway_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// tokenWorld is a gateway whose template names claims of the trusted token and facts of the
// session; the profiles acme and other are of one organization.
func tokenWorld(t *testing.T, routes ...*proxy.Route) *world {
	t.Helper()
	template, err := claims.Policy{}.ParseTemplate("default", `{
		"plan": {{ token.https://app.test/plan | default("free") }}, "order": {{ token.order.id }}, "tags": {{ token.tags }},
		"by": {{ session.profile }}, "how": {{ session.factor_types }}, "is": {{ session.member_session_id }}, "since": {{ session.started_at }}
	}`)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, func(s *setup) {
		s.gateway.Core.Templates = map[string]*claims.Template{"default": template}
		s.gateway.Routes = routes
		for _, p := range s.profiles {
			p.KeepClaims, p.Organization, p.Namespace = template.TokenClaims(), "acme", "people"
		}
		s.profiles["other"].Factor.Type = "device"
	})
}

func TestTemplatesSeeTheTrustedTokenAndTheSession(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := tokenWorld(t, route)
	token := w.token("acme", claims.Object{
		"https://app.test/plan": "pro", "order": claims.Object{"id": json.Number("9007199254740993"), "secret": "x"}, "tags": []any{"a", json.Number("1")},
	})
	for _, how := range []string{"cold", "warm"} {
		_, up := w.through(route, bearer(token))
		c := up.claims
		tags, _ := c["tags"].([]any)
		if c["plan"] != "pro" || c["order"] != json.Number("9007199254740993") || len(tags) != 2 || c["by"] != "acme" || c["since"] != "2026-03-01T12:00:00Z" {
			t.Errorf("%s: %v", how, c)
		}
		if id, _ := c["is"].(string); !strings.HasPrefix(id, "session-") {
			t.Errorf("%s: session %v", how, c["is"])
		}
	}
	_, up := w.through(route, bearer(w.token("acme", claims.Object{"jti": "without"})))
	if _, there := up.claims["order"]; there || up.claims["plan"] != "free" {
		t.Errorf("a token without the claims: %v", up.claims)
	}
	resp, _ := w.through(route, bearer(w.token("acme", claims.Object{"jti": "large", "tags": strings.Repeat("x", 2048)})))
	if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(resp.Header.Get("Attest-Error"), "invalid_trusted_auth_token") {
		t.Errorf("3 KB of claims: %d %s", resp.StatusCode, resp.Header.Get("Attest-Error"))
	}
}

// The token is that of the newest factor that the route's profiles gave: one session says
// different things at two routes, also where both ask for it in turn.
func TestTokenOfTemplatesIsTheRoutesOwn(t *testing.T) {
	both := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}}}
	first := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := tokenWorld(t, both, first)
	w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	made := w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"https://app.test/plan": "pro"})})
	session := made["session_token"].(string)
	added := w.attest("other", claims.Object{"session_token": session, "token": w.token("other", claims.Object{"https://app.test/plan": "device"})})
	session = added["session_token"].(string)
	for range 2 {
		if _, up := w.through(both, bearer(session)); up.claims["plan"] != "device" || up.claims["by"] != "other" {
			t.Errorf("of both profiles: %v", up.claims)
		}
		if _, up := w.through(first, bearer(session)); up.claims["plan"] != "pro" || up.claims["by"] != "acme" {
			t.Errorf("of the first profile: %v", up.claims)
		}
	}
}
