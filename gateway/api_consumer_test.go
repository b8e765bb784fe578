package gateway_test

import (
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

const consumerPath = "/v1/sessions"

// user attests a token by the consumer endpoint.
func (w *world) user(body claims.Object) claims.Object {
	w.t.Helper()
	return w.ok("POST", consumerPath+"/attest", with(claims.Object{"profile_id": "app", "token": w.token("app", nil), "session_duration_minutes": 60}, body))
}

func TestConsumerAttest(t *testing.T) {
	w := newWorld(t, compat)
	answer := w.user(claims.Object{"session_custom_claims": claims.Object{"a": 1}})
	for path, want := range map[string]any{
		"user.user_id": answer["user_id"], "session.user_id": answer["user_id"], "session.custom_claims": map[string]any{"a": 1},
		"session.roles": []any{"stytch_member"}, "session.expires_at": "2026-03-01T13:00:00Z", "user.status": "active",
		"user.emails": []any{map[string]any{"email": "ada@example.com", "email_id": "", "verified": true}},
		"member":      nil, "organization": nil, "member_session": nil,
	} {
		is(t, answer, path, want)
	}
	more := w.user(claims.Object{"session_token": answer["session_token"], "token": w.token("app", claims.Object{"jti": "2"})})
	is(t, more, "session.session_id", at(answer, "session.session_id"))
	if n := len(at(more, "session.authentication_factors").([]any)); n != 2 {
		t.Errorf("%d factors", n)
	}
}

// Without a duration the answer says who it is, and there is no session.
func TestConsumerAttestWithoutDuration(t *testing.T) {
	w := newWorld(t, compat)
	answer := w.ok("POST", consumerPath+"/attest", claims.Object{"profile_id": "app", "token": w.token("app", nil)})
	session, has := answer["session"]
	if session != nil || !has || answer["session_token"] != "" || answer["session_jwt"] != "" {
		t.Errorf("session is %v, the token %q", session, answer["session_token"])
	}
	id := answer["user_id"].(string)
	if list := w.ok("GET", consumerPath+"?user_id="+id, nil)["sessions"].([]any); len(list) != 0 {
		t.Errorf("%d sessions", len(list))
	}
	is(t, w.user(nil), "user_id", id)
}

func TestConsumerSessionLives(t *testing.T) {
	w := newWorld(t, compat, policy)
	first := w.user(claims.Object{"token": w.token("app", claims.Object{"roles": []any{"reader"}})})
	w.clock.Advance(10 * time.Minute)
	answer := w.ok("POST", consumerPath+"/authenticate", claims.Object{
		"session_jwt": first["session_jwt"], "session_duration_minutes": 30,
		"authorization_check": claims.Object{"resource_id": "documents", "action": "read"},
	})
	is(t, answer, "session.expires_at", "2026-03-01T12:40:00Z")
	is(t, answer, "verdict.granting_roles", []any{"reader"})
	is(t, answer, "session_token", first["session_token"])
	w.refused(403, "session_authorization_error", "POST", consumerPath+"/authenticate",
		with(named(first), claims.Object{"authorization_check": claims.Object{"resource_id": "documents", "action": "write"}}))
	w.refused(400, "no_session_arguments", "POST", consumerPath+"/authenticate", claims.Object{})
	list := w.ok("GET", consumerPath+"?user_id="+first["user_id"].(string), nil)["sessions"].([]any)
	if len(list) != 1 {
		t.Fatalf("%d sessions", len(list))
	}
	is(t, list[0].(map[string]any), "session_id", at(first, "session.session_id"))
	w.user(nil)
	page := w.ok("GET", consumerPath+"?limit=1&user_id="+first["user_id"].(string), nil)
	is(t, page, "results_metadata.total", 2)
	if n := len(page["sessions"].([]any)); n != 1 || at(page, "results_metadata.next_cursor") == nil {
		t.Errorf("a page of one has %d, and %v", n, page["results_metadata"])
	}
	w.ok("POST", consumerPath+"/revoke", claims.Object{"session_id": at(first, "session.session_id")})
	w.refused(404, "session_not_found", "POST", consumerPath+"/authenticate", named(first))
	w.refused(404, "session_not_found", "POST", consumerPath+"/revoke", claims.Object{"session_id": at(first, "session.session_id")})
	w.refused(400, "no_session_revoke_arguments", "POST", consumerPath+"/revoke", claims.Object{})
	w.refused(400, "invalid_argument", "GET", consumerPath, nil)
	w.refused(404, "member_not_found", "GET", consumerPath+"?user_id=x", nil)
	for _, by := range []string{"session_token", "session_jwt"} {
		another := w.user(nil)
		w.ok("POST", consumerPath+"/revoke", claims.Object{by: another[by]})
		w.refused(404, "session_not_found", "POST", consumerPath+"/authenticate", named(another))
	}
}

// The consumer endpoints know the users of their own organization only: neither
// sessions nor members of others can be named, nor their organization.
func TestConsumerEndpointsStayInTheirOrganization(t *testing.T) {
	w := newWorld(t, compat)
	other := w.attest("acme", nil)
	w.user(nil)
	id := at(other, "member_session.member_session_id")
	for _, row := range []struct {
		status       int
		code         string
		method, path string
		body         any
	}{
		{404, "session_not_found", "POST", "/authenticate", named(other)},
		{404, "session_not_found", "POST", "/authenticate", claims.Object{"session_jwt": other["session_jwt"]}},
		{404, "session_not_found", "POST", "/revoke", named(other)},
		{404, "session_not_found", "POST", "/revoke", claims.Object{"session_id": id}},
		{400, "no_session_revoke_arguments", "POST", "/revoke", claims.Object{"member_id": other["member_id"]}},
		{404, "member_not_found", "GET", "?user_id=" + other["member_id"].(string), nil},
		{404, "session_not_found", "POST", "/attest", with(named(other), claims.Object{"profile_id": "app", "token": w.token("app", nil)})},
		{400, "invalid_token_organization_id_claim", "POST", "/attest", claims.Object{"profile_id": "acme", "token": w.token("acme", nil), "session_duration_minutes": 60}},
	} {
		w.refused(row.status, row.code, row.method, consumerPath+row.path, row.body)
	}
	w.ok("POST", authenticatePath, named(other))
	named := w.user(claims.Object{"organization_id": "acme"}) // passed over, as what is unknown is
	is(t, w.ok("GET", orgsPath+"/members/dangerously_get/"+named["user_id"].(string), nil), "organization.organization_id", "consumers")
}

func TestConsumerEndpointsNeedCompatAndAnOrganization(t *testing.T) {
	for name, change := range map[string]option{
		"no organization": func(s *setup) { s.gateway.ConsumerOrganization = "" },
		"no compat":       func(s *setup) { s.gateway.Core.Compat, s.gateway.Core.Issuer = false, issuer },
	} {
		w := newWorld(t, compat, change)
		for _, path := range []string{"/attest", "/authenticate", "/revoke"} {
			if status, answer := w.call("POST", consumerPath+path, claims.Object{}); status != 404 || answer["error_type"] != "route_not_found" {
				t.Errorf("%s: %s: %d %v", name, path, status, answer)
			}
		}
	}
}

func TestConsumerEndpointsNeedASecretForSessions(t *testing.T) {
	w := newWorld(t, compat, secrets(authn.Secret{Value: secret, Scopes: []string{"directory"}}))
	for path, method := range map[string]string{"/attest": "POST", "/authenticate": "POST", "/revoke": "POST", "": "GET"} {
		w.refused(403, "scope_not_granted", method, consumerPath+path, claims.Object{})
	}
}
