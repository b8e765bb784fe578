package caddymodule_test

import "testing"

// TestPerMember: the cap of a Caddyfile takes effect: a member's third sign-in ends the
// first, and the session of a bearer token does not count.
func TestPerMember(t *testing.T) {
	s := newSite(t, with("session {\n\t\t\tper_member 2\n\t\t}"))
	var tokens []string
	for range 3 {
		status, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
		if status != 200 {
			t.Fatalf("attest: %d %v", status, made)
		}
		tokens = append(tokens, made["session_token"].(string))
		if res := s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode != 200 {
			t.Errorf("a bearer token: %d", res.StatusCode)
		}
	}
	for i, want := range []int{401, 200, 200} {
		if res := s.get("/", "Authorization", "Bearer "+tokens[i]); res.StatusCode != want {
			t.Errorf("session %d of 3: %d, want %d", i+1, res.StatusCode, want)
		}
	}
}
