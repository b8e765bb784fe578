package authn

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store"
)

// ObservedStore tells observers how long each call of a store takes. It is a store
// itself, and watches as the inner one does.
type ObservedStore struct {
	store.Store
	store.Watcher
	Observers Observers
	// Log is told once when the store does not answer, and once when it does again.
	Log *zap.Logger

	awaySince atomic.Int64 // in nanoseconds; 0 while the store answers
}

// observe tells of one call when it has ended.
func (s *ObservedStore) observe(operation string, began time.Time, err *error) {
	fault := *err
	if !isOutage(fault) {
		fault = nil // a conflict is an answer
	}
	s.Observers.Stored(operation, time.Since(began), fault)
	s.tellOutage(fault)
}

// minOutage is how long an outage lasts at least before its end is told, so that one
// that comes and goes is not a line for every call.
const minOutage = time.Second

func (s *ObservedStore) tellOutage(fault error) {
	now := time.Now()
	since := s.awaySince.Load()
	switch {
	case errors.Is(fault, context.Canceled):
	case fault != nil && since == 0:
		if s.awaySince.CompareAndSwap(0, now.UnixNano()) {
			s.Log.Warn("the store does not answer; requests that need it are 503", zap.Error(fault))
		}
	case fault == nil && since != 0 && now.Sub(time.Unix(0, since)) >= minOutage:
		if s.awaySince.CompareAndSwap(since, 0) {
			s.Log.Info("the store answers again", zap.Duration("back_after", now.Sub(time.Unix(0, since))))
		}
	}
}

// Get implements store.Store.
func (s *ObservedStore) Get(ctx context.Context, partition string, keys ...string) (_ []store.Record, err error) {
	defer s.observe("get", time.Now(), &err)
	return s.Store.Get(ctx, partition, keys...)
}

// List implements store.Store.
func (s *ObservedStore) List(ctx context.Context, tag string) (_ []store.Ref, err error) {
	defer s.observe("list", time.Now(), &err)
	return s.Store.List(ctx, tag)
}

// Apply implements store.Store.
func (s *ObservedStore) Apply(ctx context.Context, partition string, ops ...store.Op) (err error) {
	defer s.observe("apply", time.Now(), &err)
	return s.Store.Apply(ctx, partition, ops...)
}

// Touch implements store.Store.
func (s *ObservedStore) Touch(ctx context.Context, partition, key string, until time.Time) (err error) {
	defer s.observe("touch", time.Now(), &err)
	return s.Store.Touch(ctx, partition, key, until)
}
