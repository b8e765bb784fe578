package gateway_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// A member whom a token named has that id in answers and templates, until a caller of the
// API gives it one; what is stored stays as it is.
func TestExternalIDIsThatOfTheToken(t *testing.T) {
	template, err := claims.Policy{}.ParseTemplate("default", `{"id": {{ member.external_id }}}`)
	if err != nil {
		t.Fatal(err)
	}
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Templates = map[string]*claims.Template{"default": template} })
	token := w.token("acme", claims.Object{"sub": "ada-17"})
	made := w.attest("acme", claims.Object{"token": token})
	if got := at(made, "member.external_id"); got != "ada-17" {
		t.Errorf("the answer has %v", got)
	}
	if _, up := w.through(route, bearer(token)); up.claims["id"] != "ada-17" {
		t.Errorf("the app hears %v", up.claims["id"])
	}
	path := "/v1/b2b/organizations/" + at(made, "organization.organization_id").(string) + "/members/" + made["member_id"].(string)
	stored, err := w.gateway.Core.FindMember(t.Context(), at(made, "organization.organization_id").(string), made["member_id"].(string))
	if err != nil || stored.ExternalID() != "" {
		t.Errorf("stored is %q, %v", stored.ExternalID(), err)
	}
	w.ok("PUT", path, claims.Object{"external_id": "crm-1"})
	if got := at(w.attest("acme", claims.Object{"token": token}), "member.external_id"); got != "crm-1" {
		t.Errorf("the answer has %v after the API gave one", got)
	}
	if _, up := w.through(route, bearer(token)); up.claims["id"] != "crm-1" {
		t.Errorf("the app hears %v after the API gave one", up.claims["id"])
	}
}
