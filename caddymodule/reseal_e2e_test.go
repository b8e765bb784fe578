package caddymodule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
)

const (
	newSecret  = "another sealing secret, made a year after the first"
	resealedIn = 10 * time.Second
	removable  = "the others can be removed"
)

// sealedSite is plainSite, its file sealed with the secrets.
func sealedSite(secrets ...string) string {
	line := "secret \"" + strings.Join(secrets, "\" \"") + "\"\n\t\tstore bolt"
	return strings.Replace(plainSite, "store bolt", line, 1)
}

func (s *site) awaitLog(text string) {
	s.t.Helper()
	for deadline := time.Now().Add(resealedIn); !strings.Contains(s.logged(), text); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the log does not say %q", text)
		}
	}
}

// The sealing secret is changed without losing a session or a key: the former one
// is removed when the log says so.
func TestCaddySealingSecretIsRotated(t *testing.T) {
	s := newSite(t, sealedSite(sealSecret))
	status, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
	if status != 200 {
		t.Fatalf("attest: %d %v", status, made)
	}
	jwks := string(read(t, s.get("/.well-known/jwks.json")))
	if strings.Contains(s.logged(), removable) {
		t.Error("with one secret there is nothing to remove")
	}

	s.must(s.load(sealedSite(newSecret, sealSecret)))
	s.awaitLog(removable)
	s.must(caddy.Stop())
	s.must(s.load(sealedSite(newSecret)))
	if res := s.get("/", "Authorization", "Bearer "+made["session_token"].(string)); res.StatusCode != 200 {
		t.Errorf("the session under the new secret alone: %d", res.StatusCode)
	}
	if now := string(read(t, s.get("/.well-known/jwks.json"))); now != jwks || !strings.Contains(jwks, "kid") {
		t.Errorf("the published keys were %s, now %s", jwks, now)
	}
	if log := s.logged(); strings.Contains(log, sealSecret) || strings.Contains(log, newSecret) || strings.Contains(log, "does not open") {
		t.Error("the log holds a secret or an alarm")
	}
}
