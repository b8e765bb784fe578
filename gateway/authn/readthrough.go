package authn

import (
	"context"
	"hash/maphash"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/attestgate/caddy-attest/internal/cache"
)

// readThrough is a bounded read-through cache of decoded records that never serves
// what it has been told is stale.
//
// Two clocks bound an entry. Up to maxAge after the read began it is served as
// it is. Up to grace after that it is served only where reading anew fails with
// a fault of the store (serve_cached); grace is zero by default.
//
// The fill race: a read that began before an invalidation may bring back what
// the invalidation was about. So each key belongs to a generation, and a fill
// whose generation has moved on meanwhile is given to its caller and not kept.
type readThrough[T any] struct {
	entries *cache.Cache[string, entry[T]]
	flights singleflight.Group
	seed    maphash.Seed
	gens    [256]atomic.Uint64
	maxAge  time.Duration
	grace   time.Duration
	now     func() time.Time
}

type entry[T any] struct {
	value T
	read  time.Time
}

func newReadThrough[T any](o CacheOptions, now func() time.Time) *readThrough[T] {
	return &readThrough[T]{
		entries: cache.New[string, entry[T]](o.Entries), seed: maphash.MakeSeed(), maxAge: o.MaxAge, grace: o.ServeStale, now: now,
	}
}

// read answers the value under key, from the cache where it is not older than maxAge,
// else through load. Concurrent loads of one key are one.
func (f *readThrough[T]) read(ctx context.Context, key string, load func(context.Context) (T, error)) (T, error) {
	if f.entries == nil {
		return load(ctx)
	}
	e, held := f.entries.Get(key)
	if held && f.now().Sub(e.read) < f.maxAge {
		return e.value, nil
	}
	v, err := f.fill(ctx, key, load)
	if err != nil && held && IsFault(err) && f.now().Sub(e.read) < f.maxAge+f.grace {
		return e.value, nil
	}
	return v, err
}

// fill loads once for all who wait. The load outlives the request that began it,
// since others wait for it too; the store's own timeout bounds it. The flight is
// named by the generation too: who asks after an invalidation must not be
// answered by a read that began before it.
func (f *readThrough[T]) fill(ctx context.Context, key string, load func(context.Context) (T, error)) (T, error) {
	gen, began := f.generation(key).Load(), f.now()
	ch := f.flights.DoChan(strconv.FormatUint(gen, 36)+" "+key, func() (any, error) {
		v, err := load(context.WithoutCancel(ctx))
		if err == nil {
			f.keep(key, entry[T]{v, began}, gen)
		}
		return v, err
	})
	select {
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	case r := <-ch:
		return r.Val.(T), r.Err
	}
}

// keep stores e unless the key was invalidated since gen. The entry is looked at
// again after it is in, so that an invalidation between the two checks wins.
func (f *readThrough[T]) keep(key string, e entry[T], gen uint64) {
	if f.generation(key).Load() != gen {
		return
	}
	f.entries.Set(key, e)
	if f.generation(key).Load() != gen {
		f.entries.Delete(key)
	}
}

// drop forgets key, and whatever is being read under it now.
func (f *readThrough[T]) drop(key string) {
	if f.entries == nil {
		return
	}
	f.generation(key).Add(1)
	f.entries.Delete(key)
}

// flush forgets everything.
func (f *readThrough[T]) flush() {
	if f.entries == nil {
		return
	}
	for i := range f.gens {
		f.gens[i].Add(1)
	}
	f.entries.Clear()
}

func (f *readThrough[T]) generation(key string) *atomic.Uint64 {
	return &f.gens[maphash.String(f.seed, key)%uint64(len(f.gens))]
}
