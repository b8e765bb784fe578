package directory

import (
	"context"
	"errors"
	"sync"
)

// flights lets one caller of this node make what many ask for at once: without
// it a thousand requests with one new token would spend a thousand of the
// profile's hourly members on one. (Between nodes the store decides.)
type flights struct {
	mu  sync.Mutex
	now map[string]*flight
}

type flight struct {
	landed  chan struct{}
	refusal *Error
}

func newFlights() *flights { return &flights{now: map[string]*flight{}} }

// do calls fn unless another caller is doing so under the same key; then it waits
// and answers that caller's refusal, if it got one, else errAgain: the caller
// reads again. What was refused to one is refused to all under a key, so the key
// must hold everything that a refusal could depend on.
func (f *flights) do(ctx context.Context, key string, fn func() error) error {
	own, other := f.board(key)
	if other != nil {
		return other.wait(ctx)
	}
	defer f.land(key, own)
	err := fn()
	errors.As(err, &own.refusal)
	return err
}

// board answers a new flight of the caller's, or the one under way.
func (f *flights) board(key string) (own, other *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if other = f.now[key]; other != nil {
		return nil, other
	}
	own = &flight{landed: make(chan struct{})}
	f.now[key] = own
	return own, nil
}

func (f *flights) land(key string, own *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.now, key)
	close(own.landed)
}

func (w *flight) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.landed:
	}
	if w.refusal != nil {
		return w.refusal
	}
	return errAgain
}
