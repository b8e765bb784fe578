package bolt

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

var (
	_ store.Store    = (*Store)(nil)
	_ store.Watcher  = (*Store)(nil)
	_ store.Rewriter = (*Store)(nil)
)

// Options are the knobs of a Store. The zero value is a good choice.
type Options struct {
	// Now tells the time by which records expire. Default: time.Now.
	Now func() time.Time
	// LockTimeout is how long Open waits for another process to release the file.
	// Default: 2 s.
	LockTimeout time.Duration
	// SweepEvery is how often expired records are removed while nothing is
	// written. Default: 1 min.
	SweepEvery time.Duration
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.LockTimeout <= 0 {
		o.LockTimeout = 2 * time.Second
	}
	if o.SweepEvery <= 0 {
		o.SweepEvery = time.Minute
	}
	return o
}

// Store is a store.Store and store.Watcher in a file. Make it with Open.
type Store struct {
	db   *bbolt.DB
	opts Options
	hub  *hub.Hub

	writes    chan *write
	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
	stopped   chan struct{} // closed when the writer has ended
	commits   int           // transactions done; the writer's own
}

// Open opens the file at path, or makes it and the directory it is in. The error
// is an ErrLocked where another process holds it, and a *FormatError where a
// newer release has written it.
func Open(path string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	db, err := openFile(path, opts.LockTimeout)
	if err != nil {
		return nil, err
	}
	if err := prepare(db); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("bolt: %s: %w", path, err)
	}
	s := &Store{
		db:      db,
		opts:    opts,
		hub:     hub.New(),
		writes:  make(chan *write),
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go s.writer()
	return s, nil
}

// Close waits for the write that is being done, ends every Watch and releases the
// file. Later calls of any method are an ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		<-s.stopped
		s.hub.Close()
		s.closeErr = s.db.Close()
	})
	return s.closeErr
}

// Watch implements store.Watcher.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	return s.hub.Watch(ctx, fn)
}

func (s *Store) now() int64 { return store.Millis(s.opts.Now()) }

// fault names the package once, and gives what bbolt and the system say the
// names that the contract has for it.
func fault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen):
		return store.ErrClosed
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("bolt: %w: %w", store.ErrFull, err)
	}
	return fmt.Errorf("bolt: %w", err)
}

// guard turns a panic into an error: bbolt panics on pages that cannot be, and a
// damaged file must cost the requests that need it, not the process.
func guard(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	return fn()
}
