package memory

import (
	"bytes"
	"context"
	"slices"

	"github.com/attestgate/caddy-attest/store"
)

// Scan implements store.Rewriter. It walks the map itself, which Go allows to
// change between two steps, and lets go of it for each call of fn.
func (s *Store) Scan(ctx context.Context, fn func(store.Ref) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	for ref := range s.entries {
		if err := s.withoutLock(func() error { return fn(ref) }); err != nil {
			return err
		}
		if err := s.checkUsable(ctx); err != nil {
			return err
		}
	}
	return nil
}

// withoutLock runs fn without the lock that its caller holds for reading.
func (s *Store) withoutLock(fn func() error) error {
	s.mu.RUnlock()
	defer s.mu.RLock()
	return fn()
}

// Rewrite implements store.Rewriter.
func (s *Store) Rewrite(ctx context.Context, ref store.Ref, old, new []byte) error {
	if err := store.CheckRewrite(ref, old, new); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	e := s.liveEntry(ref, store.Millis(s.now()))
	if e == nil || !bytes.Equal(e.value, old) {
		return store.ErrConflict
	}
	e.value = slices.Clone(new)
	return nil
}
