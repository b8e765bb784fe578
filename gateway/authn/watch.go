package authn

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store"
)

// Run follows what the store reports of changes made elsewhere, until ctx ends. It
// is to run beside the authenticator; where it does not, changes made by other nodes
// are seen only after Cache.MaxAge.
func (a *Authenticator) Run(ctx context.Context, w store.Watcher) error {
	rotated := make(chan struct{}, 1)
	var follower sync.WaitGroup
	follower.Go(func() { a.followRing(ctx, rotated) })
	defer follower.Wait()
	return w.Watch(ctx, func(e store.Event) {
		a.cache.apply(e)
		if e.Flush || a.Ring.Concerns(e) {
			select {
			case rotated <- struct{}{}:
			default: // it is about to look anyway
			}
		}
	})
}

// followRing reads the signing ring when another node has changed it, so that a
// rotation is everywhere at once. A read that fails is made up for by the ring's
// own ticking.
func (a *Authenticator) followRing(ctx context.Context, rotated <-chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-rotated:
		}
		if err := a.Ring.Refresh(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("the signing ring could not be read after a change", zap.Error(err))
		}
	}
}
