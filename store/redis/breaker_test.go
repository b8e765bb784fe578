package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// Callers who go away, or who give no time, are no reason to refuse others:
// nobody from outside can open the breaker.
func TestImpatientCallersDoNotOpenTheBreaker(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	apply(t, s, op("a", "1", 0))
	proxy.Latency(20 * time.Millisecond)
	for name, impatient := range map[string]func() (context.Context, context.CancelFunc){
		"gone away": func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(5*time.Millisecond, cancel)
			return ctx, cancel
		},
		"no time": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), 5*time.Millisecond)
		},
	} {
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				ctx, cancel := impatient()
				defer cancel()
				_, err := s.Get(ctx, partition, "a")
				if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v, want the context's own error", name, err)
				}
			})
		}
		wg.Wait()
		if down := s.Status().Down; len(down) > 0 {
			t.Errorf("%s: %v count as down", name, down)
		}
	}
	proxy.Restore()
	if r := get(t, s, "a"); !r.Exists() {
		t.Error("a is absent")
	}
}

// On a link that spoils one answer in five, calls fail as often as the link does
// and not more: faults that stand among answers never make the breaker refuse what
// would work, a read that was reset is asked once more, and a new connection on which
// nothing comes costs no call.
func TestBreakerDoesNotAmplifyFaults(t *testing.T) {
	const resets, late = 0.1, 0.1
	server := redistest.Start(t)
	for name, call := range map[string]func(s store.Store, worker, n int) error{
		"reads": func(s store.Store, worker, _ int) error {
			_, err := s.Get(context.Background(), fmt.Sprintf("s:%d", worker), "a")
			return err
		},
		"writes": func(s store.Store, worker, n int) error {
			return s.Apply(context.Background(), fmt.Sprintf("s:%d", worker), op(fmt.Sprint(n), "x", 0))
		},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := redistest.NewProxy(t, server.Addr)
			config := fresh(proxy.Addr)
			config.Timeout = time.Second
			s := open(t, config)
			_ = call(s, 0, 1_000_000) // the script is known from here on
			proxy.Spoil(redistest.Faults{Resets: resets, Late: late, Delay: 3 * time.Second})
			faults, refused, calls := spoiledCalls(s, call)
			share := float64(faults) / float64(calls)
			t.Logf("%.3f of %d calls failed, %d refused by the breaker", share, calls, refused)
			if limit := 1.2 * (resets + late); share > limit || share < late/2 {
				t.Errorf("%.3f of the calls failed, want at most %.2f", share, limit)
			}
			if refused > 0 {
				t.Errorf("the breaker refused %d calls of a server that answers", refused)
			}
		})
	}
}

// spoiledCalls has 64 workers call, one after another, and counts what failed.
func spoiledCalls(s store.Store, call func(s store.Store, worker, n int) error) (faults, refused int64, calls int) {
	const workers, each = 64, 60
	var working sync.WaitGroup
	var failed, unasked atomic.Int64
	for worker := range workers {
		working.Go(func() {
			for n := range each {
				err := call(s, worker, n)
				if err != nil {
					failed.Add(1)
				}
				if err != nil && strings.Contains(err.Error(), "not asked") {
					unasked.Add(1)
				}
			}
		})
	}
	working.Wait()
	return failed.Load(), unasked.Load(), workers * each
}

// While the breaker is open, nothing is sent, and calls cost next to nothing.
func TestOpenBreakerRefusesAtOnce(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	apply(t, s, op("a", "1", 0))
	proxy.Blackhole()
	eventually(t, "the breaker", func() bool {
		begin := time.Now()
		_, err := s.Get(context.Background(), partition, "a")
		return err != nil && time.Since(begin) < 10*time.Millisecond
	})
	for what, err := range map[string]error{
		"Apply": s.Apply(t.Context(), partition, op("a", "2", 1)),
		"Touch": s.Touch(t.Context(), partition, "a", time.Now()),
		"List":  func() error { _, err := s.List(t.Context(), "m:one"); return err }(),
	} {
		wantKind(t, what, err, redis.Unreachable)
	}
	proxy.Restore()
	eventually(t, "recovery", func() bool {
		_, err := s.Get(context.Background(), partition, "a")
		return err == nil
	})
	if r := get(t, s, "a"); r.Version != 1 {
		t.Errorf("a refused change was made: version %d", r.Version)
	}
}

// A store is closed at once, whatever its servers are doing.
func TestCloseOfAStoreThatIsDown(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	apply(t, s, op("a", "1", 0))
	watch(t, s)
	proxy.Blackhole()
	eventually(t, "the breaker", func() bool {
		_, _ = s.Get(context.Background(), partition, "a")
		return len(s.Status().Down) > 0
	})
	begin := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("closing takes %v", took)
	}
	if _, err := s.Get(t.Context(), partition, "a"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get: %v, want %v", err, store.ErrClosed)
	}
}
