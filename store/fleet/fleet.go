// Package fleet is about what all gateways on one store have in common. It guards what
// they must never have two of, the keys by which they name things, and lists the
// gateways themselves ([Nodes]).
//
//	f := fleet.New(sealed)
//	key, err := f.Key(ctx, "id", rand.Reader)   // made once, the same on every node
//	...
//	err = f.Refresh(ctx)                        // when the store may have lost something
//
// A store may come back empty (FLUSHALL, a restored backup, a replica that was
// promoted too early). Every node remembers the keys that it was given and writes
// them back, so that a node that starts later finds them instead of making others:
// two gateways with different keys make two organizations and two members of one.
// Where a node finds another key than its own nevertheless, that is a
// [*ConflictError], and the node reads and writes nothing from then on.
package fleet

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// keyPartition is where store.Key keeps keys.
const keyPartition = "ring"

// ConflictError reports that the store holds another key than this node was given.
type ConflictError struct {
	// Name of the key.
	Name string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("fleet: the store holds another key %q than this gateway works with: "+
		"it was emptied or replaced, and a gateway made a new one; reload this gateway", e.Name)
}

// Backend is a store that tells what changes.
type Backend interface {
	store.Store
	store.Watcher
}

// Store is a store with the fleet's keys. It serves until they are in conflict; then
// every call is a store.ErrUnavailable and a *ConflictError. Make it with New.
type Store struct {
	Backend
	// Founding is how long a node that finds a key missing waits for others to write it
	// back, before it makes one. Set it before the first Key. Default: not at all, which
	// is for a store of one process.
	Founding time.Duration

	until    time.Time // of the founding, once it has begun
	mu       sync.Mutex
	keys     map[string][]byte
	conflict atomic.Pointer[ConflictError]
}

var _ Backend = (*Store)(nil)

// New wraps a sealed store.
func New(b Backend) *Store { return &Store{Backend: b, keys: map[string][]byte{}} }

// Key is store.Key, and remembers the key. It is called before the store is used
// otherwise, by one goroutine.
func (s *Store) Key(ctx context.Context, name string, random io.Reader) ([]byte, error) {
	if err := s.await(ctx, name); err != nil {
		return nil, err
	}
	key, err := store.Key(ctx, s.Backend, name, random)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[name] = key
	return key, nil
}

// Concerns tells whether an event of the store is a reason to Refresh.
func (s *Store) Concerns(e store.Event) bool { return e.Flush || e.Partition == keyPartition }

// Refresh compares the keys of this node with the store's, and writes back those
// that the store has lost. The error is a *ConflictError where it holds others.
func (s *Store) Refresh(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, known := range s.keys {
		// Made of the bytes that this node knows, the key is the same again.
		held, err := store.Key(ctx, s.Backend, name, bytes.NewReader(known))
		if err != nil {
			return err
		}
		if !bytes.Equal(held, known) {
			err := &ConflictError{Name: name}
			s.conflict.Store(err)
			return err
		}
	}
	return nil
}

func (s *Store) err() error {
	if conflict := s.conflict.Load(); conflict != nil {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, conflict)
	}
	return nil
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Backend.Get(ctx, partition, keys...)
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, tag string) ([]store.Ref, error) {
	if err := s.err(); err != nil {
		return nil, err
	}
	return s.Backend.List(ctx, tag)
}

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Backend.Apply(ctx, partition, ops...)
}

// Touch implements store.Store.
func (s *Store) Touch(ctx context.Context, partition, key string, until time.Time) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Backend.Touch(ctx, partition, key, until)
}
