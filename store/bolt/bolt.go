package bolt

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

var (
	_ store.Store        = (*Store)(nil)
	_ store.Watcher      = (*Store)(nil)
	_ store.Rewriter     = (*Store)(nil)
	_ store.Exporter     = (*Store)(nil)
	_ store.Connectivity = (*Store)(nil)
)

// Options are the knobs of a Store. The zero value is a good choice.
type Options struct {
	// Now is the clock by which records expire. Default: time.Now.
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
	*condition
	path string
	file *boltFile
	opts Options
	hub  *hub.Hub

	reads     chan struct{} // one is in it for every reading transaction
	writes    chan *write
	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
	stopped   chan struct{} // closed when the writer has ended
	commits   int           // transactions done; the writer's own
}

// maxReads is how many reading transactions there are at once: each may wait for
// the disk, and then holds a thread.
const maxReads = 64

// Open opens the file at path, or makes it and the directory it is in. It reads all
// of an existing file to see that it is whole, and makes one smaller of which more
// than half is free. The error is an ErrLocked where another process holds the
// file, a *FormatError where a newer release has written it, and an ErrDamaged.
func Open(path string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	s := &Store{
		condition: newCondition(),
		path:      path,
		opts:      opts,
		hub:       hub.New(),
		reads:     make(chan struct{}, maxReads),
		writes:    make(chan *write),
		closing:   make(chan struct{}),
		stopped:   make(chan struct{}),
	}
	file, err := openFile(path, opts)
	if err == nil {
		err = file.prepare()
	}
	if err != nil {
		if file != nil {
			file.abandon(err)
		}
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	s.file = file
	go s.writer()
	return s, nil
}

// closeTimeout is how long Close waits for a disk that does not answer.
const closeTimeout = 5 * time.Second

// Close waits for the transactions that are under way, ends every Watch and
// releases the file. Later calls of any method are an ErrClosed. Where the disk does
// not answer within 5 s, the file is released all the same.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.hub.Close()
		s.closeErr = s.release()
	})
	return s.closeErr
}

func (s *Store) release() error {
	closed := make(chan error, 1)
	go func() {
		<-s.stopped
		if s.err() == nil {
			closed <- s.guarded(s.file.db.Close)
		}
	}()
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	select {
	case err := <-closed:
		return err
	case <-s.broken:
	case <-timer.C:
	}
	return s.file.release()
}

// Watch implements store.Watcher.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	return s.hub.Watch(ctx, fn)
}

// LastConnected implements store.Connectivity: nobody else changes the file, and a
// Watch hears of every change.
func (s *Store) LastConnected() time.Time { return s.opts.Now() }

func (s *Store) now() int64 { return store.Millis(s.opts.Now()) }
