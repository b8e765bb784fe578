package storetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var watchCases = map[string]func(*subject){
	"watch/begins with a flush":           watchBeginsWithFlush,
	"watch/tells before Apply returns":    watchTellsAtOnce,
	"watch/tells of every record changed": watchTellsEach,
	"watch/does not tell of the rest":     watchDoesNotTell,
	"watch/many watchers":                 watchMany,
	"watch/ends with its context":         watchEndsWithContext,
	"watch/ends with the store":           watchEndsWithStore,
	"watch/one call at a time":            watchOneCallAtATime,
}

// patience is how long a case waits for what must happen.
const patience = 10 * time.Second

// A watch collects what a Watch tells.
type watch struct {
	t      testing.TB
	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	events []store.Event
	heard  chan struct{} // one is sent for every event, if the channel is not full
}

// watching begins to watch and returns after the first Flush.
func watching(t testing.TB, s store.Store) *watch {
	t.Helper()
	watcher, ok := s.(store.Watcher)
	if !ok {
		t.Skip("the store is no Watcher")
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{t: t, cancel: cancel, done: make(chan error, 1), heard: make(chan struct{}, 1)}
	go func() { w.done <- watcher.Watch(ctx, w.hear) }()
	t.Cleanup(func() { w.end() })
	if !w.await(func(events []store.Event) bool { return len(events) > 0 }) || !w.all()[0].Flush {
		t.Fatalf("Watch did not begin with a Flush: %v", w.all())
	}
	return w
}

func (w *watch) hear(e store.Event) {
	w.mu.Lock()
	w.events = append(w.events, e)
	w.mu.Unlock()
	select {
	case w.heard <- struct{}{}:
	default:
	}
}

// end stops the watch and returns what Watch did.
func (w *watch) end() error {
	w.cancel()
	select {
	case err := <-w.done:
		w.done <- err
		return err
	case <-time.After(patience):
		w.t.Error("Watch does not return")
		return nil
	}
}

func (w *watch) all() []store.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]store.Event(nil), w.events...)
}

// await waits until what was reported so far satisfies the condition.
func (w *watch) await(enough func([]store.Event) bool) bool {
	deadline := time.After(patience)
	for !enough(w.all()) {
		select {
		case <-w.heard:
		case <-deadline:
			return enough(w.all())
		}
	}
	return true
}

// told reports how often the record was named.
func told(events []store.Event, ref store.Ref) int {
	n := 0
	for _, e := range events {
		if !e.Flush && e.Ref == ref {
			n++
		}
	}
	return n
}

// watchBeginsWithFlush leaves the test to watching. What changed before may be
// told after the Flush, a little late.
func watchBeginsWithFlush(s *subject) {
	s.mustApply(put("a", "1", 0))
	watching(s, s.Store)
}

func watchTellsAtOnce(s *subject) {
	w := watching(s, s.Store)
	for v := range uint64(20) {
		before := told(w.all(), here("a"))
		s.mustApply(put("a", "x", v))
		if told(w.all(), here("a")) == before {
			s.Fatalf("change %d was not told when Apply returned", v+1)
		}
	}
}

func watchTellsEach(s *subject) {
	s.mustApply(put("gone", "x", 0))
	w := watching(s, s.Store)
	s.mustApply(put("a", "1", 0), put("b", "1", 0), store.Op{Key: "gone", Expect: 1})
	for _, key := range []string{"a", "b", "gone"} {
		if told(w.all(), here(key)) == 0 {
			s.Errorf("the change of %s was not told: %v", key, w.all())
		}
	}
}

// watchDoesNotTell has no change before those that are looked at: one that was
// made elsewhere may be reported a little late.
func watchDoesNotTell(s *subject) {
	w := watching(s, s.Store)
	s.refused(store.ErrConflict, put("a", "2", 7), put("b", "1", 0))
	s.mustApply(store.Op{Key: "access", Value: []byte("x"), Blind: true})
	s.touch("access", s.clock.In(time.Hour))
	if _, err := s.List(s.Context(), "m:one"); err != nil {
		s.Fatal(err)
	}
	s.get("access")
	s.mustApply(put("last", "1", 0))
	w.await(func(events []store.Event) bool { return told(events, here("last")) > 0 })
	for _, e := range w.all() {
		if !e.Flush && e.Ref != here("last") {
			s.Errorf("told of %v, which did not change", e.Ref)
		}
	}
}

func watchMany(s *subject) {
	one, two := watching(s, s.Store), watching(s, s.Store)
	s.mustApply(put("a", "1", 0))
	if told(one.all(), here("a")) == 0 || told(two.all(), here("a")) == 0 {
		s.Error("a watcher was not told")
	}
	if err := one.end(); !errors.Is(err, context.Canceled) {
		s.Error(err)
	}
	s.mustApply(put("b", "1", 0))
	if told(two.all(), here("b")) == 0 {
		s.Error("the watcher that stayed was not told")
	}
}

func watchEndsWithContext(s *subject) {
	w := watching(s, s.Store)
	if err := w.end(); !errors.Is(err, context.Canceled) {
		s.Errorf("Watch returned %v, want %v", err, context.Canceled)
	}
	before := len(w.all())
	s.mustApply(put("a", "1", 0))
	if after := len(w.all()); after != before {
		s.Error("told of a change after Watch had returned")
	}
}

func watchEndsWithStore(s *subject) {
	c, ok := s.Store.(io.Closer)
	if !ok {
		s.Skip("the store cannot be closed")
	}
	w := watching(s, s.Store)
	if err := c.Close(); err != nil {
		s.Fatal(err)
	}
	select {
	case err := <-w.done:
		w.done <- err
		if !errors.Is(err, store.ErrClosed) {
			s.Errorf("Watch returned %v, want %v", err, store.ErrClosed)
		}
	case <-time.After(patience):
		s.Error("Watch goes on after Close")
	}
}

func watchOneCallAtATime(s *subject) {
	watcher, ok := s.Store.(store.Watcher)
	if !ok {
		s.Skip("the store is no Watcher")
	}
	var running, clashes atomic.Int32
	flushed := make(chan struct{})
	ctx, cancel := context.WithCancel(s.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- watcher.Watch(ctx, func(e store.Event) {
			if running.Add(1) > 1 {
				clashes.Add(1)
			}
			if e.Flush {
				select {
				case <-flushed:
				default:
					close(flushed)
				}
			}
			running.Add(-1)
		})
	}()
	<-flushed
	s.inParallel(8, func(worker int) error {
		return s.count(partitionOf(worker), "a", 25)
	})
	cancel()
	<-ended
	if n := clashes.Load(); n > 0 {
		s.Errorf("%d calls of fn while another was running", n)
	}
}
