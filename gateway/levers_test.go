package gateway_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// A lever that is pulled at one gateway is obeyed by the others within 100 ms, by one
// that starts later, and by all after the store was emptied.
func TestFleetLeverReachesB(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server), func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Hour })
	a, b := nodes[0], nodes[1]
	token := a.attest("acme", nil)["session_token"].(string)
	if got := b.status(bearer(token)); got != 204 {
		t.Fatalf("at B before: %d", got)
	}
	a.must(a.gateway.Core.DisableProfile(t.Context(), "acme", true))
	if got := a.status(bearer(token)); got != 401 {
		t.Errorf("at A, the very next request: %d", got)
	}
	if took := b.until(401, token); took > 100*time.Millisecond {
		t.Errorf("at B after %s", took)
	}
	c := fleet(t, 1, config(server), func(s *setup) { s.signers = a.signers })[0]
	if got := c.status(bearer(token)); got != 401 {
		t.Errorf("at C, which started later: %d", got)
	}
	server.CLI("flushall")
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		state, err := c.gateway.Core.Directory.ProfileState(t.Context(), "acme")
		if err == nil && state.Disabled {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("what the store lost is not written back")
		}
	}
	a.must(a.gateway.Core.DisableProfile(t.Context(), "acme", false))
	fresh := a.attest("acme", nil)["session_token"].(string)
	b.until(204, fresh)
}

// A lever that the store did not take is obeyed here at once, and written later.
func TestFleetLeverDuringAnOutage(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	nodes := fleet(t, 2, config(server), func(s *setup) {
		s.gateway.Core.Cache.MaxAge, s.gateway.Core.Cache.ServeStale = time.Millisecond, time.Hour
	})
	a, b := nodes[0], nodes[1]
	token := a.attest("acme", nil)["session_token"].(string)
	for _, n := range nodes {
		if got := n.status(bearer(token)); got != 204 {
			t.Fatalf("before: %d", got)
		}
	}
	server.Kill()
	if err := a.gateway.Core.DisableProfile(t.Context(), "acme", true); err == nil {
		t.Error("a lever that nobody confirmed")
	}
	if got := a.status(bearer(token)); got == 204 {
		t.Error("the gateway that was told goes on")
	}
	server.Restart()
	b.until(401, token)
}

// shared is what a second gateway on the store of the first begins with.
func (w *world) shared() option {
	return func(s *setup) { s.store, s.signers, s.clock = w.store, w.signers, w.clock }
}

// freeze stops sign-ins at every gateway of a store.
func (w *world) freeze() {
	w.t.Helper()
	w.must(w.gateway.Core.DisableProfile(w.t.Context(), directory.AllProfiles, true))
}

// stores are those of one process.
func stores(t *testing.T) map[string]*faulty {
	file, err := bolt.Open(filepath.Join(t.TempDir(), "attest.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	kept := memory.New(nil)
	return map[string]*faulty{"memory": {Store: kept, Watcher: kept}, "bolt": {Store: file, Watcher: file}}
}

// A freeze starts nothing, adds nothing and makes nobody; sessions that there are go
// on, also at a gateway that has never seen them.
func TestFreezeMakesNothing(t *testing.T) {
	for name, kept := range stores(t) {
		t.Run(name, func(t *testing.T) {
			route := acme()
			s := defaultSetup()
			s.store, s.clock = kept, &clock{}
			routes(route)(s)
			warm := s.world(t)
			warm.must(warm.err)
			known, session := warm.token("acme", nil), warm.attest("acme", nil)["session_token"].(string)
			if res, _ := warm.through(route, bearer(known)); res.StatusCode != 204 {
				t.Fatal(res.StatusCode)
			}
			warm.freeze()
			cold := newWorld(t, warm.shared(), routes(route))
			before := kept.writes()
			for which, w := range map[string]*world{"warm": warm, "cold": cold} {
				for _, credential := range []string{known, session} {
					if res, _ := w.through(route, bearer(credential)); res.StatusCode != 204 {
						t.Errorf("%s, a session that there is: %d", which, res.StatusCode)
					}
				}
				for person, claims := range map[string]claims.Object{
					"somebody new": {"sub": "eve", "email": "eve@example.com"}, "another token of Ada's": {"jti": "other", "name": "Ada K."},
				} {
					res, _ := w.through(route, bearer(w.token("acme", claims)))
					if refusedWith(t, res, 503, "sign_ins_frozen"); res.Header.Get("Retry-After") == "" {
						t.Errorf("%s, %s: no Retry-After", which, person)
					}
				}
				for call, body := range map[string]claims.Object{
					"attest":   {"profile_id": "acme", "token": w.token("acme", claims.Object{"sub": "eve"})},
					"exchange": {"organization_id": "acme", "session_token": session},
				} {
					if status, answer := w.call("POST", "/v1/b2b/sessions/"+call, body); status != 503 || answer["error_type"] != "sign_ins_frozen" {
						t.Errorf("%s, %s: %d %v", which, call, status, answer["error_type"])
					}
				}
				factor := claims.Object{"profile_id": "acme", "session_token": session, "token": w.token("acme", claims.Object{"jti": "factor"})}
				if status, answer := w.call("POST", "/v1/b2b/sessions/attest", factor); status != 503 || answer["error_type"] != "sign_ins_frozen" {
					t.Errorf("%s, a factor: %d %v", which, status, answer["error_type"])
				}
			}
			if made := kept.writes() - before; made != 0 {
				t.Errorf("%d records were written", made)
			}
			warm.must(warm.gateway.Core.DisableProfile(t.Context(), directory.AllProfiles, false))
			if res, _ := warm.through(route, bearer(warm.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"}))); res.StatusCode != 204 {
				t.Errorf("unfrozen: %d", res.StatusCode)
			}
		})
	}
}

// A browser with a token that has a session is admitted while sign-ins are frozen, and
// gets no session of its own beside it.
func TestFreezeSetsNoCookie(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, SetCookie: true}}
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	if res, _ := w.through(route, bearer(token)); res.StatusCode != 204 {
		t.Fatal(res.StatusCode)
	}
	w.freeze()
	r := bearer(token)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	if res, _ := w.through(route, r); res.StatusCode != 204 || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d, Set-Cookie %q", res.StatusCode, res.Header.Get("Set-Cookie"))
	}
}

// Levers cost a request nothing: what is read of them is cached as a session is.
func TestLeversCostNoStoreCall(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token, session := w.token("acme", nil), w.attest("acme", nil)["session_token"].(string)
	for _, pull := range []func(){func() {}, w.freeze, func() { w.must(w.gateway.Core.DisableProfile(t.Context(), "other", true)) }} {
		pull()
		before := 0
		for i := range 20 {
			if i == 2 { // the first makes a session, the second reads it back
				before = w.store.reads()
			}
			for _, credential := range []string{token, session} {
				if res, _ := w.through(route, bearer(credential)); res.StatusCode != 204 {
					t.Fatal(res.StatusCode)
				}
			}
		}
		if n := w.store.reads() - before; n != 0 {
			t.Errorf("%d reads for 36 requests", n)
		}
	}
}

// Whoever cannot read what operators have done admits nobody, whatever else can be read.
func TestUnreadLeversAdmitNobody(t *testing.T) {
	route := acme()
	first := newWorld(t, routes(route))
	token, session := first.token("acme", nil), first.attest("acme", nil)["session_token"].(string)
	if res, _ := first.through(route, bearer(token)); res.StatusCode != 204 {
		t.Fatal(res.StatusCode)
	}
	for _, name := range []string{"acme", directory.AllProfiles} {
		w, lever := newWorld(t, first.shared(), routes(route)), directory.ProfileRef(name)
		w.store.fails = func(partition string, keys []string) error {
			if partition == lever.Partition && slices.Contains(keys, lever.Key) {
				return store.ErrUnavailable
			}
			return nil
		}
		for _, credential := range []string{token, session} {
			res, _ := w.through(route, bearer(credential))
			refusedWith(t, res, 503, "service_unavailable")
		}
		w.store.fails = nil
		for _, credential := range []string{token, session} {
			if res, _ := w.through(route, bearer(credential)); res.StatusCode != 204 {
				t.Errorf("when they can be read: %d", res.StatusCode)
			}
		}
	}
}

// 64 operators pull at once, at a store that comes and goes: in the end the store has
// what holds here.
func TestLeversPulledAtOnce(t *testing.T) {
	w := newWorld(t, routes(acme()))
	ctx, core := t.Context(), w.gateway.Core
	var operators sync.WaitGroup
	for i := range 64 {
		operators.Go(func() {
			if i%8 == 0 {
				w.store.set(store.ErrUnavailable)
			}
			_ = core.DisableProfile(ctx, "acme", i%2 == 0)
			w.store.set(nil)
		})
	}
	operators.Wait()
	held, err := core.ProfileState(ctx, "acme")
	w.must(err)
	w.must(core.DisableProfile(ctx, "other", true)) // another lever changes nothing of it
	w.must(core.RevokeProfile(ctx, "acme", time.Time{}))
	stored, err := w.people.ProfileState(ctx, "acme")
	w.must(err)
	if stored.Disabled != held.Disabled {
		t.Errorf("stored %v, held %v", stored.Disabled, held.Disabled)
	}
}

// An operator is told that a lever holds here and not yet elsewhere.
func TestLeverThatTheStoreDidNotTakeSaysSo(t *testing.T) {
	w := newWorld(t, routes(acme()))
	desk, err := admin.New(admin.Config{Core: w.gateway.Core})
	w.must(err)
	w.store.set(store.ErrUnavailable)
	for _, path := range []string{"profiles/acme/disable", "profiles/acme/revoke", "levers/freeze", "levers/revoke-before"} {
		rec := httptest.NewRecorder()
		desk.Handler().ServeHTTP(rec, httptest.NewRequest("POST", "/attest/"+path, nil))
		if rec.Code != 503 || !strings.Contains(rec.Body.String(), `"not_confirmed"`) {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	w.store.set(nil)
	w.must(w.gateway.Core.RevokeProfile(t.Context(), directory.AllProfiles, time.Time{})) // writes what waits of it
	state, err := w.people.ProfileState(t.Context(), directory.AllProfiles)
	w.must(err)
	if !state.Disabled || state.NotBefore.IsZero() {
		t.Errorf("stored %+v", state)
	}
}

// Sign-ins frozen and everything revoked at A hold at B within 100 ms.
func TestFleetFreezeAndRevokeBeforeReachB(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server), func(s *setup) { s.gateway.Core.Cache.MaxAge = time.Hour })
	a, b := nodes[0], nodes[1]
	session := a.attest("acme", nil)["session_token"].(string)
	if got := b.status(bearer(session)); got != 204 {
		t.Fatalf("at B before: %d", got)
	}
	a.freeze()
	if took := b.untilFrozen(); took > 100*time.Millisecond {
		t.Errorf("frozen at B after %s", took)
	}
	if got := b.status(bearer(session)); got != 204 {
		t.Errorf("a session that there is, at B: %d", got)
	}
	a.must(a.gateway.Core.RevokeProfile(t.Context(), directory.AllProfiles, a.clock.Now()))
	if took := b.until(401, session); took > 100*time.Millisecond {
		t.Errorf("revoked at B after %s", took)
	}
}

// untilFrozen shows a new token each time, until one is refused.
func (n node) untilFrozen() time.Duration {
	n.t.Helper()
	began := time.Now()
	for i := 0; time.Since(began) < 10*time.Second; i++ {
		if n.status(bearer(n.token("acme", claims.Object{"jti": fmt.Sprint("new ", i)}))) == 503 {
			return time.Since(began)
		}
	}
	n.t.Fatal("never frozen")
	return 0
}
