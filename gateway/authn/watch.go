package authn

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
)

// A SharedState is something that all gateways on one store have in common.
type SharedState interface {
	// Concerns tells whether an event may have changed or lost it.
	Concerns(store.Event) bool
	// Refresh compares what this gateway knows with what the store holds, and writes
	// back what that has lost.
	Refresh(context.Context) error
}

// Run follows what the store reports of changes made elsewhere, until ctx ends. It
// is to run beside the authenticator; where it does not, changes made by other nodes
// are seen only after Cache.MaxAge.
func (a *Authenticator) Run(ctx context.Context, w store.Watcher) error {
	changed, news := newSignal(), newSignal()
	var work sync.WaitGroup
	work.Go(func() { a.followStore(ctx, changed) })
	work.Go(func() { a.tellFleet(ctx, w, news) })
	defer work.Wait()
	defer a.watch.end()
	proof, proves := w.(store.Connectivity)
	return w.Watch(ctx, func(e store.Event) {
		a.cache.apply(e)
		if e.Flush && proves {
			a.watch.begin(proof)
		}
		if a.Ring.Concerns(e) || a.Fleet != nil && a.Fleet.Concerns(e) {
			changed.send()
		}
		if entity, ok := directory.Changed(e); e.Flush || a.Ring.Concerns(e) || ok && entity.Profile != "" {
			news.send()
		}
	})
}

// followEvery is how often the fleet's state is compared and pending revocations
// are written, besides when the store tells of a reason: a store that was emptied
// tells nothing.
const followEvery = 5 * time.Second

// followStore keeps this gateway and the store of one mind about what the fleet
// shares, and writes the revocations that an outage kept from the store.
func (a *Authenticator) followStore(ctx context.Context, changed <-chan struct{}) {
	ticker := time.NewTicker(followEvery)
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
		if a.Fleet != nil {
			if err := a.Fleet.Refresh(ctx); err != nil && ctx.Err() == nil {
				a.Log.Error("the keys of the fleet could not be compared with the store", zap.Error(err))
			}
		}
		if err := a.compareLevers(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("what operators have frozen, disabled or revoked could not be compared with the store", zap.Error(err))
		}
		if err := a.WritePending(ctx); err != nil && ctx.Err() == nil {
			a.Log.Warn("revocations could not be written to the store; they hold on this gateway and are tried again", zap.Error(err))
		}
	}
}
