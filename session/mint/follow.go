package mint

import (
	"context"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/internal/flight"
	"github.com/attestgate/caddy-attest/internal/jose"
)

const (
	// tickEvery is how often Run looks at the store. It is well under the max-age of
	// the JWKS, so that a key is published by all nodes long before it signs.
	tickEvery = 30 * time.Second
	// unknownEvery is how often at most a kid that nobody knows makes a node look at
	// the store.
	unknownEvery = 5 * time.Second
	// lookTimeout bounds that look, which several may wait for.
	lookTimeout = 5 * time.Second
)

// Refresh reads the ring from the store, as after an event that it Concerns. It
// writes only where the store has lost something that this node remembers.
func (r *Ring) Refresh(ctx context.Context) error {
	if r.store == nil {
		return nil
	}
	return r.change(ctx, func(found keys) (keys, error) { return found, nil })
}

// Tick is Refresh, and rotates what is due. Run calls it every half minute.
func (r *Ring) Tick(ctx context.Context) error {
	if r.store == nil {
		return nil
	}
	return r.change(ctx, r.maintained)
}

// Run ticks until ctx ends and returns ctx.Err(). A tick that fails is told by
// Status and tried again with the next: the keys this node has remain good.
func (r *Ring) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			_ = r.Tick(ctx)
		}
	}
}

// lookup finds the public key of a kid. One that is unknown may have been made by
// another node a moment ago; so the store is asked, at most every unknownEvery,
// however many strangers invent kids. The error is a fault of the store: then
// nobody can say whether the key is good.
func (r *Ring) lookup(ctx context.Context, kid string) (k jose.Key, ok bool, err error) {
	if k, ok = r.current.Load().public[kid]; ok || r.store == nil {
		return k, ok, nil
	}
	if err := r.unknown.look(ctx, r.now, r.Refresh); err != nil {
		return jose.Key{}, false, err
	}
	k, ok = r.current.Load().public[kid]
	return k, ok, nil
}

// lookups makes of many looks at the store few. Its zero value is ready.
type lookups struct {
	flights flight.Group[struct{}, struct{}]

	mu   sync.Mutex
	last time.Time
	err  error
}

func (l *lookups) look(ctx context.Context, now func() time.Time, refresh func(context.Context) error) error {
	if recent, err := l.recent(now()); recent {
		return err
	}
	_, err := l.flights.Do(ctx, struct{}{}, func(ctx context.Context) (struct{}, error) {
		if recent, err := l.recent(now()); recent {
			return struct{}{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, lookTimeout)
		defer cancel()
		err := refresh(ctx)
		l.note(now(), err)
		return struct{}{}, err
	})
	return err
}

// recent tells whether the last look is so recent that its outcome holds.
func (l *lookups) recent(now time.Time) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	age := now.Sub(l.last)
	return age >= 0 && age < unknownEvery, l.err
}

func (l *lookups) note(now time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.err = now, err
}
