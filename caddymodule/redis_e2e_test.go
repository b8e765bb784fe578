package caddymodule_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	before := connections(server)
	for i := range 100 {
		s.must(s.load(strings.Replace(text, "attest acme\n", fmt.Sprintf("attest acme {\n audience a%d\n}\n", i), 1)))
	}
	s.get("/", "Authorization", "Bearer "+s.token(nil))
	deadline := time.Now().Add(10 * time.Second)
	for connections(server) > before+5 {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections, %d before", connections(server), before)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func connections(server *redistest.Server) int {
	return strings.Count(server.CLI("CLIENT", "LIST"), "id=")
}

// TestReloadsWithAnotherClient: twenty reloads that change how Redis is reached, under
// load, fail no request, and what this node revoked while Redis took no writes stays
// revoked. The former clients are closed.
func TestReloadsWithAnotherClient(t *testing.T) {
	server := redistest.Start(t)
	s, err := newRedisSite(t, server.Addr+" {\n timeout 2s\n}")
	s.must(err)
	_, made := s.call("/v1/b2b/sessions/attest", map[string]any{"profile_id": "acme", "token": s.token(nil)})
	revoked := made["session_token"]
	token := s.token(nil)
	s.get("/", "Authorization", "Bearer "+token)
	server.CLI("CONFIG", "SET", "maxmemory", "1")
	if status, answer := s.call("/v1/b2b/sessions/revoke", map[string]any{"session_token": revoked}); status != 503 {
		t.Fatalf("revoke while Redis takes no writes: %d %v", status, answer)
	}
	stop := s.asking(token)
	for i := range 20 {
		s.must(s.load(redisSite(fmt.Sprintf("%s {\n timeout %dms\n pool %d\n}", server.Addr, 2001+i, 50+i))))
	}
	if failed := stop(); len(failed) > 0 {
		t.Errorf("%d requests failed: %s …", len(failed), failed[0])
	}
	if res := s.get("/", "Authorization", fmt.Sprint("Bearer ", revoked)); res.StatusCode != 401 {
		t.Errorf("a revoked session after the reloads: %d", res.StatusCode)
	}
	for deadline := time.Now().Add(30 * time.Second); connections(server) > 20; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left", connections(server))
		}
	}
}

// asking asks for a page in four loops, until it is stopped; the answer is what
// failed.
func (s *site) asking(token string) (stop func() []string) {
	var mu sync.Mutex
	var failed []string
	done := make(chan struct{})
	var loops sync.WaitGroup
	for range 4 {
		loops.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if failure := s.ask(token); failure != "" {
					mu.Lock()
					failed = append(failed, failure)
					mu.Unlock()
				}
			}
		})
	}
	return func() []string { close(done); loops.Wait(); return failed }
}

// ask asks once, and answers what went wrong. A connection that a reload of Caddy
// closes before a request on it was read is tried again, as a browser does.
func (s *site) ask(token string) string {
	for {
		r, err := http.NewRequest(http.MethodGet, s.url("/"), nil)
		if err != nil {
			return err.Error()
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return fmt.Sprintf("%d %s %v", res.StatusCode, res.Header.Get("Attest-Error"), err)
		}
		return ""
	}
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
