package sealed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.Watcher      = (*Store)(nil)
	_ store.Connectivity = (*Store)(nil)
	_ store.Clock        = (*Store)(nil)
)

// Options are what New needs besides. The zero value is complete.
type Options struct {
	// Now is the clock by which records end. Default: time.Now.
	Now func() time.Time
	// Rand is where nonces come from. Default: crypto/rand.
	Rand io.Reader
	// Fault is called for every record that does not open, with its name. It may
	// be called by several goroutines at once. Default: nothing.
	Fault func(store.Ref)
}

// Store is a store.Store that seals what another keeps. Make it with New. It has
// nothing to close: the inner store stays its owner's.
type Store struct {
	inner store.Store
	keys  keyring
	opts  Options
}

// New wraps inner. Of the secrets, at least 32 bytes each, the first seals and
// all open.
func New(inner store.Store, secrets [][]byte, opts Options) (*Store, error) {
	keys, err := newKeyring(secrets)
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Rand == nil {
		opts.Rand = rand.Reader
	}
	if opts.Fault == nil {
		opts.Fault = func(store.Ref) {}
	}
	return &Store{inner: inner, keys: keys, opts: opts}, nil
}

// Get implements store.Store. The error is an *Error where one of the records
// does not open.
func (s *Store) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	records, err := s.inner.Get(ctx, partition, keys...)
	if err != nil {
		return nil, err
	}
	box := s.keys.box(partition)
	for i, sealed := range records {
		if records[i], err = s.open(box, sealed); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// open turns a record of the inner store into what was written.
func (s *Store) open(box *box, sealed store.Record) (store.Record, error) {
	absent := store.Record{Key: sealed.Key}
	if !sealed.Exists() {
		return absent, nil
	}
	opened, err := box.open(sealed)
	if err != nil {
		s.opts.Fault(store.Ref{Partition: box.partition, Key: sealed.Key})
		return absent, err
	}
	if s.hasEnded(opened) {
		return absent, nil
	}
	return opened, nil
}

// hasEnded reports whether a record that the inner store still has is past its end:
// its clock may be late, or someone may have moved the end.
func (s *Store) hasEnded(r store.Record) bool {
	return !r.ExpiresAt.IsZero() && !s.opts.Now().Before(r.ExpiresAt)
}

// List implements store.Store.
func (s *Store) List(ctx context.Context, tag string) ([]store.Ref, error) {
	return s.inner.List(ctx, tag)
}

// Apply implements store.Store.
func (s *Store) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if err := checkOps(partition, ops); err != nil {
		return err
	}
	sealed, err := s.seal(partition, ops)
	if err != nil {
		return err
	}
	err = s.inner.Apply(ctx, partition, sealed...)
	if !errors.Is(err, store.ErrConflict) || !s.removeEnded(ctx, partition, ops) {
		return err
	}
	return s.inner.Apply(ctx, partition, sealed...)
}

// checkOps is store.CheckApply for values that grow by what sealing adds.
func checkOps(partition string, ops []store.Op) error {
	if err := store.CheckApply(partition, ops); err != nil {
		return err
	}
	for i := range ops {
		if len(ops[i].Value) > MaxValue {
			return fmt.Errorf("%w: value of %d bytes", store.ErrTooLarge, len(ops[i].Value))
		}
	}
	return nil
}

func (s *Store) seal(partition string, ops []store.Op) ([]store.Op, error) {
	box := s.keys.box(partition)
	sealed := make([]store.Op, len(ops))
	for i, op := range ops {
		sealed[i] = op
		if op.Value == nil {
			continue
		}
		value, err := box.seal(s.opts.Rand, &op)
		if err != nil {
			return nil, fmt.Errorf("sealed: %w", err)
		}
		sealed[i].Value = value
	}
	return sealed, nil
}

// removeEnded removes records that the ops expect to be absent and that are, by the end
// sealed in them, though the inner store still has them. It reports whether there
// were any; a conflict with one of those was none.
func (s *Store) removeEnded(ctx context.Context, partition string, ops []store.Op) bool {
	var keys []string
	for i := range ops {
		if !ops[i].Blind && ops[i].Expect == 0 {
			keys = append(keys, ops[i].Key)
		}
	}
	records, err := s.inner.Get(ctx, partition, keys...)
	if err != nil {
		return false
	}
	box := s.keys.box(partition)
	var dead []store.Op
	for _, r := range records {
		if r.Exists() && s.endedSealed(box, r) {
			dead = append(dead, store.Op{Key: r.Key, Expect: r.Version})
		}
	}
	return len(dead) > 0 && s.inner.Apply(ctx, partition, dead...) == nil
}

func (s *Store) endedSealed(box *box, sealed store.Record) bool {
	opened, err := box.open(sealed)
	return err == nil && sealed.Version != 0 && s.hasEnded(opened)
}

// Touch implements store.Store.
func (s *Store) Touch(ctx context.Context, partition, key string, until time.Time) error {
	return s.inner.Touch(ctx, partition, key, until)
}

// Watch implements store.Watcher where the inner store does; else it answers
// errors.ErrUnsupported at once.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	watcher, ok := s.inner.(store.Watcher)
	if !ok {
		return fmt.Errorf("sealed: the inner store cannot watch: %w", errors.ErrUnsupported)
	}
	return watcher.Watch(ctx, fn)
}

// LastConnected implements store.Connectivity where the inner store does; else it
// is never.
func (s *Store) LastConnected() time.Time {
	if inner, ok := s.inner.(store.Connectivity); ok {
		return inner.LastConnected()
	}
	return time.Time{}
}

// ClockSkew implements store.Clock where the inner store does; else it is an
// errors.ErrUnsupported.
func (s *Store) ClockSkew(ctx context.Context) (time.Duration, error) {
	if inner, ok := s.inner.(store.Clock); ok {
		return inner.ClockSkew(ctx)
	}
	return 0, fmt.Errorf("sealed: the inner store has no clock of its own: %w", errors.ErrUnsupported)
}
