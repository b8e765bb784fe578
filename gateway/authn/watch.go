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
	work.Go(func() { a.followStreams(ctx) })
	defer work.Wait()
	defer a.watch.end()
	proof, proves := w.(store.Connectivity)
	return w.Watch(ctx, func(e store.Event) {
		a.cache.apply(e)
		a.Streams.apply(e)
		if e.Flush {
			a.watch.hears.Store(true)
		}
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
// shares, and writes the revocations that an outage kept from the store. The keys come
// last: a gateway that starts on an emptied store waits for them, and then reads the
// rest.
func (a *Authenticator) followStore(ctx context.Context, changed <-chan struct{}) {
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			a.compare(ctx, "the signing ring could not be read after a change", a.Ring.Refresh)
		case <-ticker.C:
		}
		a.compare(ctx, "what operators have frozen, disabled or revoked could not be compared with the store", a.compareLevers)
		if a.Fleet != nil {
			a.compare(ctx, "the keys of the fleet could not be compared with the store", a.Fleet.Refresh)
		}
		a.compare(ctx, "revocations could not be written to the store; they hold on this gateway and are tried again", a.WritePending)
	}
}

// compare does one thing of followStore. What fails is tried again; what trying again
// does not mend is an error.
func (a *Authenticator) compare(ctx context.Context, failed string, do func(context.Context) error) {
	err := do(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
	case isOutage(err):
		a.Log.Warn(failed, zap.Error(err))
	default:
		a.Log.Error(failed, zap.Error(err))
	}
}
