package session

import (
	"context"
	"time"

	"golang.org/x/sync/singleflight"
)

// flightTimeout bounds one shared look at the store. The store's own timeouts are
// far shorter; this is for one that has none.
const flightTimeout = 5 * time.Second

// flights lets all who ask for the same thing at the same time share one look at
// the store. Its zero value is ready.
type flights struct{ group singleflight.Group }

// do calls fn unless it is already under way for this key. It is not cancelled
// with the context of whoever came first, since others wait for it; each leaves
// when its own context ends.
func (f *flights) do(ctx context.Context, key string, fn func(context.Context) (Session, error)) (Session, error) {
	shared := context.WithoutCancel(ctx)
	ch := f.group.DoChan(key, func() (any, error) {
		ctx, cancel := context.WithTimeout(shared, flightTimeout)
		defer cancel()
		return fn(ctx)
	})
	select {
	case <-ctx.Done():
		return Session{}, ctx.Err()
	case result := <-ch:
		s, _ := result.Val.(Session)
		return s, result.Err
	}
}
