package gateway_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

func onceWorld(t *testing.T) (*world, *proxy.Route) {
	t.Helper()
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	return newWorld(t, routes(route), func(s *setup) { s.profiles["acme"].ReplayReject = true }), route
}

func attestBody(token string, more claims.Object) claims.Object {
	body := claims.Object{"profile_id": "acme", "token": token}
	for name, value := range more {
		body[name] = value
	}
	return body
}

const attestCall = "/v1/b2b/sessions/attest"

// At the session API a token id is used once; the same call a moment later has the same
// answer, and another call with it has none.
func TestReplayedTokenIsRefused(t *testing.T) {
	w, _ := onceWorld(t)
	token := w.token("acme", claims.Object{"jti": "scan-1"})
	call := func(token string, more claims.Object) (int, claims.Object) {
		return w.call("POST", attestCall, attestBody(token, more))
	}
	status, first := call(token, nil)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, first)
	}
	w.clock.Advance(4 * time.Second)
	if status, again := call(token, nil); status != 200 || again["session_token"] != first["session_token"] {
		t.Errorf("the same call: %d %v", status, again)
	}
	replayed := func(what string, status int, answer claims.Object) {
		t.Helper()
		if status != http.StatusBadRequest || answer["error_type"] != "token_replayed" {
			t.Errorf("%s: %d %v", what, status, answer)
		}
	}
	status, answer := call(token, claims.Object{"session_duration_minutes": 7})
	replayed("another call", status, answer)
	status, answer = call(w.token("acme", claims.Object{"jti": "scan-1", "sub": "another", "email": "another@example.com"}), nil)
	replayed("another token of that id", status, answer)
	w.clock.Advance(2 * time.Second)
	status, answer = call(token, nil)
	replayed("the same call later", status, answer)
	if status, answer := call(w.token("acme", claims.Object{"jti": "scan-2"}), nil); status != 200 {
		t.Errorf("another id: %d %v", status, answer)
	}
	if status, answer := call(w.token("acme", claims.Object{"jti": []any{"x"}}), nil); status != 400 || answer["error_type"] != "invalid_trusted_auth_token" {
		t.Errorf("a jti that is none: %d %v", status, answer)
	}
}

// A second factor's token is used up too.
func TestReplayedSecondFactorIsRefused(t *testing.T) {
	w, _ := onceWorld(t)
	session := w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"jti": "one"})})["session_token"]
	second := w.token("acme", claims.Object{"jti": "two"})
	w.attest("acme", claims.Object{"token": second, "session_token": session})
	w.clock.Advance(repeatWithin)
	if status, answer := w.call("POST", attestCall, attestBody(second, claims.Object{"session_token": session})); status != 400 || answer["error_type"] != "token_replayed" {
		t.Errorf("%d %v", status, answer)
	}
}

const repeatWithin = session.RepeatWithin

// Proxied requests go on with their token, cold and warm; no other token of its id does,
// and one that the API has used up does not.
func TestReplayAtTheProxy(t *testing.T) {
	w, route := onceWorld(t)
	token := w.token("acme", claims.Object{"jti": "one"})
	for range 3 {
		if resp, _ := w.through(route, bearer(token)); resp.StatusCode != http.StatusNoContent {
			t.Fatalf("%d %s", resp.StatusCode, resp.Header.Get("Attest-Error"))
		}
	}
	resp, _ := w.through(route, bearer(w.token("acme", claims.Object{"jti": "one", "sub": "another", "email": "another@example.com"})))
	expect(t, "another token of that id", resp, 401, "token_replayed")
	if status, answer := w.call("POST", attestCall, attestBody(token, nil)); status != 400 || answer["error_type"] != "token_replayed" {
		t.Errorf("at the API: %d %v", status, answer)
	}
	used := w.token("acme", claims.Object{"jti": "two"})
	w.attest("acme", claims.Object{"token": used})
	resp, _ = w.through(route, bearer(used))
	expect(t, "one that the API has used up", resp, 401, "token_replayed")
}

// 64 callers with one token make one session.
func TestReplayedAtOnce(t *testing.T) {
	w, _ := onceWorld(t)
	token := w.token("acme", claims.Object{"jti": "one"})
	var all sync.WaitGroup
	var mu sync.Mutex
	sessions := map[any]int{}
	for range 64 {
		all.Go(func() {
			status, answer := w.call("POST", attestCall, attestBody(token, nil))
			mu.Lock()
			defer mu.Unlock()
			if status != 200 {
				t.Errorf("%d %v", status, answer)
			}
			sessions[answer["session_token"]]++
		})
	}
	all.Wait()
	if len(sessions) != 1 {
		t.Errorf("%d sessions", len(sessions))
	}
}

// A use that cannot be noted is an outage, and no sign-in.
func TestReplayWithTheStoreAway(t *testing.T) {
	w, route := onceWorld(t)
	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"jti": "before"})})
	w.store.set(store.ErrUnavailable)
	resp, _ := w.through(route, bearer(w.token("acme", claims.Object{"jti": "one"})))
	expect(t, "proxied", resp, 503, "service_unavailable")
	if status, answer := w.call("POST", attestCall, attestBody(w.token("acme", claims.Object{"jti": "two"}), nil)); status != 503 {
		t.Errorf("API: %d %v", status, answer)
	}
	w.store.set(nil)
	if status, answer := w.call("POST", attestCall, attestBody(w.token("acme", claims.Object{"jti": "two"}), nil)); status != 200 {
		t.Errorf("after it: %d %v", status, answer)
	}
}
