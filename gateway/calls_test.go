package gateway_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

// counting counts the calls of a store.
type counting struct {
	store.Store
	mu    sync.Mutex
	calls int
}

func (c *counting) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
}

func (c *counting) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	c.count()
	return c.Store.Get(ctx, partition, keys...)
}

func (c *counting) List(ctx context.Context, tag string) ([]store.Ref, error) {
	c.count()
	return c.Store.List(ctx, tag)
}

func (c *counting) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	c.count()
	return c.Store.Apply(ctx, partition, ops...)
}

func (c *counting) Touch(ctx context.Context, partition, key string, until time.Time) error {
	c.count()
	return c.Store.Touch(ctx, partition, key, until)
}

// during is how many calls something makes until it is answered.
func (c *counting) during(do func()) int {
	c.mu.Lock()
	before := c.calls
	c.mu.Unlock()
	do()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.calls - before
}

// Calls of the store are what a request waits for where the store is elsewhere.
func TestStoreCallsOfAnExchange(t *testing.T) {
	route := acme()
	var calls *counting
	w := newWorld(t, routes(route), func(s *setup) {
		m := memory.New(s.clock.Now)
		calls = &counting{Store: m}
		s.store = &faulty{Store: calls, Watcher: m}
	})
	w.hear()
	token := func(sub, id string) string {
		return w.token("acme", claims.Object{"sub": sub, "email": sub + "@example.com", "jti": id})
	}
	proxied := func(text string) func() {
		return func() {
			if res, _ := w.through(route, bearer(text)); res.StatusCode != 204 {
				t.Error(res.Header.Get("Attest-Error"))
			}
		}
	}
	proxied(token("ada", "1"))() // the first of all makes the organization
	again := token("ada", "2")
	for _, c := range []struct {
		what string
		do   func()
		want int
	}{
		{"a new token of a known member", proxied(again), 4},
		{"the same, to look at what was written", proxied(again), 1},
		{"the same, hot", proxied(again), 0},
		{"a new member", proxied(token("bob", "3")), 5},
		{"attest, a known member", func() { w.attest("acme", claims.Object{"token": token("ada", "4")}) }, 5},
		{"attest, a new member", func() { w.attest("acme", claims.Object{"token": token("eve", "5")}) }, 6},
	} {
		if n := calls.during(c.do); n > c.want {
			t.Errorf("%s: %d calls, want %d at most", c.what, n, c.want)
		}
	}
}

// Without a local cache every request asks the store for all that can change, in few calls,
// and shares a JWT all the same.
func TestStoreCallsWithoutCache(t *testing.T) {
	route := acme()
	var calls *counting
	w := newWorld(t, routes(route), func(s *setup) {
		m := memory.New(s.clock.Now)
		calls = &counting{Store: m}
		s.store = &faulty{Store: calls, Watcher: m}
		s.gateway.Core.Cache.Entries = -1
	})
	made := w.attest("acme", nil)
	for what, credential := range map[string]string{
		"session token": made["session_token"].(string), "session JWT": made["session_jwt"].(string), "trusted token": w.token("acme", nil),
	} {
		_, up := w.through(route, bearer(credential))
		first := up.header.Get("Authorization")
		n := calls.during(func() { _, up = w.through(route, bearer(credential)) })
		if n != 3 || up.header.Get("Authorization") != first || first == "" {
			t.Errorf("%s: %d calls, the same JWT %t", what, n, up.header.Get("Authorization") == first)
		}
	}
	w.ok("POST", revokePath, claims.Object{"member_id": made["member_id"]})
	res, _ := w.through(route, bearer(made["session_token"].(string)))
	refusedWith(t, res, 401, "session_not_found")
}
