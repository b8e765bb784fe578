package authn

import (
	"context"
	"crypto/rand"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/fleet"
)

// FleetNodes answers the gateways on the store as they last told of themselves, this one as
// it stands now. Where the others cannot be read it answers this one, and the error.
func (a *Authenticator) FleetNodes(ctx context.Context) ([]fleet.Node, error) {
	self := a.self(ctx)
	if a.Nodes == nil {
		return []fleet.Node{self}, nil
	}
	list, err := a.Nodes.List(ctx)
	if err != nil {
		return []fleet.Node{self}, err
	}
	for i, n := range list {
		if n.ID == self.ID {
			list[i] = self
			return list, nil
		}
	}
	return append([]fleet.Node{self}, list...), nil
}

// self is this gateway as it stands now. Levers that it cannot read are left out.
func (a *Authenticator) self(ctx context.Context) fleet.Node {
	n := a.Node
	n.SeenAt, n.Key, n.ConnectedAt, n.ClockSkew = a.Now(), a.Ring.ActiveID(), a.watch.last(), a.skew.Load()
	if all, err := a.cachedProfile(ctx, directory.AllProfiles); err == nil {
		n.Frozen, n.NotBefore = all.Disabled, all.NotBefore
	}
	for _, name := range a.Profiles.Names() {
		if state, err := a.cachedProfile(ctx, name); err == nil && state.Disabled {
			n.Disabled = append(n.Disabled, name)
		}
	}
	return n
}

// ClockSkew is how far the store's clock is ahead of this gateway's, as it last was; ok
// tells that it is known.
func (a *Authenticator) ClockSkew() (skew time.Duration, ok bool) {
	if known := a.skew.Load(); known != nil {
		return *known, true
	}
	return 0, false
}

// tellTimeout bounds one look at the store's clock and one word to the fleet.
const tellTimeout = 2 * time.Second

// tellFleet tells the other gateways of this one until ctx ends, again when a lever or
// the signing key has changed, and then leaves them.
func (a *Authenticator) tellFleet(ctx context.Context, w store.Watcher, changed <-chan struct{}) {
	if a.Nodes == nil {
		return
	}
	clock, _ := w.(store.Clock)
	for ctx.Err() == nil {
		a.tellOnce(ctx, clock)
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(jittered(fleet.NodeEvery)):
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTimeout)
	defer cancel()
	_ = a.Nodes.Leave(ctx, a.Node) // the record ends by itself
}

func (a *Authenticator) tellOnce(ctx context.Context, clock store.Clock) {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	if clock != nil {
		skew, err := clock.ClockSkew(ctx)
		if a.skew.Store(&skew); err != nil {
			a.skew.Store(nil)
		}
	}
	if err := a.Nodes.Tell(ctx, a.self(ctx)); err != nil && !isOutage(err) {
		a.Log.Warn("this gateway could not tell the others of itself", zap.Error(err))
	}
}

// jittered takes up to a tenth off, so that gateways that began together do not go on
// together.
func jittered(d time.Duration) time.Duration {
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails
	return d - d/10*time.Duration(b[0])/256
}

// A signal wakes one loop; what was not heard yet is one signal.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) send() {
	select {
	case s <- struct{}{}:
	default: // it is about to look anyway
	}
}
