package caddymodule

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/caddymodule/coverage"
	"github.com/attestgate/caddy-attest/caddymodule/logformat"
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/sealed"
)

// A gate lets requests wait for the app. Caddy starts apps in no particular order,
// so the server may listen before there is a gateway.
type gate struct {
	settled chan struct{} // closed at the first outcome
	once    sync.Once
	outcome atomic.Pointer[outcome]
}

type outcome struct {
	gateway *gateway.Gateway
	err     error
}

func newGate() *gate { return &gate{settled: make(chan struct{})} }

// settle lets everybody through to a gateway, or tells everybody that there is
// none for now.
func (g *gate) settle(gw *gateway.Gateway, err error) {
	g.outcome.Store(&outcome{gw, err})
	g.once.Do(func() { close(g.settled) })
}

// maxWait bounds how long a request waits for the app to start.
const maxWait = 5 * time.Second

var errNotOpen = errors.New("attest: the gateway is not open yet")

func (g *gate) pass(ctx context.Context) (*gateway.Gateway, error) {
	if o := g.outcome.Load(); o != nil {
		return o.gateway, o.err
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-g.settled:
		o := g.outcome.Load()
		return o.gateway, o.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, errNotOpen
	}
}

// openTimeout bounds what Start waits for a store.
const openTimeout = 10 * time.Second

// An opening is what the app holds while its configuration runs.
type opening struct {
	ctx       caddy.Context
	logger    *zap.Logger
	templates map[string]*claims.Template
	ring      mint.RingConfig // as the configuration has it, key files included
	routes    []*proxy.Route
	handlers  []*Attest      // of the routes
	ways      []coverage.Way // to upstreams
	digest    string         // of the configuration, without what placeholders stand for
	loadedAt  time.Time
	admin     atomic.Pointer[admin.Admin] // of the opened gateway
	gate      *gate
	names     *logformat.Names // that logs leave out
	// parameters of addresses in which trusted tokens stand.
	parameters []string
	lease      lease          // of the open store
	work       sync.WaitGroup // beside the requests
}

// prepare reads what the configuration names, so that a mistake in it is found
// when it is loaded. Nothing is opened that another process could hold.
func (a *App) prepare(ctx caddy.Context) (err error) {
	a.ctx, a.logger, a.gate = ctx, ctx.Logger(), newGate()
	if err = a.publishNames(); err != nil {
		return err
	}
	if a.templates, err = a.parseTemplates(); err != nil {
		return err
	}
	if err = a.fitOrganizations(); err != nil {
		return err
	}
	if _, err = a.policy(); err != nil {
		return err
	}
	if a.ring, err = a.readRing(); err != nil {
		return err
	}
	t, err := a.trust(ctx.Storage(), passingDevKeys)
	if err != nil {
		return err
	}
	return a.runCases(ctx, t.set)
}

// publishNames tells logs of which headers and parameters nothing is written: those that
// profiles read tokens from. Routes add theirs.
func (a *App) publishNames() (err error) {
	if a.names, err = logformat.Publish(a); err != nil {
		return err
	}
	for _, place := range a.places() {
		if place.Header != "" {
			a.names.Add(place.Header)
		}
		if place.Query != "" {
			a.names.AddParameter(place.Query)
			a.parameters = append(a.parameters, place.Query)
		}
	}
	return nil
}

// Start opens the store and lets requests through. What the issuers publish is
// fetched behind it: an issuer that is down keeps nobody from starting. Nor does a
// store that other machines keep: it is tried until it answers, and requests are
// 503 meanwhile. What waiting does not mend refuses the configuration.
func (a *App) Start() error {
	if err := a.lease.open(a.ctx, a.backend); err != nil {
		return err
	}
	err := a.open()
	if err == nil || isLocal(a.backend) || !isOutage(err) {
		return err
	}
	a.logger.Error("the store does not answer; it is tried until it does", zap.Error(err))
	a.gate.settle(nil, err)
	a.run(func(ctx context.Context) error { return a.openLater(ctx) })
	return nil
}

// isOutage tells a store that does not serve from a mistake.
func isOutage(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrFull) || errors.Is(err, context.DeadlineExceeded)
}

// openLater tries again and again, at most every two seconds.
func (a *App) openLater(ctx context.Context) error {
	again := backoff.NewExponentialBackOff()
	again.MaxInterval = 2 * time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := a.open()
		if err != nil && !isOutage(err) {
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(again), backoff.WithMaxElapsedTime(0))
	return err
}

// open builds the gateway over the open store, and lets requests through to it.
func (a *App) open() error {
	ctx, cancel := context.WithTimeout(a.ctx, openTimeout)
	defer cancel()
	storage := a.ctx.Storage()
	t, err := a.trust(storage, a.storedDevKeys(ctx, storage))
	if err != nil {
		return err
	}
	secrets, err := a.sealingSecrets(ctx, storage)
	if err != nil {
		return err
	}
	s, err := sealed.New(a.lease.store, secrets, sealed.Options{Fault: a.alarm})
	if err != nil {
		return err
	}
	a.strictPaths()
	g, ring, err := a.assemble(ctx, s, t)
	if err != nil {
		return err
	}
	a.run(ring.Run)
	a.run(func(ctx context.Context) error { return g.Run(ctx, s) })
	for _, keys := range t.remote {
		a.run(keys.Run)
	}
	for _, keys := range t.files {
		a.run(keys.Run)
	}
	for _, keys := range t.secrets {
		a.run(keys.Run)
	}
	if err := a.openAdmin(g, t); err != nil {
		return err
	}
	if err := a.register(g, t); err != nil {
		return err
	}
	a.gate.settle(g, nil)
	if len(secrets) > 1 {
		a.run(func(ctx context.Context) error { return a.reseal(ctx, s) })
	}
	return nil
}

// run does work beside the requests until the configuration is gone.
func (a *App) run(work func(context.Context) error) {
	a.work.Add(1)
	go func() {
		defer a.work.Done()
		if err := work(a.ctx); err != nil && a.ctx.Err() == nil {
			a.logger.Error("background work ended", zap.Error(err))
		}
	}()
}

// alarm tells that a record did not open under any secret: somebody has written
// to the store, or a secret was dropped too early.
func (a *App) alarm(ref store.Ref) {
	a.lease.memory.metrics.RecordFault()
	a.logger.Error("a stored record does not open: it was altered, or sealed with a secret that is no longer configured",
		zap.String("partition", ref.Partition), zap.String("key", ref.Key))
}

// Stop does nothing: requests that are still being served go on with this
// configuration. What it holds is released in Cleanup.
func (a *App) Stop() error { return nil }

// Cleanup ends the work beside the requests and gives the store back.
func (a *App) Cleanup() error {
	a.work.Wait()
	if a.names != nil {
		_ = logformat.Withdraw(a) // it is there
	}
	return a.lease.release(isLocal(a.backend), a.logger)
}

var (
	_ caddy.App          = (*App)(nil)
	_ caddy.CleanerUpper = (*App)(nil)
)
