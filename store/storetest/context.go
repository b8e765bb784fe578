package storetest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var contextCases = map[string]func(*subject){
	"context/cancelled": contextCancelled,
	"context/too late":  contextTooLate,
	"closed":            closed,
	"closed twice":      closedTwice,
}

func contextCancelled(s *subject) {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	s.everyCall(ctx, context.Canceled)
	s.absent("a")
}

func contextTooLate(s *subject) {
	ctx, cancel := context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
	defer cancel()
	s.everyCall(ctx, context.DeadlineExceeded)
	s.absent("a")
}

func closed(s *subject) {
	c, ok := s.Store.(io.Closer)
	if !ok {
		s.Skip("the store cannot be closed")
	}
	s.mustApply(put("a", "1", 0))
	if err := c.Close(); err != nil {
		s.Fatal(err)
	}
	s.everyCall(s.Context(), store.ErrClosed)
}

func closedTwice(s *subject) {
	c, ok := s.Store.(io.Closer)
	if !ok {
		s.Skip("the store cannot be closed")
	}
	if err := c.Close(); err != nil {
		s.Fatal(err)
	}
	if err := c.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
		s.Errorf("second Close: %v", err)
	}
}

// everyCall fails the test unless each method answers the error.
func (s *subject) everyCall(ctx context.Context, want error) {
	s.Helper()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second) // for a Watch that is not refused
	defer cancel()
	_, get := s.Get(ctx, partition, "a")
	_, list := s.List(ctx, "m:one")
	calls := map[string]error{
		"Get":   get,
		"List":  list,
		"Apply": s.Apply(ctx, partition, tagged("a", 0, "m:one")),
		"Touch": s.Touch(ctx, partition, "a", s.clock.In(time.Hour)),
	}
	if w, ok := s.Store.(store.Watcher); ok {
		calls["Watch"] = w.Watch(ctx, func(store.Event) {})
	}
	if w, ok := s.Store.(store.Rewriter); ok {
		calls["Scan"] = w.Scan(ctx, func(store.Ref) error { return nil })
		calls["Rewrite"] = w.Rewrite(ctx, here("a"), []byte("1"), []byte("2"))
	}
	for call, err := range calls {
		if !errors.Is(err, want) {
			s.Errorf("%s: %v, want %v", call, err, want)
		}
	}
}
