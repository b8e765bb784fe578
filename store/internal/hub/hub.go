// Package hub notifies the watchers of one process what changed. Every backend has
// one: a change made through a store is reported to its own watchers before Apply
// returns, also where the backend has a channel of its own that will report it
// again.
package hub

import (
	"context"
	"sync"

	"github.com/attestgate/caddy-attest/store"
)

// A Hub is a set of watchers. Make it with New.
type Hub struct {
	closed chan struct{}
	once   sync.Once

	mu       sync.RWMutex
	watchers map[*Watcher]struct{}
}

// New makes an empty hub.
func New() *Hub {
	return &Hub{closed: make(chan struct{}), watchers: map[*Watcher]struct{}{}}
}

// Watch is store.Watcher's Watch for a backend that hears of every change by
// Changed.
func (h *Hub) Watch(ctx context.Context, fn func(store.Event)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := &Watcher{fn: fn}
	if err := w.registerFlushed(func() error { return h.register(w) }); err != nil {
		return err
	}
	defer h.Leave(w)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-h.closed:
		return store.ErrClosed
	}
}

// Join adds a watcher that is reported of changes until it is made to Leave.
func (h *Hub) Join(fn func(store.Event)) (*Watcher, error) {
	w := &Watcher{fn: fn}
	return w, h.register(w)
}

func (h *Hub) register(w *Watcher) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.closed:
		return store.ErrClosed
	default:
		h.watchers[w] = struct{}{}
		return nil
	}
}

// Leave removes a watcher. When it returns, the watcher's function is not
// running and will not be called again.
func (h *Hub) Leave(w *Watcher) {
	h.mu.Lock()
	delete(h.watchers, w)
	h.mu.Unlock()
	w.mu.Lock()
	w.fn = nil
	w.mu.Unlock()
}

// Changed notifies every watcher of the ops that are not blind.
func (h *Hub) Changed(partition string, ops []store.Op) {
	for _, w := range h.watcherList() {
		for i := range ops {
			if !ops[i].Blind {
				w.Send(store.Event{Ref: store.Ref{Partition: partition, Key: ops[i].Key}})
			}
		}
	}
}

func (h *Hub) watcherList() []*Watcher {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if len(h.watchers) == 0 {
		return nil
	}
	list := make([]*Watcher, 0, len(h.watchers))
	for w := range h.watchers {
		list = append(list, w)
	}
	return list
}

// Close ends every Watch with ErrClosed and refuses new watchers.
func (h *Hub) Close() { h.once.Do(func() { close(h.closed) }) }

// A Watcher calls one function, never twice at once.
type Watcher struct {
	mu sync.Mutex
	fn func(store.Event)
}

// registerFlushed registers the watcher so that nothing is reported before its first
// Flush.
func (w *Watcher) registerFlushed(register func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := register(); err != nil {
		return err
	}
	w.fn(store.Event{Flush: true})
	return nil
}

// Flush reports that changes may have been missed.
func (w *Watcher) Flush() { w.Send(store.Event{Flush: true}) }

// Send passes an event on.
func (w *Watcher) Send(e store.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fn != nil {
		w.fn(e)
	}
}
