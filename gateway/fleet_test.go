package gateway_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/sealed"
)

var fleetSecret = []byte("a secret that all gateways of the fleet share")

// A node is one gateway of a fleet, with a store of its own on the same Redis.
type node struct {
	*world
	route *proxy.Route
}

// fleet starts n gateways on one Redis, each watching it.
func fleet(t *testing.T, n int, c redis.Config, options ...option) []node {
	t.Helper()
	nodes := make([]node, n)
	shared := defaultSetup()
	for i := range nodes {
		opened, err := redis.New(c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = opened.Close() })
		s, err := sealed.New(opened, [][]byte{fleetSecret}, sealed.Options{})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = join(t, s, shared, options...)
		shared.signers = nodes[i].signers
	}
	return nodes
}

func join(t *testing.T, s *sealed.Store, shared *setup, options ...option) node {
	t.Helper()
	route := acme()
	own := defaultSetup()
	own.signers, own.clock = shared.signers, &clock{}
	own.store, own.node = &faulty{Store: s, Watcher: s}, rand.Text()[:8]
	routes(route)(own)
	for _, o := range options {
		o(own)
	}
	w := own.world(t)
	w.must(w.err)
	ctx, stop := context.WithCancel(t.Context())
	flushed := make(chan struct{})
	var once sync.Once
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.gateway.Run(ctx, watching{s, func() { once.Do(func() { close(flushed) }) }})
	}()
	t.Cleanup(func() { stop(); <-done })
	select {
	case <-flushed:
	case <-time.After(5 * time.Second):
		t.Fatal("the watch does not connect")
	}
	return node{w, route}
}

// watching tells when a watch is connected.
type watching struct {
	*sealed.Store
	flushed func()
}

func (w watching) Watch(ctx context.Context, fn func(store.Event)) error {
	return w.Store.Watch(ctx, func(e store.Event) {
		fn(e)
		if e.Flush {
			w.flushed()
		}
	})
}

func (n node) status(r *http.Request) int {
	res, _ := n.through(n.route, r)
	return res.StatusCode
}

// config is patient: what these tests are about is not how soon a loaded machine
// runs a goroutine.
func config(s *redistest.Server) redis.Config {
	return redis.Config{Addresses: []string{s.Addr}, Timeout: 5 * time.Second}
}

func TestFleetSessionOfAWorksAtB(t *testing.T) {
	nodes := fleet(t, 2, config(redistest.Start(t)))
	a, b := nodes[0], nodes[1]
	if string(a.ring.JWKS()) != string(b.ring.JWKS()) {
		t.Error("the nodes publish different keys")
	}
	made := a.attest("acme", nil)
	for _, credential := range []string{made["session_token"].(string), made["session_jwt"].(string)} {
		if got := b.status(bearer(credential)); got != 204 {
			t.Errorf("at B: %d", got)
		}
	}
}

func TestFleetStartedTogetherMakesOneKey(t *testing.T) {
	c := config(redistest.Start(t))
	shared := fleet(t, 1, config(redistest.Start(t)))[0]
	sets := make([]string, 8)
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() {
			n := fleet(t, 1, c, func(s *setup) { s.signers = shared.signers })
			sets[i] = string(n[0].ring.JWKS())
		})
	}
	wg.Wait()
	slices.Sort(sets)
	if got := slices.Compact(sets); len(got) != 1 {
		t.Errorf("%d different key sets", len(got))
	}
}

// F24: revoked at A, refused at B within 100 ms, in 99 of 100 cases.
func TestFleetRevocationReachesBWithin100ms(t *testing.T) {
	nodes := fleet(t, 2, config(redistest.Start(t)), func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Hour })
	a, b := nodes[0], nodes[1]
	const tries = 200
	took := make([]time.Duration, tries)
	for i := range took {
		made := a.attest("acme", nil)
		token := made["session_token"].(string)
		if got := b.status(bearer(token)); got != 204 {
			t.Fatalf("at B before: %d", got)
		}
		id := at(made, "member_session.member_session_id")
		if status, answer := a.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_session_id": id}); status != 200 {
			t.Fatalf("revoke: %d %v", status, answer)
		}
		if got := a.status(bearer(token)); got != 401 {
			t.Fatalf("at A, the very next request: %d", got)
		}
		took[i] = b.until(401, token)
	}
	slices.Sort(took)
	p99 := took[tries*99/100-1]
	t.Logf("median %s, p99 %s, worst %s", took[tries/2], p99, took[tries-1])
	if p99 > 100*time.Millisecond {
		t.Errorf("p99 is %s", p99)
	}
}

// until asks until the answer has the status, and tells how long that took.
func (n node) until(status int, token string) time.Duration {
	n.t.Helper()
	began := time.Now()
	for time.Since(began) < 10*time.Second {
		if n.status(bearer(token)) == status {
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	n.t.Fatalf("never %d", status)
	return 0
}

func TestFleetMemberChangedAtAShowsInBsNextJWT(t *testing.T) {
	template := mustTemplate(t, `{"plan":{{member.trusted_metadata.plan}}}`)
	nodes := fleet(t, 2, config(redistest.Start(t)), func(s *setup) {
		s.gateway.Core.Templates = map[string]*claims.Template{"default": template}
		s.gateway.Core.Cache.MaxAge = time.Hour
	})
	a, b := nodes[0], nodes[1]
	made := a.attest("acme", nil)
	token := made["session_token"].(string)
	plan := func(n node) any {
		_, up := n.through(n.route, bearer(token))
		return up.claims["plan"]
	}
	if got := plan(b); got != nil {
		t.Fatalf("before: %v", got)
	}
	_, err := a.people.UpdateMember(t.Context(), at(made, "member.organization_id").(string), made["member_id"].(string),
		directory.MemberChange{TrustedMetadata: claims.Object{"plan": "pro"}})
	a.must(err)
	deadline := time.Now().Add(100 * time.Millisecond)
	for plan(b) != "pro" {
		if time.Now().After(deadline) {
			t.Fatalf("B still says %v", plan(b))
		}
		time.Sleep(time.Millisecond)
	}
}

func mustTemplate(t *testing.T, text string) *claims.Template {
	t.Helper()
	parsed, err := claims.Policy{}.ParseTemplate("default", text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// F27: one token, a thousand requests through two gateways, one session.
func TestFleetThousandConcurrentRequestsMakeOneSession(t *testing.T) {
	nodes := fleet(t, 2, config(redistest.Start(t)))
	token := nodes[0].token("acme", nil)
	var mu sync.Mutex
	seen := map[any]int{}
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range 1000 {
		n := nodes[i%2]
		wg.Go(func() {
			<-begin
			_, up := n.through(n.route, bearer(token))
			mu.Lock()
			defer mu.Unlock()
			seen[at(up.claims, "session.id")]++
		})
	}
	close(begin)
	wg.Wait()
	if len(seen) != 1 || seen[nil] != 0 {
		t.Errorf("got %v", seen)
	}
}

// F01, F02: a Redis that is killed or hangs costs 503 with Retry-After, never
// 401; nobody is admitted who is not in the cache; service is back at once.
func TestFleetRedisAway(t *testing.T) {
	for name, fault := range map[string]struct{ away, back func(*redistest.Server) }{
		"killed":  {(*redistest.Server).Kill, (*redistest.Server).Restart},
		"stopped": {(*redistest.Server).Pause, (*redistest.Server).Resume},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			usual := redis.Config{Addresses: []string{server.Addr}} // with the usual timeout
			n := fleet(t, 1, usual, func(s *setup) { s.gateway.Core.Cache.Entries = -1 })[0]
			token := n.attest("acme", nil)["session_token"].(string)
			trusted := n.token("acme", nil)
			fault.away(server)
			var slowest time.Duration
			for range 20 {
				began := time.Now()
				for _, credential := range []string{token, trusted} {
					res, up := n.through(n.route, bearer(credential))
					refusedWith(t, res, 503, "service_unavailable")
					if res.Header.Get("Retry-After") == "" || up.calls != 0 {
						t.Fatalf("Retry-After %q, %d upstream calls", res.Header.Get("Retry-After"), up.calls)
					}
				}
				slowest = max(slowest, time.Since(began)/2)
			}
			fault.back(server)
			t.Logf("slowest 503 %s, back after %s", slowest, n.until(204, token))
			if slowest > time.Second {
				t.Errorf("a 503 took %s", slowest)
			}
		})
	}
}

// serve_cached: a session goes on for that long after its last good moment, also one
// that this node made and has not used yet; what it has revoked does not, nor what it
// has never read.
func TestFleetServeCached(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server), func(s *setup) {
		s.gateway.Core.Cache.MaxAge, s.gateway.Core.Cache.ServeStale = time.Millisecond, time.Minute
	})
	n := nodes[0]
	kept, revoked, made := n.attest("acme", nil), n.attest("acme", nil), n.attest("acme", nil)
	unseen := nodes[1].attest("acme", nil)
	for _, made := range []claims.Object{kept, revoked} {
		if got := n.status(bearer(made["session_token"].(string))); got != 204 {
			t.Fatalf("before: %d", got)
		}
	}
	server.Kill()
	status, answer := n.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_session_id": at(revoked, "member_session.member_session_id")})
	if status != 503 {
		t.Errorf("a revocation that nobody confirmed: %d %v", status, answer)
	}
	for name, c := range map[string]struct {
		made   claims.Object
		status int
	}{"read before": {kept, 204}, "made here": {made, 204}, "revoked here": {revoked, 503}, "never read here": {unseen, 503}} {
		if got := n.status(bearer(c.made["session_token"].(string))); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
}

// F06: a replica that was promoted, or somebody who writes to Redis, brings back a
// record from before its revocation. This node remembers, and writes it again.
func TestFleetRevocationThatRedisForgets(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server), func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Millisecond })
	a, b := nodes[0], nodes[1]
	made := a.attest("acme", nil)
	token, id := made["session_token"].(string), at(made, "member_session.member_session_id").(string)
	server.CLI("EVAL", `for _, k in ipairs(redis.call('KEYS', '*' .. ARGV[1] .. '*')) do redis.call('COPY', k, 'copy:' .. k) end return 1`, "0", id)
	if status, _ := a.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_session_id": id}); status != 200 {
		t.Fatal("revoke")
	}
	server.CLI("EVAL", `for _, k in ipairs(redis.call('KEYS', 'copy:*')) do redis.call('COPY', k, string.sub(k, 6), 'REPLACE') end return 1`, "0")
	if got := a.status(bearer(token)); got != 401 {
		t.Errorf("at A: %d", got)
	}
	if took := b.until(401, token); took > time.Second {
		t.Errorf("B admitted it for %s after A had seen it", took)
	}
}

// F10: a Redis that restarts empty ends every session, cleanly, and attest works
// at once.
func TestFleetRedisRestartsEmpty(t *testing.T) {
	server := redistest.Start(t)
	n := fleet(t, 1, config(server), func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Millisecond })[0]
	token := n.attest("acme", nil)["session_token"].(string)
	server.Kill()
	server.Wipe()
	server.Restart()
	n.until(401, token)
	again := n.attest("acme", claims.Object{"token": n.token("acme", claims.Object{"jti": "again"})})
	if got := n.status(bearer(again["session_token"].(string))); got != 204 {
		t.Errorf("a new session: %d", got)
	}
}

// F08: a Redis that is full refuses new sessions with 503; those it has go on.
func TestFleetRedisFull(t *testing.T) {
	server := redistest.Start(t, "--maxmemory-policy", "noeviction")
	n := fleet(t, 1, config(server), func(s *setup) { s.gateway.Core.Cache.Entries = -1 })[0]
	token := n.attest("acme", nil)["session_token"].(string)
	server.CLI("CONFIG", "SET", "maxmemory", "1mb")
	status, answer := n.call("POST", "/v1/b2b/sessions/attest", claims.Object{"profile_id": "acme", "token": n.token("acme", nil)})
	if status != 503 || answer["error_type"] != "service_unavailable" {
		t.Errorf("attest: %d %v", status, answer)
	}
	if got := n.status(bearer(token)); got != 204 {
		t.Errorf("a session that was there: %d", got)
	}
}

// A failover under load: nobody is admitted wrongly, no revoked session comes
// back, and the gap in service is seconds.
func TestFleetSentinelFailoverUnderLoad(t *testing.T) {
	s := redistest.StartSentinel(t, 1)
	n := fleet(t, 1, redis.Config{Addresses: s.Addresses(), Sentinel: s.Name}, func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Millisecond })[0]
	live, dead := n.attest("acme", nil), n.attest("acme", nil)
	if status, _ := n.call("POST", "/v1/b2b/sessions/revoke", claims.Object{"member_session_id": at(dead, "member_session.member_session_id")}); status != 200 {
		t.Fatal("revoke")
	}
	primary := s.Primary()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wrong := make(chan string, 1)
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got := n.status(bearer(dead["session_token"].(string))); got == 204 {
					select {
					case wrong <- "the revoked session was admitted":
					default:
					}
				}
				if got := n.status(bearer(live["session_token"].(string))); got != 204 && got != 503 {
					select {
					case wrong <- fmt.Sprint("the live session: ", got):
					default:
					}
				}
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	time.Sleep(300 * time.Millisecond) // the replica has what was written
	primary.Kill()
	s.AwaitFailover(primary)
	gap := n.until(204, live["session_token"].(string))
	status, answer := n.call("POST", "/v1/b2b/sessions/attest", claims.Object{"profile_id": "acme", "token": n.token("acme", claims.Object{"jti": "after"})})
	close(stop)
	wg.Wait()
	t.Logf("served again %s after the failover", gap)
	if status != 200 {
		t.Errorf("attest after the failover: %d %v", status, answer)
	}
	select {
	case problem := <-wrong:
		t.Error(problem)
	default:
	}
}

func TestFleetOnCluster(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	nodes := fleet(t, 2, redis.Config{Addresses: c.Addresses(), Cluster: true})
	for i := range 20 {
		made := nodes[0].attest("acme", claims.Object{"token": nodes[0].token("acme", claims.Object{"sub": fmt.Sprint("m", i), "email": nil, "jti": fmt.Sprint(i)})})
		token := made["session_token"].(string)
		if got := nodes[1].status(bearer(token)); got != 204 {
			t.Fatalf("at B: %d", got)
		}
		nodes[0].call("POST", "/v1/b2b/sessions/revoke", claims.Object{"session_token": token})
		nodes[1].until(401, token)
	}
}

// Forged records are faults, never sessions and never "absent".
func TestFleetForgedRecordIsAFault(t *testing.T) {
	server := redistest.Start(t)
	n := fleet(t, 1, config(server), func(s *setup) { s.gateway.Core.Cache.Entries = -1 })[0]
	one, two := n.attest("acme", nil), n.attest("acme", nil)
	id := func(made claims.Object) string { return at(made, "member_session.member_session_id").(string) }
	server.CLI("EVAL", `
		for _, k in ipairs(redis.call('KEYS', '*'..ARGV[1]..'*')) do
			local other = string.gsub(k, ARGV[1]:gsub('%-', '%%-'), ARGV[2])
			redis.call('COPY', k, other, 'REPLACE')
		end return 1`, "0", id(one), id(two))
	res, up := n.through(n.route, bearer(two["session_token"].(string)))
	refusedWith(t, res, 500, "internal_server_error")
	if up.calls != 0 {
		t.Error("the upstream was called")
	}
	var broken *sealed.Error
	if _, err := n.sessions.ByID(t.Context(), id(two)); !errors.As(err, &broken) {
		t.Errorf("got %v", err)
	}
}

// F26: a rotation at A is at B within a second, and what either signed verifies
// with what either publishes.
func TestFleetRotationReachesB(t *testing.T) {
	nodes := fleet(t, 2, config(redistest.Start(t)))
	a, b := nodes[0], nodes[1]
	token := a.attest("acme", nil)["session_token"].(string)
	for range 5 {
		a.must(a.ring.Rotate(t.Context(), mint.RotateOptions{Emergency: true}))
		deadline := time.Now().Add(time.Second)
		for b.ring.ActiveID() != a.ring.ActiveID() {
			if time.Now().After(deadline) {
				t.Fatal("B still signs with the old key after a second")
			}
			time.Sleep(time.Millisecond)
		}
		for _, n := range nodes {
			if _, up := n.through(n.route, bearer(token)); at(up.claims, "session.id") == nil {
				t.Fatal("no identity")
			}
		}
		if string(a.ring.JWKS()) != string(b.ring.JWKS()) {
			t.Fatal("the nodes publish different keys")
		}
	}
}

// A hot request touches neither the store nor a signature.
func TestHotRequestTouchesNoStore(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	made := w.attest("acme", nil)
	for name, credential := range map[string]string{
		"session token": made["session_token"].(string), "session JWT": made["session_jwt"].(string), "trusted bearer": w.token("acme", nil),
	} {
		w.through(route, bearer(credential))
		_, up := w.through(route, bearer(credential)) // seen before
		first := up.header.Get("Authorization")
		w.store.set(errors.New("the store was asked"))
		for range 3 {
			if res, up := w.through(route, bearer(credential)); res.StatusCode != 204 || up.header.Get("Authorization") != first {
				t.Errorf("%s: %d, another JWT %t", name, res.StatusCode, up.header.Get("Authorization") != first)
			}
		}
		w.store.set(nil)
	}
}
