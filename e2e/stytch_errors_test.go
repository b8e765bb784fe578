package e2e_test

import (
	"strings"
	"testing"
)

// Every refusal reaches a caller as the SDK's StytchError: the status a number, the
// type one that is documented.
func TestStytchErrors(t *testing.T) {
	d := startB2B(t)
	token := d.token(t, "acme", "editor")
	made := d.attested(t, "acme", "editor")
	forged := token[:strings.LastIndexByte(token, '.')+1] + strings.Repeat("A", 342)
	for name, c := range map[string]struct {
		status, kind, method string
		argument             map[string]any
	}{
		"no profile":         {"404", "trusted_token_profile_not_found", "sessions.attest", map[string]any{"profile_id": "x", "token": token}},
		"no token":           {"400", "invalid_argument", "sessions.attest", map[string]any{"profile_id": "tenants"}},
		"not a token":        {"400", "invalid_trusted_auth_token", "sessions.attest", map[string]any{"profile_id": "tenants", "token": "x"}},
		"forged":             {"400", "invalid_trusted_auth_token", "sessions.attest", map[string]any{"profile_id": "tenants", "token": forged}},
		"no organization":    {"400", "token_missing_organization_id_claim", "sessions.attest", map[string]any{"profile_id": "legacy", "token": token}},
		"no session":         {"400", "no_session_arguments", "sessions.authenticate", map[string]any{}},
		"not a session":      {"400", "invalid_session_token", "sessions.authenticate", map[string]any{"session_token": "x"}},
		"not a JWT":          {"400", "unable_to_parse_session_jwt", "sessions.authenticate", map[string]any{"session_jwt": "x"}},
		"not ours":           {"400", "unable_to_parse_session_jwt", "sessions.authenticateJwt", map[string]any{"session_jwt": token}},
		"too short":          {"400", "invalid_session_duration_minutes", "sessions.authenticate", map[string]any{"session_token": made["session_token"], "session_duration_minutes": 4}},
		"too long":           {"400", "invalid_session_duration_minutes", "sessions.authenticate", map[string]any{"session_token": made["session_token"], "session_duration_minutes": 527041}},
		"claims not object":  {"400", "bad_request", "sessions.authenticate", map[string]any{"session_token": made["session_token"], "session_custom_claims": []any{1}}},
		"nothing to revoke":  {"400", "no_session_revoke_arguments", "sessions.revoke", map[string]any{}},
		"too much to revoke": {"400", "too_many_session_revoke_arguments", "sessions.revoke", map[string]any{"member_id": made["member_id"], "session_token": made["session_token"]}},
		"unknown session":    {"404", "session_not_found", "sessions.revoke", map[string]any{"member_session_id": "session-00000000-0000-4000-8000-000000000000"}},
		"unknown tenant":     {"404", "organization_not_found", "organizations.get", map[string]any{"organization_id": "nobody"}},
		"unknown member":     {"404", "member_not_found", "organizations.members.get", map[string]any{"organization_id": "shop", "member_id": "nobody"}},
		"unknown filter":     {"400", "invalid_argument", "organizations.search", map[string]any{"query": map[string]any{"operator": "AND", "operands": []any{map[string]any{"filter_name": "x", "filter_value": "y"}}}}},
		"exchange nowhere":   {"404", "organization_not_found", "sessions.exchange", map[string]any{"session_token": made["session_token"], "organization_id": "nobody"}},
		"migrate":            {"404", "route_not_found", "sessions.migrate", map[string]any{"session_token": "x", "organization_id": "shop"}},
		"magic link":         {"404", "route_not_found", "magicLinks.email.loginOrSignup", map[string]any{"organization_id": "shop", "email_address": "ada@example.com"}},
		"single sign-on":     {"404", "route_not_found", "sso.getConnections", map[string]any{"organization_id": "shop"}},
	} {
		t.Run(name, func(t *testing.T) { d.refused(t, c.status, c.kind, c.method, c.argument) })
	}
	after := d.call(t, "sessions.authenticate", map[string]any{"session_token": made["session_token"]})
	same(t, made, after, []string{"member_session", "expires_at"})
}

func TestStytchWrongSecret(t *testing.T) {
	d := startB2B(t)
	stranger := startSDK(t, "B2BClient", d.counter.URL, strings.Repeat("wrong", 8))
	stranger.refused(t, "401", "unauthorized_credentials", "sessions.attest", map[string]any{
		"profile_id": "tenants", "token": d.token(t, "acme", "editor"),
	})
	d.refused(t, "404", "organization_not_found", "organizations.get", map[string]any{"organization_id": "acme"})
}
