package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.Watcher      = (*Store)(nil)
	_ store.Rewriter     = (*Store)(nil)
	_ store.Connectivity = (*Store)(nil)
)

// Store is a store.Store and store.Watcher in memory. Make it with New.
type Store struct {
	now   func() time.Time
	limit int
	hub   *hub.Hub

	mu      sync.RWMutex
	closed  bool
	entries map[store.Ref]*entry
	tags    map[string]map[store.Ref]struct{}
	due     queue
}

// New makes an empty store that reads the time from now (nil: time.Now) and
// takes any number of records.
func New(now func() time.Time) *Store { return NewBounded(now, 0) }

// NewBounded is New for a store of at most limit records (0: any number). When
// it is full, records can be changed and deleted but not added: Apply answers
// store.ErrFull.
func NewBounded(now func() time.Time, limit int) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{
		now:     now,
		limit:   limit,
		hub:     hub.New(),
		entries: map[store.Ref]*entry{},
		tags:    map[string]map[store.Ref]struct{}{},
	}
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if err := store.CheckKeys(partition, keys...); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.checkUsable(ctx); err != nil {
		return nil, err
	}
	now := store.Millis(s.now())
	records := make([]store.Record, len(keys))
	for i, key := range keys {
		records[i].Key = key
		if e := s.liveEntry(store.Ref{Partition: partition, Key: key}, now); e != nil {
			records[i] = e.record()
		}
	}
	return records, nil
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, tag string) ([]store.Ref, error) {
	if err := store.CheckName(tag); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.checkUsable(ctx); err != nil {
		return nil, err
	}
	now := store.Millis(s.now())
	var refs []store.Ref
	for ref := range s.tags[tag] {
		if s.liveEntry(ref, now) != nil {
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := store.CheckApply(partition, ops); err != nil {
		return err
	}
	if err := s.apply(ctx, partition, ops); err != nil {
		return err
	}
	s.hub.Changed(partition, ops)
	return nil
}

func (s *Store) apply(ctx context.Context, partition string, ops []store.Op) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	s.removeExpired(sweepPerApply)
	now := store.Millis(s.now())
	if err := s.checkVersions(partition, ops, now); err != nil {
		return err
	}
	for i := range ops {
		s.putEntry(store.Ref{Partition: partition, Key: ops[i].Key}, &ops[i])
	}
	return nil
}

// checkVersions reports whether every op finds what it expects, and what it adds fits.
func (s *Store) checkVersions(partition string, ops []store.Op, now int64) error {
	added := 0
	for i := range ops {
		op := &ops[i]
		e := s.liveEntry(store.Ref{Partition: partition, Key: op.Key}, now)
		if !op.Blind && !e.hasVersion(op.Expect) {
			return store.ErrConflict
		}
		if e == nil && op.Value != nil {
			added++
		}
	}
	if s.limit > 0 && added > 0 && len(s.entries)+added > s.limit {
		return store.ErrFull
	}
	return nil
}

// putEntry replaces whatever stands under ref by what the op says.
func (s *Store) putEntry(ref store.Ref, op *store.Op) {
	s.removeEntry(ref)
	if op.Value == nil {
		return
	}
	e := newEntry(ref, op)
	s.entries[ref] = e
	s.due.add(e)
	for _, tag := range e.tags {
		if s.tags[tag] == nil {
			s.tags[tag] = map[store.Ref]struct{}{}
		}
		s.tags[tag][ref] = struct{}{}
	}
}

func (s *Store) removeEntry(ref store.Ref) {
	e := s.entries[ref]
	if e == nil {
		return
	}
	delete(s.entries, ref)
	s.due.discard(e)
	for _, tag := range e.tags {
		delete(s.tags[tag], ref)
		if len(s.tags[tag]) == 0 {
			delete(s.tags, tag)
		}
	}
}

// Touch implements store.Store.
func (s *Store) Touch(ctx context.Context, partition, key string, until time.Time) error {
	if err := store.CheckKeys(partition, key); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.checkUsable(ctx); err != nil {
		return err
	}
	e := s.liveEntry(store.Ref{Partition: partition, Key: key}, store.Millis(s.now()))
	if e == nil {
		return nil
	}
	s.due.discard(e)
	e.until = store.Millis(store.Sooner(until, store.FromMillis(e.expires)))
	s.due.add(e)
	return nil
}

// Watch implements store.Watcher.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	return s.hub.Watch(ctx, fn)
}

// LastConnected implements store.Connectivity: a Watch hears of every change.
func (s *Store) LastConnected() time.Time { return s.now() }

// Close ends every Watch and makes every later call an ErrClosed. It forgets all
// records.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.entries, s.tags, s.due = nil, nil, nil
	s.hub.Close()
	return nil
}

func (s *Store) checkUsable(ctx context.Context) error {
	if s.closed {
		return store.ErrClosed
	}
	return ctx.Err()
}

// liveEntry is the entry under ref, nil where there is none or it has expired.
func (s *Store) liveEntry(ref store.Ref, now int64) *entry {
	e := s.entries[ref]
	if e == nil || e.until != 0 && e.until <= now {
		return nil
	}
	return e
}

// entry is one record as it is kept.
type entry struct {
	ref     store.Ref
	value   []byte
	version uint64
	expires int64 // milliseconds, 0: never
	until   int64 // likewise; never later than expires
	tags    []string
	index   int // in the queue, -1: not in it
}

func newEntry(ref store.Ref, op *store.Op) *entry {
	e := &entry{
		ref:     ref,
		value:   slices.Clone(op.Value),
		expires: store.Millis(op.ExpiresAt),
		until:   store.Millis(op.End()),
		tags:    slices.Clone(op.Tags),
	}
	if !op.Blind {
		e.version = op.Expect + 1
	}
	return e
}

// hasVersion reports whether the entry has the version that an op expects.
func (e *entry) hasVersion(expect uint64) bool {
	if e == nil {
		return expect == 0
	}
	return expect != 0 && e.version == expect
}

func (e *entry) record() store.Record {
	return store.Record{
		Key:       e.ref.Key,
		Value:     slices.Clone(e.value),
		Version:   e.version,
		ExpiresAt: store.FromMillis(e.expires),
	}
}
