package e2e_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// guideToken is a token as Stytch's guide for custom factors makes it, the nth of
// Ada's. It names no organization.
func (d *dialect) guideToken(t *testing.T, n int) string {
	t.Helper()
	return login{t, d.key}.token(n)
}

// Stytch's guide for custom factors uses the consumer client: the members of one
// organization are its users.
func TestStytchConsumerFollowsTheGuide(t *testing.T) {
	d := startDialect(t, "Client", "")
	made := d.call(t, "sessions.attest", map[string]any{
		"profile_id": "legacy", "token": d.guideToken(t, 1), "session_duration_minutes": 60,
		"session_custom_claims": map[string]any{"plan": "pro"},
	})
	user := text(t, made, "user_id")
	for _, c := range []struct {
		path []string
		want any
	}{
		{[]string{"user", "user_id"}, user},
		{[]string{"session", "user_id"}, user},
		{[]string{"session", "roles"}, []any{"editor", "stytch_member"}},
		{[]string{"session", "custom_claims"}, map[string]any{"plan": "pro"}},
	} {
		if diff := cmp.Diff(c.want, at(made, c.path...)); diff != "" {
			t.Errorf("%v: %s", c.path, diff)
		}
	}
	second := d.call(t, "sessions.attest", map[string]any{
		"profile_id": "legacy", "token": d.guideToken(t, 2), "session_token": made["session_token"],
	})
	same(t, made, second, []string{"session_token"}, []string{"session", "session_id"}, []string{"session", "expires_at"})
	got := userTokenIDs(second)
	slices.Sort(got)
	if want := []any{tokenID(1), tokenID(2)}; !slices.EqualFunc(got, want, func(a string, b any) bool { return a == b }) {
		t.Errorf("factors %q, want %q", got, want)
	}
	for _, by := range []string{"session_token", "session_jwt"} {
		got := d.call(t, "sessions.authenticate", map[string]any{by: made[by], "session_duration_minutes": 60})
		same(t, made, got, []string{"session_token"}, []string{"user", "user_id"}, []string{"session", "session_id"})
	}
	d.counter.take()
	for _, want := range [][]string{{"GET /v1/sessions/jwks/" + project + " without credentials"}, nil} {
		got := d.call(t, "sessions.authenticateJwt", map[string]any{"session_jwt": second["session_jwt"]})
		wantRequests(t, d, "local", want...)
		same(t, made, got, []string{"session", "session_id"}, []string{"session", "user_id"})
	}
	wantRevoked(t, d, made)
}

func userTokenIDs(answer map[string]any) []string {
	return tokenIDs(map[string]any{"member_session": answer["session"]})
}

func wantRevoked(t *testing.T, d *dialect, made map[string]any) {
	t.Helper()
	who := map[string]any{"user_id": made["user_id"]}
	list, _ := d.call(t, "sessions.get", who)["sessions"].([]any)
	if len(list) != 1 || at(list[0], "session_id") != at(made, "session", "session_id") {
		t.Errorf("live sessions %v", list)
	}
	d.call(t, "sessions.revoke", map[string]any{"session_id": at(made, "session", "session_id")})
	d.refused(t, "404", "session_not_found", "sessions.authenticate", map[string]any{"session_token": made["session_token"]})
	if list, _ := d.call(t, "sessions.get", who)["sessions"].([]any); len(list) != 0 {
		t.Errorf("live sessions %v", list)
	}
}

// Without a duration the consumer API says who somebody is and starts nothing.
func TestStytchConsumerWithoutADuration(t *testing.T) {
	d := startDialect(t, "Client", "")
	made := d.call(t, "sessions.attest", map[string]any{"profile_id": "legacy", "token": d.guideToken(t, 1)})
	text(t, made, "user", "user_id")
	if session, there := made["session"]; !there || session != nil || made["session_token"] != "" || made["session_jwt"] != "" {
		t.Errorf("answer %v", made)
	}
	list, _ := d.call(t, "sessions.get", map[string]any{"user_id": made["user_id"]})["sessions"].([]any)
	if len(list) != 0 {
		t.Errorf("live sessions %v", list)
	}
}

// The consumer endpoints see the sessions of their one organization and no other.
func TestStytchConsumerSeesOneOrganization(t *testing.T) {
	d := startDialect(t, "Client", "")
	b2b := &dialect{startSDK(t, "B2BClient", d.counter.URL, apiSecret), d.gateway, d.counter, d.key}
	made := b2b.attested(t, "acme", "editor")
	for _, by := range []string{"session_token", "session_jwt"} {
		d.refused(t, "404", "session_not_found", "sessions.authenticate", map[string]any{by: made[by]})
		d.refused(t, "404", "session_not_found", "sessions.revoke", map[string]any{by: made[by]})
	}
	d.refused(t, "404", "session_not_found", "sessions.revoke", map[string]any{"session_id": at(made, "member_session", "member_session_id")})
	d.refused(t, "404", "member_not_found", "sessions.get", map[string]any{"user_id": made["member_id"]})
	b2b.call(t, "sessions.authenticate", map[string]any{"session_token": made["session_token"]})
}

func TestStytchConsumerAuthorizationCheck(t *testing.T) {
	d := startDialect(t, "Client", "")
	made := d.call(t, "sessions.attest", map[string]any{
		"profile_id": "legacy", "token": d.guideToken(t, 1), "session_duration_minutes": 60,
	})
	ask := func(action string) map[string]any {
		return map[string]any{
			"session_token":       made["session_token"],
			"authorization_check": map[string]any{"resource_id": "documents", "action": action},
		}
	}
	got := d.call(t, "sessions.authenticate", ask("write"))
	if diff := cmp.Diff(map[string]any{"authorized": true, "granting_roles": []any{"editor"}}, got["verdict"]); diff != "" {
		t.Error(diff)
	}
	d.refused(t, "403", "session_authorization_error", "sessions.authenticate", ask("delete"))
}
