package caddymodule_test

import (
	"strings"
	"testing"
	"time"
)

// A route that only observes changes nothing for anybody, and records what it would
// decide.
func TestObserveChangesNothingAndTells(t *testing.T) {
	s := newOperated(t, strings.Replace(plainSite, "\tattest acme\n", "\tattest acme {\n\t\tobserve\n\t}\n", 1))
	good, bad := s.token(nil), s.token(map[string]any{"aud": "other"})
	for _, credential := range []string{"Bearer " + good, "Bearer " + bad, ""} {
		if res := s.get("/", "Authorization", credential); res.StatusCode != 200 {
			t.Errorf("%d", res.StatusCode)
		}
		if up, _ := s.app.seen(); strings.Contains(up.Header.Get("Authorization"), "ey") {
			t.Errorf("the upstream saw %s", up.Header.Get("Authorization"))
		}
	}
	want := map[string]string{
		`caddy_attest_requests_total{code="",door="proxy",profile="acme",reason="",result="would_admit"}`:                                             "1",
		`caddy_attest_requests_total{code="invalid_trusted_auth_token",door="proxy",profile="acme",reason="audience_mismatch",result="would_refuse"}`: "1",
		`caddy_attest_requests_total{code="no_credential",door="proxy",profile="",reason="no_credential",result="would_refuse"}`:                      "1",
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		found := s.scrape()
		missing := ""
		for name, value := range want {
			if found[name] != value {
				missing = name + " is " + found[name]
			}
		}
		if missing == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(missing)
		}
	}
	if out := s.run("members", "list"); strings.Contains(out, "member-") {
		t.Errorf("a member was made: %s", out)
	}
	if out := s.run("refusals"); !strings.Contains(out, "audience_mismatch") {
		t.Errorf("refusals: %s", out)
	}
	if !strings.Contains(s.logged(), "this attest only observes") || !strings.Contains(s.logged(), "request would be refused") {
		t.Error("the log does not tell")
	}
}
