package e2e_test

import "testing"

// kill -9 takes nothing that an answer promised: sessions, members and keys are
// there after the restart, and JWTs made before still verify.
func TestKilledAndStartedAgain(t *testing.T) {
	g, l, a := startRecipe(t)
	bearer := l.token(1)
	made := g.attest("legacy", l.token(2), nil)
	jwt := made["session_jwt"].(string)
	injected := g.admitted(a, "/", bearer)

	g.kill()
	if g.ready() {
		t.Fatal("somebody else answers on the port")
	}
	g.start()

	for name, c := range map[string]struct{ audience, token string }{"session JWT": {project, jwt}, "injected JWT": {g.url(""), injected}} {
		wantAda(t, verified(t, g, c.audience, c.token), made)
		if kid := part(t, c.token, 0)["kid"]; kid != part(t, g.admitted(a, "/", made["session_token"].(string)), 0)["kid"] {
			t.Errorf("%s: another key signs now", name)
		}
	}
	for name, arguments := range map[string]map[string]any{"session_token": {"session_token": made["session_token"]}, "session_jwt": {"session_jwt": jwt}} {
		again := g.call("/v1/b2b/sessions/authenticate", arguments)
		for _, path := range [][]string{{"session_token"}, {"member_session", "member_session_id"}, {"member", "member_id"}, {"member_session", "expires_at"}} {
			if at(again, path...) != at(made, path...) {
				t.Errorf("%s: %v was %v and is %v", name, path, at(made, path...), at(again, path...))
			}
		}
	}
	wantAda(t, verified(t, g, g.url(""), g.admitted(a, "/", jwt)), made)
	if after := part(t, g.admitted(a, "/", bearer), 1); at(after, "session", "id") != at(part(t, injected, 1), "session", "id") {
		t.Error("the same bearer has another session now")
	}
}
