package authn

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store"
)

// Run follows what the store reports of changes made elsewhere, until ctx ends. It
// is to run beside the authenticator; where it does not, changes made by other nodes
// are seen only after Cache.MaxAge.
func (a *Authenticator) Run(ctx context.Context, w store.Watcher) error {
	changed := make(chan struct{}, 1)
	var follower sync.WaitGroup
	follower.Go(func() { a.followStore(ctx, changed) })
	defer follower.Wait()
	defer a.watch.end()
	proof, proves := w.(store.Connectivity)
	return w.Watch(ctx, func(e store.Event) {
		a.cache.apply(e)
		if e.Flush && proves {
			a.watch.begin(proof)
		}
		if e.Flush || a.Ring.Concerns(e) {
			select {
			case changed <- struct{}{}:
			default: // it is about to look anyway
			}
		}
	})
}

// pendingEvery is how often the revocations are written that the store has not
// taken yet, besides when it is reached again.
const pendingEvery = 5 * time.Second

// followStore reads the signing ring when another node has changed it, so that a
// rotation is everywhere at once, and writes the revocations that an outage kept
// from the store.
func (a *Authenticator) followStore(ctx context.Context, changed <-chan struct{}) {
	ticker := time.NewTicker(pendingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			if err := a.Ring.Refresh(ctx); err != nil && ctx.Err() == nil {
				a.Log.Warn("the signing ring could not be read after a change", zap.Error(err))
			}
		case <-ticker.C:
		}
		if err := a.WritePending(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("revocations could not be written; this gateway obeys them", zap.Error(err))
		}
	}
}
