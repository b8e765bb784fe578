package redis_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// ears collects what a Watch tells, and when.
type ears struct {
	t    *testing.T
	mu   sync.Mutex
	told map[store.Ref]time.Time
	gaps []time.Time // of the Flushes
}

func watch(t *testing.T, s *redis.Store) *ears {
	t.Helper()
	e := &ears{t: t, told: map[store.Ref]time.Time{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Watch(ctx, e.hear)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return e
}

func (e *ears) hear(event store.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if event.Flush {
		e.gaps = append(e.gaps, time.Now())
		return
	}
	e.told[event.Ref] = time.Now()
}

func (e *ears) flushes() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.gaps)
}

func (e *ears) when(ref store.Ref) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.told[ref]
	return at, ok
}

// eventually waits for the condition and returns how long it took.
func eventually(t *testing.T, what string, holds func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !holds() {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("%s: never", what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begin)
}

// lateness measures how late this machine wakes a goroutine while a test runs.
func lateness(t *testing.T) func() time.Duration {
	t.Helper()
	stop := make(chan struct{})
	worst := make(chan time.Duration, 1)
	go func() {
		var most time.Duration
		for {
			select {
			case <-stop:
				worst <- most
				return
			default:
			}
			begin := time.Now()
			time.Sleep(time.Millisecond)
			most = max(most, time.Since(begin)-time.Millisecond)
		}
	}()
	return sync.OnceValue(func() time.Duration { close(stop); return <-worst })
}

// F24, the store's part of it: a change made by one gateway is reported to another
// within 50 ms, and the record read then is the new one.
func TestChangesAreToldAtOnce(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	a, b := open(t, config), open(t, config)
	e := watch(t, b)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	late := lateness(t)
	var took []time.Duration
	for i := range 200 {
		ref := store.Ref{Partition: partition, Key: fmt.Sprintf("k%d", i)}
		apply(t, a, op(ref.Key, "x", 0))
		acknowledged := time.Now()
		eventually(t, "the event", func() bool { _, ok := e.when(ref); return ok })
		if r := get(t, b, ref.Key); !r.Exists() {
			t.Fatalf("%s was told but cannot be read", ref.Key)
		}
		at, _ := e.when(ref)
		took = append(took, at.Sub(acknowledged))
	}
	slices.Sort(took)
	p99, jitter := took[len(took)*99/100], late()
	t.Logf("told after median %v, p99 %v; the machine was late by %v", took[len(took)/2], p99, jitter)
	if p99 > 50*time.Millisecond+jitter {
		t.Errorf("p99 is %v, want at most 50 ms", p99)
	}
}

// F25: a link that goes silent, without a word, is noticed within a second, and
// when it is good again there is a Flush, after which changes are heard.
func TestSilentLinkIsNoticed(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	config := hurried(proxy.Addr)
	b := open(t, config)
	config.Addresses = []string{server.Addr}
	a := open(t, config)
	e := watch(t, b)
	connected(t, b)

	late := lateness(t)
	proxy.Blackhole()
	took := eventually(t, "noticing", func() bool { return b.Status().Watching == 0 })
	if limit := time.Second + late(); took > limit {
		t.Errorf("noticed after %v, want at most a second", took)
	}
	apply(t, a, op("missed", "x", 0))
	if n := e.flushes(); n != 1 {
		t.Errorf("%d Flushes while nothing can be read, want 1", n)
	}

	proxy.Restore()
	took = eventually(t, "a Flush", func() bool { return e.flushes() > 1 })
	t.Logf("flushed %v after the link was good again", took)
	apply(t, a, op("heard", "x", 0))
	eventually(t, "a change", func() bool {
		_, ok := e.when(store.Ref{Partition: partition, Key: "heard"})
		return ok
	})
}

// A link that breaks is noticed at once.
func TestBrokenLinkIsNoticed(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	config := hurried(proxy.Addr)
	b := open(t, config)
	e := watch(t, b)
	eventually(t, "the first Flush", func() bool { return e.flushes() == 1 })
	for range 5 {
		before := e.flushes()
		proxy.Reset()
		eventually(t, "a Flush", func() bool { return e.flushes() > before })
	}
}

// A watch that begins while the server is away begins when it comes.
func TestWatchWaitsForTheServer(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes")
	s := open(t, hurried(server.Addr))
	server.Kill()
	e := watch(t, s)
	time.Sleep(500 * time.Millisecond)
	if n := e.flushes(); n != 0 {
		t.Errorf("%d Flushes of a server that is away", n)
	}
	server.Restart()
	server.Ready()
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	apply(t, s, op("a", "x", 0))
	eventually(t, "a change", func() bool {
		_, ok := e.when(store.Ref{Partition: partition, Key: "a"})
		return ok
	})
}

// A change whose answer was lost may have been made: this gateway must not go on
// believing what it knew.
func TestUncertainChangeIsToldHere(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	apply(t, s, op("a", "1", 0))
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	proxy.Blackhole()
	if err := s.Apply(t.Context(), partition, op("a", "2", 1)); err == nil {
		t.Fatal("acknowledged through a black hole")
	}
	if _, ok := e.when(store.Ref{Partition: partition, Key: "a"}); !ok {
		t.Error("the uncertain change was not told")
	}
	proxy.Restore()
}

// What strangers publish on the channel is no event, and breaks nothing.
func TestStrangeAnnouncements(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	s := open(t, config)
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	for _, text := range []string{"", " ", "s:one", "s:one ", " a", "s:one a/b", "s:one  a", "{s} a", "s:one a\n"} {
		server.CLI("publish", config.Prefix+"changes", text)
	}
	server.CLI("publish", config.Prefix+"changes", "s:one good ones")
	eventually(t, "the good one", func() bool {
		_, ok := e.when(store.Ref{Partition: partition, Key: "ones"})
		return ok
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.told) != 2 {
		t.Errorf("told of %v, want two", e.told)
	}
}
