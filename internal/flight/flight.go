// Package flight lets all who ask for the same thing at the same time share one look
// at it.
//
// A look belongs to nobody who asked: it does not end with the context of whoever
// came first, since others wait for it, and each leaves when its own context ends. The
// key must hold everything that the answer depends on; who shares a key shares the
// answer (CVE-2026-71326 was a key too narrow). What ended is forgotten at once: the
// package remembers nothing, package cache does.
package flight

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Group is a set of looks that are under way. Its zero value is ready; it must not
// be copied after its first use.
type Group[K comparable, V any] struct {
	// Timeout bounds one look. Default: none, for looks that are bounded by themselves.
	Timeout time.Duration

	mu    sync.Mutex
	looks map[K]*look[V]
}

type look[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// Do answers what look answers: one that is under way for the key, or a new one. The
// context that look gets has the values of ctx and the group's Timeout; where ctx has
// ended already, it looks for those who come after. A panic of look is an error.
func (g *Group[K, V]) Do(ctx context.Context, key K, look func(context.Context) (V, error)) (V, error) {
	l := g.join(ctx, key, look)
	select {
	case <-l.done:
		return l.value, l.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (g *Group[K, V]) join(ctx context.Context, key K, fn func(context.Context) (V, error)) *look[V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.looks[key]; l != nil {
		return l
	}
	if g.looks == nil {
		g.looks = map[K]*look[V]{}
	}
	l := &look[V]{done: make(chan struct{})}
	g.looks[key] = l
	go g.run(context.WithoutCancel(ctx), key, l, fn)
	return l
}

func (g *Group[K, V]) run(ctx context.Context, key K, l *look[V], fn func(context.Context) (V, error)) {
	defer close(l.done)
	defer g.forget(key)
	defer func() {
		if p := recover(); p != nil {
			l.err = fmt.Errorf("flight: panic: %v\n%s", p, debug.Stack())
		}
	}()
	if g.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, g.Timeout)
		defer cancel()
		ctx = bounded
	}
	l.value, l.err = fn(ctx)
}

func (g *Group[K, V]) forget(key K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.looks, key)
}
