package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// An Outage is a store whose backend can be made to go away and to come back.
type Outage struct {
	store.Store
	Away, Back func()
}

// RunOutage puts a store through an outage of its backend: every call is then an
// ErrUnavailable, so that whoever asks can tell it from an answer, and wait. Open
// makes an empty store.
func RunOutage(t *testing.T, open func(t *testing.T, clock *Clock) Outage) {
	for name, test := range map[string]func(*subject, Outage){
		"outage/is no answer":           outageIsNoAnswer,
		"outage/ends":                   outageEnds,
		"outage/is outlived by a watch": outageIsOutlived,
	} {
		t.Run(name, func(t *testing.T) {
			var o Outage
			s := newSubject(t, func(t *testing.T, clock *Clock) store.Store {
				o = open(t, clock)
				return o.Store
			})
			s.mustApply(tagged("a", 0, "m:one"))
			o.Away()
			test(s, o)
		})
	}
}

func outageIsNoAnswer(s *subject, _ Outage) {
	calls := map[string]func() error{
		"Get":                   func() error { _, err := s.Get(s.Context(), partition, "a"); return err },
		"Get of what is absent": func() error { _, err := s.Get(s.Context(), partition, "b"); return err },
		"List":                  func() error { _, err := s.List(s.Context(), "m:one"); return err },
		"Apply":                 func() error { return s.Apply(s.Context(), partition, put("b", "1", 0)) },
		"Touch":                 func() error { return s.Touch(s.Context(), partition, "a", s.clock.In(time.Hour)) },
		"Key":                   func() error { _, err := store.Key(s.Context(), s.Store, "id", zeros{}); return err },
	}
	if r, ok := s.Store.(store.Rewriter); ok {
		ref := store.Ref{Partition: partition, Key: "a"}
		calls["Scan"] = func() error { return r.Scan(s.Context(), func(store.Ref) error { return nil }) }
		calls["Rewrite"] = func() error { return r.Rewrite(s.Context(), ref, []byte("a"), []byte("b")) }
	}
	for name, call := range calls {
		if err := call(); !errors.Is(err, store.ErrUnavailable) {
			s.Errorf("%s while the backend is away: %v, want %v", name, err, store.ErrUnavailable)
		}
	}
}

// zeros is randomness for a key that is never made.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

func outageEnds(s *subject, o Outage) {
	o.Back()
	s.awaitServing()
	if r := s.get("a"); !r.Exists() {
		s.Error("the record is gone after an outage")
	}
}

// awaitServing waits until the store answers again.
func (s *subject) awaitServing() {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	defer cancel()
	for {
		_, err := s.Get(ctx, partition, "a")
		switch {
		case err == nil:
			return
		case !errors.Is(err, store.ErrUnavailable):
			s.Fatalf("the backend is back: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

func outageIsOutlived(s *subject, o Outage) {
	o.Back()
	s.awaitServing()
	w := watching(s, s.Store)
	o.Away()
	o.Back()
	s.awaitServing()
	s.mustApply(put("b", "1", 0))
	if told(w.all(), here("b")) == 0 {
		s.Error("a change after the outage was not told")
	}
}
