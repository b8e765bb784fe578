package authn

import (
	"context"
	"hash/maphash"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/internal/flight"
)

// readThrough is a bounded read-through cache of decoded records that never serves
// what it has been told has changed.
//
// An entry has a last good moment: when it was read, or, if it has not been
// invalidated since, the last moment at which the watch of the store was connected.
// It is served as it is for maxAge after that moment, so while the watch is connected
// until it is invalidated; it is then compared with the store in the background every
// compareEvery. An invalidation makes an entry stale, not gone. What is stale or older
// than maxAge is read anew, and served only where that fails with a fault of the
// store, for grace after its last good moment (serve_cached; zero by default).
//
// The fill race: a read that began before an invalidation may bring back what the
// invalidation was about. So each key belongs to a generation, which an invalidation
// moves on: an entry of a former generation is not served as it is.
type readThrough[K comparable, T any] struct {
	entries   *cache.Cache[K, *entry[T]]
	loads     flight.Group[loadKey[K], T]
	seed      maphash.Seed
	gens      [generations]atomic.Uint64
	changes   atomic.Uint64 // invalidations of any key
	flushes   *flushes
	connected func() time.Time // the last moment at which the watch was connected
	maxAge    time.Duration
	grace     time.Duration
	now       func() time.Time
}

// An entry is never changed, but that it may become stale.
type entry[T any] struct {
	value T
	read  time.Time
	gen   uint64 // the generation of its key
	flush uint64 // how many flushes there had been
	// goodUntil is the last good moment of a stale entry, whose record was changed or
	// may have been, in nanoseconds; 0 while it is not stale.
	goodUntil atomic.Int64
}

func (e *entry[T]) isStale() bool { return e.goodUntil.Load() != 0 }

// makeStale is done once: the first change is what counts.
func (e *entry[T]) makeStale(lastGood time.Time) { e.goodUntil.CompareAndSwap(0, lastGood.UnixNano()) }

// compareEvery bounds how long an entry is served without a look at the store, in
// case a change was lost that the watch should have told of.
const compareEvery = time.Minute

// generations are shared by keys, so an invalidation may make a few other entries be
// read anew.
const generations = 1 << 14

func newReadThrough[K comparable, T any](o CacheOptions, connected, now func() time.Time) *readThrough[K, T] {
	return &readThrough[K, T]{
		entries: cache.New[K, *entry[T]](o.Entries), seed: maphash.MakeSeed(), flushes: &flushes{},
		connected: connected, maxAge: o.MaxAge, grace: o.ServeStale, now: now,
	}
}

// read answers the value under key, from the cache where that is good enough, else
// through load. Concurrent loads of one key are one.
func (f *readThrough[K, T]) read(ctx context.Context, key K, load func(context.Context) (T, error)) (T, error) {
	if f.entries == nil {
		return load(ctx)
	}
	e, held := f.entries.Get(key)
	now := f.now()
	if held && f.isFresh(key, e, now) {
		if now.Sub(e.read) >= f.compareAfter(key) {
			go func() { _, _ = f.fill(context.WithoutCancel(ctx), key, load) }()
		}
		return e.value, nil
	}
	v, err := f.fill(ctx, key, load)
	if err != nil && held && IsFault(err) && f.mayServeStale(key, now) {
		return e.value, nil
	}
	return v, err
}

// fresh answers the value under key where it may be served as it is and need not be
// compared yet. Who asks it before read makes no closure for the store on most requests.
func (f *readThrough[K, T]) fresh(key K) (value T, ok bool) {
	if f.entries == nil {
		return value, false
	}
	e, held := f.entries.Get(key)
	if !held {
		return value, false
	}
	now := f.now()
	if !f.isFresh(key, e, now) || now.Sub(e.read) >= f.compareAfter(key) {
		return value, false
	}
	return e.value, true
}

// isFresh tells whether an entry may be served without asking the store.
func (f *readThrough[K, T]) isFresh(key K, e *entry[T], now time.Time) bool {
	return !e.isStale() && e.gen == f.generation(key).Load() && e.flush == f.flushes.count() && now.Sub(later(e.read, f.lastConnected())) < f.maxAge
}

// mayServeStale tells whether the entry that is still under key is within grace. It
// is looked up again: what was removed meanwhile is not served.
func (f *readThrough[K, T]) mayServeStale(key K, now time.Time) bool {
	e, held := f.entries.Get(key)
	return held && now.Sub(f.lastGood(e)) < f.grace
}

func (f *readThrough[K, T]) lastGood(e *entry[T]) time.Time {
	switch {
	case e.isStale():
		return time.Unix(0, e.goodUntil.Load())
	case e.flush != f.flushes.count():
		return later(e.read, f.flushes.connectedBefore(e.flush))
	}
	return later(e.read, f.lastConnected())
}

func (f *readThrough[K, T]) lastConnected() time.Time { return f.flushes.see(f.connected()) }

// compareAfter spreads the comparisons of entries that were read together.
func (f *readThrough[K, T]) compareAfter(key K) time.Duration {
	const steps = 256
	return compareEvery - compareEvery/10*time.Duration(maphash.Comparable(f.seed, key)%steps)/steps
}

// A loadKey holds the generation too: who asks after an invalidation must not be
// answered by a read that began before it.
type loadKey[K comparable] struct {
	key K
	gen uint64
}

// fill loads once for all who wait.
func (f *readThrough[K, T]) fill(ctx context.Context, key K, load func(context.Context) (T, error)) (T, error) {
	e := &entry[T]{read: f.now(), gen: f.generation(key).Load(), flush: f.flushes.count()}
	return f.loads.Do(ctx, loadKey[K]{key, e.gen}, func(ctx context.Context) (T, error) {
		v, err := load(ctx)
		switch {
		case err == nil:
			e.value = v
			f.keep(key, e)
		case !IsFault(err):
			f.entries.Delete(key) // it is no longer there: nothing may serve it
		}
		return v, err
	})
}

// keep stores e unless the key was invalidated since the read began. The generation
// is looked at again after e is in: what was dropped between the two looks is gone.
func (f *readThrough[K, T]) keep(key K, e *entry[T]) {
	if f.generation(key).Load() != e.gen {
		return
	}
	f.entries.Set(key, e)
	if f.generation(key).Load() != e.gen {
		f.entries.Delete(key)
	}
}

// put keeps a value that was just written, for an outage alone: it is read before it
// is served otherwise, since another node may have changed it meanwhile.
func (f *readThrough[K, T]) put(key K, v T) {
	e := &entry[T]{value: v, read: f.now(), flush: f.flushes.count()}
	e.makeStale(e.read)
	f.entries.Set(key, e)
}

// A readingOf is the moment before a value is read otherwise than through load.
type readingOf struct {
	at             time.Time
	changes, flush uint64
}

func (f *readThrough[K, T]) before() readingOf {
	return readingOf{f.now(), f.changes.Load(), f.flushes.count()}
}

// keepRead keeps a value that was read since, unless anything was invalidated meanwhile:
// then it is read anew.
func (f *readThrough[K, T]) keepRead(since readingOf, key K, v T) {
	if f.entries == nil {
		return
	}
	e := &entry[T]{value: v, read: since.at, gen: f.generation(key).Load(), flush: since.flush}
	if f.changes.Load() != since.changes { // looked at after the generation, which moves later
		f.drop(key)
		return
	}
	f.keep(key, e)
}

// drop forgets key, and whatever is being read under it now: this node itself has
// changed the record, and the change holds also while the store is away.
func (f *readThrough[K, T]) drop(key K) {
	f.changes.Add(1)
	f.generation(key).Add(1)
	f.entries.Delete(key)
}

// invalidate makes the entry stale, and whatever is being read under key now. The
// entry is marked and not put back: it may be dropped or replaced at this moment.
func (f *readThrough[K, T]) invalidate(key K) {
	f.changes.Add(1)
	f.generation(key).Add(1)
	if e, held := f.entries.Get(key); held {
		e.makeStale(f.lastGood(e))
	}
}

// flush makes every entry stale.
func (f *readThrough[K, T]) flush() {
	f.changes.Add(1)
	f.flushes.add()
	for i := range f.gens {
		f.gens[i].Add(1)
	}
}

func (f *readThrough[K, T]) generation(key K) *atomic.Uint64 {
	return &f.gens[maphash.Comparable(f.seed, key)%uint64(len(f.gens))]
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// off tells that nothing is kept.
func (f *readThrough[K, T]) off() bool { return f.entries == nil }

// len is how many entries there are, stale ones among them.
func (f *readThrough[K, T]) len() int {
	if f.entries == nil {
		return 0
	}
	return f.entries.Len()
}
