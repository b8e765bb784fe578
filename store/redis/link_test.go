package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

var _ store.Connectivity = (*redis.Store)(nil)

// connected waits until the store is.
func connected(t *testing.T, s *redis.Store) {
	t.Helper()
	eventually(t, "connected", func() bool { return s.Status().Watching == 1 })
	if age := time.Since(s.LastConnected()); age > time.Second {
		t.Errorf("it is connected, and was last %v ago", age)
	}
}

// stale waits until the store has not been connected for so long.
func stale(t *testing.T, s *redis.Store, age time.Duration) {
	t.Helper()
	eventually(t, "no longer connected", func() bool { return time.Since(s.LastConnected()) > age })
}

// FLUSHALL sends no event: every node learns of it all the same, once, and without
// a connection that breaks.
func TestEmptiedServerIsNoticedByEveryNode(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	a, b := open(t, config), open(t, config)
	first, second := watch(t, a), watch(t, b)
	connected(t, a)
	connected(t, b)
	one, two := first.flushes(), second.flushes()
	server.CLI("flushall")
	took := eventually(t, "a Flush at both", func() bool { return first.flushes() > one && second.flushes() > two })
	t.Logf("noticed after %v", took)
	one, two = first.flushes(), second.flushes()
	begin := time.Now()
	eventually(t, "two more looks", func() bool { return time.Since(begin) > 2500*time.Millisecond })
	if first.flushes() != one || second.flushes() != two {
		t.Error("flushed again, although nothing happened")
	}
	connected(t, a)
	connected(t, b)
}

// A server that is restored from a copy, or replaced, has another epoch.
func TestReplacedContentIsNoticed(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	s := open(t, config)
	e := watch(t, s)
	connected(t, s)
	before := e.flushes()
	server.CLI("set", config.Prefix+"epoch:{0}", "of another time")
	eventually(t, "a Flush", func() bool { return e.flushes() > before })
}

// A server that hangs, or a link that passes nothing on, was last connected when it
// was last heard; nothing that is read before moves that.
func TestHungServerIsNotConnected(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, hurried(server.Addr))
	e := watch(t, s)
	connected(t, s)
	server.Pause()
	hung := time.Now()
	stale(t, s, 2*time.Second)
	if last := s.LastConnected(); last.After(hung.Add(50 * time.Millisecond)) {
		t.Errorf("connected until %v after it hung", last.Sub(hung))
	}
	before := e.flushes()
	server.Resume()
	eventually(t, "a Flush", func() bool { return e.flushes() > before })
	connected(t, s)
}

// After a gap the Flush comes first: whoever asks before it must not hear that every
// change was heard of until now.
func TestReconnectedOnlyAfterItsFlush(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, hurried(server.Addr))
	lastAtFlush := make(chan time.Time, 100)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_ = s.Watch(ctx, func(e store.Event) {
			if e.Flush {
				lastAtFlush <- s.LastConnected()
			}
		})
	}()
	<-lastAtFlush
	connected(t, s)
	server.Pause()
	hung := time.Now()
	stale(t, s, 2*time.Second)
	server.Resume()
	if last := <-lastAtFlush; last.After(hung.Add(50 * time.Millisecond)) {
		t.Errorf("at the Flush it was connected until %v after the server hung", last.Sub(hung))
	}
	connected(t, s)
}

// A server that is loading hears and passes on messages, and knows nothing.
func TestLoadingServerIsNotConnected(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
	s := open(t, hurried(server.Addr))
	watch(t, s)
	connected(t, s)
	loadSlowly(server, 400)
	reloaded := make(chan struct{})
	go func() {
		defer close(reloaded)
		_, _ = server.TryCLI("debug", "reload")
	}()
	stale(t, s, 3*time.Second)
	_, _ = server.TryCLI("config", "set", "key-load-delay", "0") // Redis 6.2 takes none while it loads
	<-reloaded
	connected(t, s)
}

// A primary that nobody follows any more answers, and publishes to nobody but those
// who are still with it. Whoever subscribes at one server and publishes at another
// is not connected.
func TestCutOffPrimaryIsNotConnected(t *testing.T) {
	old, other := redistest.Start(t), redistest.Start(t)
	proxy := redistest.NewProxy(t, old.Addr)
	s := open(t, hurried(proxy.Addr))
	e := watch(t, s)
	connected(t, s)
	before := e.flushes()
	proxy.Retarget(other.Addr)
	eventually(t, "a Flush", func() bool { return e.flushes() > before })
	connected(t, s)
	old.Kill()
}

// On a link that flaps, the last moment of which there is proof never lies ahead.
func TestFlappingLinkIsConnectedWhenItIsGood(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	watch(t, s)
	connected(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		flap(ctx, proxy)
	}()
	for ctx.Err() == nil {
		if last := s.LastConnected(); last.After(time.Now()) {
			t.Errorf("last connected %v from now", time.Until(last))
		}
		time.Sleep(5 * time.Millisecond)
	}
	<-done
	connected(t, s)
}

// Each primary of a Cluster proves itself: one that is emptied is noticed.
func TestEmptiedPrimaryOfAClusterIsNoticed(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	config := fresh(cluster.Addresses()...)
	config.Cluster = true
	s := open(t, config)
	e := watch(t, s)
	connected(t, s)
	for _, server := range cluster.Servers {
		before := e.flushes()
		server.CLI("flushall")
		eventually(t, "a Flush", func() bool { return e.flushes() > before })
	}
	connected(t, s)
}
