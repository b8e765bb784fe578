package gateway_test

import (
	"testing"
	"time"

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
