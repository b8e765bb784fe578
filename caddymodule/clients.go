package caddymodule

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/store"
)

// clients holds the open stores of this process, each by all that its client is made
// of: a reload finds the one that is open already, and a file is never opened twice.
var clients = caddy.NewUsagePool()

// known holds what this process knows of the stores.
var known memories

// A client is an open store.
type client struct{ store.Store }

// Destruct closes the store when the last configuration that used it is gone.
func (c client) Destruct() error {
	if closer, ok := c.Store.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// A lease is a configuration's hold on a client and a memory.
type lease struct {
	store  store.Store
	memory *nodeMemory
	key    string // in clients; empty: nothing is held

	requests requests
}

// open finds the store open already, or opens it.
func (l *lease) open(ctx context.Context, backend StoreBackend) error {
	id := string(backend.CaddyModule().ID) + " "
	key := id + backend.PoolKey()
	opened, _, err := clients.LoadOrNew(key, func() (caddy.Destructor, error) {
		s, err := backend.Open(ctx)
		if err != nil {
			return nil, err
		}
		return client{s}, nil
	})
	if err != nil {
		return err
	}
	l.store, l.key = opened.(client).Store, key
	l.memory = known.take(storeIDs(id, backend))
	return nil
}

// storeIDs names the store that a backend leads to, however it does.
func storeIDs(id string, backend StoreBackend) []string {
	named, ok := backend.(NamedStore)
	if !ok {
		return []string{id + backend.PoolKey()}
	}
	var ids []string
	for _, name := range named.StoreNames() {
		ids = append(ids, id+name)
	}
	return ids
}

// settleFor is how long after a reload a request may still arrive at the former
// configuration, on a connection that was being read when it was replaced.
const settleFor = time.Second

// release gives everything back. Caddy does not wait for the requests of the former
// configuration: a client that other machines are reached with is given back after
// the last of them.
func (l *lease) release(local bool, logger *zap.Logger) error {
	if l.key == "" {
		return nil
	}
	known.release(l.memory)
	if local || caddy.Exiting() {
		_, err := clients.Delete(l.key)
		return err
	}
	time.AfterFunc(settleFor, func() {
		l.requests.wait()
		if _, err := clients.Delete(l.key); err != nil {
			logger.Error("closing the store's former client", zap.Error(err))
		}
	})
	return nil
}

// requests counts the requests that a configuration is serving. Unlike a WaitGroup it
// may be waited for while requests come.
type requests struct {
	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n is 0 again; nil: nobody waits
}

func (r *requests) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
}

func (r *requests) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.n--; r.n == 0 && r.idle != nil {
		close(r.idle)
		r.idle = nil
	}
}

// wait returns when no request is being served.
func (r *requests) wait() {
	r.mu.Lock()
	if r.n == 0 {
		r.mu.Unlock()
		return
	}
	if r.idle == nil {
		r.idle = make(chan struct{})
	}
	idle := r.idle
	r.mu.Unlock()
	<-idle
}
