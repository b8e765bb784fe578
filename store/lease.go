package store

import (
	"io"
	"sync"
)

// A Lease closes something after its last use: a configuration that is replaced
// closes its store while requests that began under it still need it. Make it with
// NewLease.
type Lease struct {
	mu      sync.Mutex
	closer  io.Closer
	users   int
	closing bool
	err     error
	closed  chan struct{}
}

// NewLease makes a lease of closer that nobody uses yet; nil is nothing to close.
func NewLease(closer io.Closer) *Lease {
	return &Lease{closer: closer, closed: make(chan struct{})}
}

// Use begins one use, which ends with release, called once or more. It answers false
// when Close has been called before: there is nothing to begin any more.
func (l *Lease) Use() (release func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return func() {}, false
	}
	l.users++
	return sync.OnceFunc(l.release), true
}

func (l *Lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.users--
	l.closeUnused()
}

// Close closes at once where nobody uses it, else with the last release. It does not
// wait; Closed does.
func (l *Lease) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	l.closeUnused()
}

func (l *Lease) closeUnused() {
	if !l.closing || l.users > 0 || l.isClosed() {
		return
	}
	if l.closer != nil {
		l.err = l.closer.Close()
	}
	close(l.closed)
}

func (l *Lease) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// Closed is closed when the last use has ended after Close, and what was leased is
// closed.
func (l *Lease) Closed() <-chan struct{} { return l.closed }

// Err is what closing answered; nil before Closed is closed.
func (l *Lease) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
