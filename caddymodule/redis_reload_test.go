package caddymodule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// revokedHere makes two sessions, of which one is revoked while Redis takes no writes,
// so that this process alone knows of it.
func (s *site) revokedHere(server *redistest.Server) (live, revoked string) {
	s.t.Helper()
	var tokens []string
	for range 2 {
		status, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
		if status != 200 {
			s.t.Fatalf("attest: %d %v", status, made)
		}
		tokens = append(tokens, made["session_token"].(string))
	}
	server.CLI("CONFIG", "SET", "maxmemory", "1")
	if status, answer := s.call("/v1/b2b/sessions/revoke", map[string]any{"session_token": tokens[1]}); status != 503 {
		s.t.Fatalf("revoke while Redis takes no writes: %d %v", status, answer)
	}
	return tokens[0], tokens[1]
}

// admits holds which of the two sessions is admitted.
func (s *site) admits(when, live, revoked string) {
	s.t.Helper()
	if res := s.get("/", "Authorization", "Bearer "+live); res.StatusCode != 200 {
		s.t.Errorf("%s: a live session is %d", when, res.StatusCode)
	}
	if res := s.get("/", "Authorization", "Bearer "+revoked); res.StatusCode != 401 {
		s.t.Errorf("%s: a revoked session is %d", when, res.StatusCode)
	}
}

// TestReloadWithAnotherRedisPassword: after the password of the ACL user has changed,
// a reload with the new one serves again, and knows what was revoked before.
func TestReloadWithAnotherRedisPassword(t *testing.T) {
	server := redistest.Start(t)
	password := func(text string) string {
		server.CLI("ACL", "SETUSER", "gateway", "on", "resetpass", ">"+text, "~*", "&*", "+@all")
		_, _ = server.TryCLI("CLIENT", "KILL", "USER", "gateway") // an error: nobody is connected
		return fmt.Sprintf("%s {\n timeout 2s\n username gateway\n password %s\n}", server.Addr, text)
	}
	before := password("the-first-password")
	s, err := newRedisSite(t, before)
	s.must(err)
	live, revoked := s.revokedHere(server)
	s.admits("before", live, revoked)

	after := password("the-second-password")
	if err := s.load(redisSite(before)); err == nil {
		if res := s.get("/", "Authorization", "Bearer "+live); res.StatusCode != 503 {
			t.Errorf("with the former password: %d", res.StatusCode)
		}
	}
	s.must(s.load(redisSite(after)))
	s.admits("with the new password", live, revoked)
}

// TestReloadWithAnotherRedisCA: the content of a CA file counts at each reload, though
// its name is the same, and a reload forgets no revocation.
func TestReloadWithAnotherRedisCA(t *testing.T) {
	server, address, authority := redistest.StartTLS(t)
	_, _, other := redistest.StartTLS(t)
	dir := tempDir(t)
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	lines := fmt.Sprintf("%s {\n timeout 2s\n tls {\n ca %s\n cert %s\n key %s\n server_name redis.test\n}\n}",
		address, file("ca", authority.CA), file("cert", authority.Cert), file("key", authority.Key))
	s, err := newRedisSite(t, lines)
	s.must(err)
	live, revoked := s.revokedHere(server)
	s.admits("before", live, revoked)

	file("ca", other.CA)
	s.must(s.load(redisSite(lines)))
	if res := s.get("/", "Authorization", "Bearer "+live); res.StatusCode != 503 {
		t.Errorf("with the CA of another server: %d", res.StatusCode)
	}
	file("ca", append(append([]byte{}, other.CA...), authority.CA...))
	s.must(s.load(redisSite(lines)))
	s.admits("with both", live, revoked)
}
