package authn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

type testClock struct{ nanos atomic.Int64 }

func (c *testClock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *testClock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func newTestReadThrough(o CacheOptions) (*readThrough[string, int], *testClock) {
	c := &testClock{}
	c.advance(time.Hour)
	return newReadThrough[string, int](o, func() time.Time { return time.Time{} }, c.now), c
}

func TestReadThroughServesUntilMaxAge(t *testing.T) {
	f, clock := newTestReadThrough(CacheOptions{Entries: 10, MaxAge: 5 * time.Second})
	loads := 0
	read := func() int {
		v, err := f.read(t.Context(), "k", func(context.Context) (int, error) { loads++; return loads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if first, again := read(), read(); first != 1 || again != 1 {
		t.Error("a fresh entry was read again")
	}
	clock.advance(5 * time.Second)
	if read() != 2 {
		t.Error("an old entry was served")
	}
	f.drop("k")
	if read() != 3 {
		t.Error("a dropped entry was served")
	}
	f.flush()
	if read() != 4 {
		t.Error("a flushed entry was served")
	}
}

// An entry older than MaxAge is served only while the store has a fault, and only
// for so long.
func TestReadThroughServesStaleOnlyInAnOutage(t *testing.T) {
	f, clock := newTestReadThrough(CacheOptions{Entries: 10, MaxAge: time.Second, ServeStale: time.Minute})
	outage := errors.New("connection refused")
	answer := func(v int, err error) (int, error) {
		return f.read(t.Context(), "k", func(context.Context) (int, error) { return v, err })
	}
	if _, err := answer(1, nil); err != nil {
		t.Fatal(err)
	}
	clock.advance(30 * time.Second)
	if v, err := answer(0, outage); v != 1 || err != nil {
		t.Errorf("in an outage: %d %v", v, err)
	}
	gone := Refuse("session_not_found", nil)
	if _, err := answer(0, gone); !errors.Is(err, gone) {
		t.Errorf("an answer that is no outage: %v", err)
	}
	clock.advance(time.Minute)
	if _, err := answer(0, outage); !errors.Is(err, outage) {
		t.Errorf("after the grace: %v", err)
	}
	f.drop("k")
	if _, err := answer(0, outage); !errors.Is(err, outage) {
		t.Errorf("after it was dropped: %v", err)
	}
}

// The fill race: a read that began before an invalidation brings back what the
// invalidation was about. Its caller has it; nobody else ever does.
func TestReadThroughDropsAFillThatBeganBeforeAnInvalidation(t *testing.T) {
	for name, invalidate := range map[string]func(*readThrough[string, int]){
		"drop":       func(f *readThrough[string, int]) { f.drop("k") },
		"invalidate": func(f *readThrough[string, int]) { f.invalidate("k") },
		"flush":      func(f *readThrough[string, int]) { f.flush() },
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := newTestReadThrough(CacheOptions{Entries: 10, MaxAge: time.Hour})
			began, release := make(chan struct{}), make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				_, _ = f.read(t.Context(), "k", func(context.Context) (int, error) {
					close(began)
					<-release
					return 1, nil
				})
			})
			<-began
			invalidate(f)
			later, err := f.read(t.Context(), "k", func(context.Context) (int, error) { return 2, nil })
			if later != 2 || err != nil {
				t.Errorf("who asked after the invalidation got %d %v: the read that began before it", later, err)
			}
			close(release)
			wg.Wait()
			if v, _ := f.read(t.Context(), "k", func(context.Context) (int, error) { return 3, nil }); v == 1 {
				t.Error("the old fill was kept")
			}
		})
	}
}

// A test that tries to lose the race: writers change a record and invalidate it
// while readers read. What a reader gets is never older than the last change that
// was announced before it asked.
func TestReadThroughIsNeverOlderThanWhatWasAnnounced(t *testing.T) {
	f, _ := newTestReadThrough(CacheOptions{Entries: 64, MaxAge: time.Hour})
	const keys = 8
	var stored, announced [keys]atomic.Int64
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for k := range keys {
		wg.Go(func() {
			for i := int64(1); ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				stored[k].Store(i)
				if i%2 == 0 {
					f.drop(fmt.Sprint(k))
				} else {
					f.invalidate(fmt.Sprint(k))
				}
				announced[k].Store(i)
			}
		})
	}
	for range 4 {
		wg.Go(func() {
			for i := range 20_000 {
				k := i % keys
				least := announced[k].Load()
				v, err := f.read(context.Background(), fmt.Sprint(k), func(context.Context) (int, error) {
					return int(stored[k].Load()), nil
				})
				if err != nil || int64(v) < least {
					t.Errorf("got %d %v, announced was %d", v, err, least)
					return
				}
			}
		})
	}
	go func() { time.Sleep(500 * time.Millisecond); close(stop) }()
	wg.Wait()
}

// CVE-2026-71326: concurrent requests of many users, nobody gets another's.
func TestReadThroughMixesNobodyUp(t *testing.T) {
	f, _ := newTestReadThrough(CacheOptions{Entries: 16, MaxAge: time.Hour})
	var wg sync.WaitGroup
	for i := range 640 {
		wg.Go(func() {
			user := i % 64
			v, err := f.read(context.Background(), fmt.Sprint(user), func(context.Context) (int, error) {
				time.Sleep(time.Millisecond)
				return user, nil
			})
			if v != user || err != nil {
				t.Errorf("user %d got %d %v", user, v, err)
			}
		})
	}
	wg.Wait()
}

// A tracked cache has a watch that a test connects and cuts off, and a store that it
// takes down.
type tracked struct {
	*readThrough[string, int]
	*testClock
	t         *testing.T
	connected atomic.Bool
	last      atomic.Int64
	loads     atomic.Int64
	down      atomic.Bool
}

func newTracked(t *testing.T, o CacheOptions) *tracked {
	c := &tracked{t: t, testClock: &testClock{}}
	c.advance(time.Hour)
	c.readThrough = newReadThrough[string, int](o, c.lastMoment, c.testClock.now)
	return c
}

func (c *tracked) lastMoment() time.Time {
	if c.connected.Load() {
		c.last.Store(c.testClock.now().UnixNano())
	}
	if n := c.last.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

var errOutage = fmt.Errorf("%w: connection refused", store.ErrUnavailable)

func (c *tracked) get() (int, error) {
	return c.read(c.t.Context(), "k", func(context.Context) (int, error) {
		if c.down.Load() {
			return 0, errOutage
		}
		return int(c.loads.Add(1)), nil
	})
}

func (c *tracked) want(want int, what string) {
	c.t.Helper()
	if v, err := c.get(); v != want || err != nil {
		c.t.Errorf("%s: %d %v, want %d", what, v, err, want)
	}
}

func (c *tracked) wantOutage(what string) {
	c.t.Helper()
	if v, err := c.get(); !errors.Is(err, errOutage) {
		c.t.Errorf("%s: %d %v, want the outage", what, v, err)
	}
}

// While the watch hears of every change, age says nothing.
func TestReadThroughServesWhileConnected(t *testing.T) {
	c := newTracked(t, CacheOptions{Entries: 10, MaxAge: 5 * time.Second})
	c.connected.Store(true)
	c.want(1, "first")
	c.advance(50 * time.Second)
	c.want(1, "old and never told of")
	c.invalidate("k")
	c.want(2, "told of")
	c.connected.Store(false)
	c.advance(4 * time.Second)
	c.want(2, "cut off for less than max age")
	c.advance(time.Second)
	c.want(3, "cut off for max age")
}

// A change that the watch lost is found within a minute all the same.
func TestReadThroughIsComparedEveryMinute(t *testing.T) {
	c := newTracked(t, CacheOptions{Entries: 10, MaxAge: 5 * time.Second})
	c.connected.Store(true)
	c.want(1, "first")
	c.advance(time.Minute)
	c.want(1, "the request does not wait for the comparison")
	for deadline := time.Now().Add(10 * time.Second); c.loads.Load() < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if v, err := c.get(); v == 2 && err == nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("the entry was not replaced")
}

// serve_cached counts from the last moment at which what is served was known to be
// so, however often the watch has come and gone since.
func TestServeCachedCountsFromTheLastGoodMoment(t *testing.T) {
	for name, told := range map[string]func(*tracked){
		"nothing told": func(*tracked) {},
		"invalidated":  func(c *tracked) { c.invalidate("k") },
		"flushed":      func(c *tracked) { c.flush() },
		"flushed twice": func(c *tracked) {
			c.flush()
			c.advance(time.Second)
			c.connected.Store(true)
			c.get()
			c.flush()
			c.connected.Store(false)
		}, //nolint:errcheck
	} {
		t.Run(name, func(t *testing.T) {
			c := newTracked(t, CacheOptions{Entries: 10, MaxAge: time.Second, ServeStale: time.Minute})
			c.connected.Store(true)
			c.want(1, "first")
			c.advance(10 * time.Second)
			c.want(1, "connected")
			c.connected.Store(false)
			c.down.Store(true)
			lost := c.testClock.now()
			told(c)
			c.advance(lost.Add(59 * time.Second).Sub(c.testClock.now()))
			c.want(1, "within serve_cached")
			c.advance(time.Second)
			c.wantOutage("serve_cached is over")
		})
	}
}

// What this node itself has changed is not served from before the change.
func TestServeCachedNeverServesWhatWasDropped(t *testing.T) {
	c := newTracked(t, CacheOptions{Entries: 10, MaxAge: time.Second, ServeStale: time.Minute})
	c.want(1, "first")
	c.down.Store(true)
	c.drop("k")
	c.wantOutage("dropped")
}

// A session that was made here and not used yet goes on in an outage; while the store
// answers it is read first, since another node may have revoked it.
func TestServeCachedServesWhatWasJustWritten(t *testing.T) {
	c := newTracked(t, CacheOptions{Entries: 10, MaxAge: time.Second, ServeStale: time.Minute})
	c.connected.Store(true)
	c.put("k", 7)
	c.want(1, "the store answers")
	c.put("k", 7)
	c.down.Store(true)
	c.want(7, "in an outage")
}

// By default nothing stale is served at all.
func TestReadThroughDeniesInAnOutageByDefault(t *testing.T) {
	c := newTracked(t, CacheOptions{Entries: 10, MaxAge: time.Second})
	c.connected.Store(true)
	c.want(1, "first")
	c.down.Store(true)
	c.flush()
	c.wantOutage("flushed")
}

// A change that this node has made itself may come between the two halves of an
// invalidation, which the store's event for that very change brings: what it dropped
// must not be served in the next outage.
func TestInvalidationDoesNotBringBackWhatIsDropped(t *testing.T) {
	meanwhile := func() {}
	c := &testClock{}
	c.advance(time.Hour)
	f := newReadThrough[string, int](CacheOptions{Entries: 10, MaxAge: time.Second, ServeStale: time.Minute}, func() time.Time {
		meanwhile()
		return c.now()
	}, c.now)
	if _, err := f.read(t.Context(), "k", func(context.Context) (int, error) { return 1, nil }); err != nil {
		t.Fatal(err)
	}
	meanwhile = func() { f.drop("k") }
	f.invalidate("k")
	meanwhile = func() {}
	outage := errors.New("connection refused")
	v, err := f.read(t.Context(), "k", func(context.Context) (int, error) { return 0, outage })
	if !errors.Is(err, outage) {
		t.Errorf("served %d, %v", v, err)
	}
}
