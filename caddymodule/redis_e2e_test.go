package caddymodule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

const redisPassword = "a-redis-password-that-no-log-may-hold"

// redisSite is plainSite with its sessions in Redis. REDIS is replaced by the lines
// given.
func redisSite(lines string) string {
	return strings.Replace(plainSite, "store bolt DIR/sessions.db", "secret \""+sealSecret+"\"\n\t\tstore redis "+lines, 1)
}

func newRedisSite(t *testing.T, lines string) (*site, error) {
	t.Helper()
	s := &site{t: t, issuer: trusttest.NewIssuer(t), app: newRecorder(t), dir: tempDir(t), port: freePort(t)}
	t.Cleanup(func() { _ = caddy.Stop() })
	return s, s.load(redisSite(lines))
}

func TestCaddySessionsInRedis(t *testing.T) {
	server := redistest.Start(t, "--requirepass", redisPassword)
	s, err := newRedisSite(t, server.Addr+" {\n password "+redisPassword+"\n}")
	s.must(err)
	status, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
	if status != 200 {
		t.Fatalf("attest: %d %v", status, made)
	}
	s.must(caddy.Stop()) // and another process could go on
	s.must(s.load(redisSite(server.Addr + " {\n password " + redisPassword + "\n}")))
	if res := s.get("/", "Authorization", "Bearer "+made["session_token"].(string)); res.StatusCode != 200 {
		t.Errorf("after a restart: %d", res.StatusCode)
	}
	if strings.Contains(s.logged(), redisPassword) || strings.Contains(s.logged(), sealSecret) {
		t.Error("the log holds a secret")
	}
	if !strings.Contains(s.logged(), "no_persistence") {
		t.Error("nobody was told that this Redis keeps nothing on disk")
	}
}

// F11: a wrong password refuses the configuration, naming the store and not the
// secret.
func TestCaddyRedisWithAWrongPassword(t *testing.T) {
	server := redistest.Start(t, "--requirepass", redisPassword)
	_, err := newRedisSite(t, server.Addr+" {\n password "+redisPassword+"-wrong\n}")
	if err == nil || !strings.Contains(err.Error(), "store redis") || strings.Contains(err.Error(), redisPassword) {
		t.Errorf("got %v", err)
	}
}

// A gateway that starts while Redis is away answers 503 at once, and serves when
// Redis is there, without a restart.
func TestCaddyStartsWhileRedisIsAway(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s, err := newRedisSite(t, server.Addr)
	s.must(err)
	began := time.Now()
	res := s.get("/", "Authorization", "Bearer "+s.token(nil))
	refused(t, res, 503, "service_unavailable")
	if took := time.Since(began); took > time.Second {
		t.Errorf("the 503 took %s", took)
	}
	server.Restart()
	for range 100 {
		if res = s.get("/", "Authorization", "Bearer "+s.token(nil)); res.StatusCode == 200 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("still %d", res.StatusCode)
}

// A hundred reloads keep one client: no connection and no goroutine is left.
func TestCaddyHundredReloadsKeepTheirConnections(t *testing.T) {
	server := redistest.Start(t)
	text := redisSite(server.Addr)
	s, err := newRedisSite(t, server.Addr)
	s.must(err)
	s.get("/", "Authorization", "Bearer "+s.token(nil))
	before := clients(server)
	for i := range 100 {
		s.must(s.load(strings.Replace(text, "attest acme\n", fmt.Sprintf("attest acme {\n audience a%d\n}\n", i), 1)))
	}
	s.get("/", "Authorization", "Bearer "+s.token(nil))
	deadline := time.Now().Add(10 * time.Second)
	for clients(server) > before+5 {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, %d before", clients(server), before)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func clients(server *redistest.Server) int {
	return strings.Count(server.CLI("CLIENT", "LIST"), "id=")
}

// The store's file is for the owner alone.
func TestCaddyBoltFileIsPrivate(t *testing.T) {
	s := newSite(t, plainSite)
	info, err := os.Stat(filepath.Join(s.dir, "sessions.db"))
	s.must(err)
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o", got)
	}
}
