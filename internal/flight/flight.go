// Package flight makes concurrent calls with the same key share one execution, like
// golang.org/x/sync/singleflight, but with contexts.
//
// An execution does not end with the context of the caller that started it, since
// others wait for it; each caller returns when its own context ends. The key must hold
// everything that the result depends on, because callers with one key get one result
// (CVE-2026-71326 was a key too narrow). A result is not kept: package cache does that.
package flight

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// A Group is a set of executions under way. Its zero value is ready; it must not
// be copied after its first use.
type Group[K comparable, V any] struct {
	// Timeout bounds one execution. Default: none, for functions with a bound of their own.
	Timeout time.Duration

	mu    sync.Mutex
	calls map[K]*call[V]
}

type call[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// Do returns the result of fn: of an execution under way for the key, or of a new one.
// The context of fn has the values of ctx and the group's Timeout. Where ctx has ended
// already, fn is still called, for later callers. A panic of fn is an error.
func (g *Group[K, V]) Do(ctx context.Context, key K, fn func(context.Context) (V, error)) (V, error) {
	c := g.join(ctx, key, fn)
	select {
	case <-c.done:
		return c.value, c.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

func (g *Group[K, V]) join(ctx context.Context, key K, fn func(context.Context) (V, error)) *call[V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c := g.calls[key]; c != nil {
		return c
	}
	if g.calls == nil {
		g.calls = map[K]*call[V]{}
	}
	c := &call[V]{done: make(chan struct{})}
	g.calls[key] = c
	go g.run(context.WithoutCancel(ctx), key, c, fn)
	return c
}

func (g *Group[K, V]) run(ctx context.Context, key K, c *call[V], fn func(context.Context) (V, error)) {
	defer close(c.done)
	defer g.forget(key)
	defer func() {
		if p := recover(); p != nil {
			c.err = fmt.Errorf("flight: panic: %v\n%s", p, debug.Stack())
		}
	}()
	if g.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, g.Timeout)
		defer cancel()
		ctx = bounded
	}
	c.value, c.err = fn(ctx)
}

func (g *Group[K, V]) forget(key K) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.calls, key)
}
