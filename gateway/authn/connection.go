package authn

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// A connection is what the watch proves: until when every change was heard of.
type connection struct {
	hears atomic.Bool // since its first Flush
	store atomic.Pointer[store.Connectivity]
}

// begin starts to count on the watch: it has told its first Flush.
func (c *connection) begin(s store.Connectivity) { c.store.Store(&s) }

// end stops: nobody listens any more.
func (c *connection) end() {
	c.hears.Store(false)
	c.store.Store(nil)
}

// last is the last moment at which the watch was connected; zero where nobody listens
// or the store cannot prove it.
func (c *connection) last() time.Time {
	if s := c.store.Load(); s != nil {
		return (*s).LastConnected()
	}
	return time.Time{}
}

// rememberedFlushes is how many flushes are told apart; an entry from before them is
// not served stale.
const rememberedFlushes = 64

// flushes remember, for each flush, the last moment at which the watch was seen
// connected before it.
type flushes struct {
	total atomic.Uint64
	seen  atomic.Int64 // the last connected moment that was seen, in nanoseconds

	mu     sync.Mutex
	before [rememberedFlushes]time.Time
}

// see notes a connected moment and answers it.
func (f *flushes) see(connected time.Time) time.Time {
	if !connected.IsZero() {
		f.seen.Store(connected.UnixNano())
	}
	return connected
}

// add counts a flush. The moment noted is one seen before it: right now the watch may
// be connected again, after a gap.
func (f *flushes) add() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before[f.total.Load()%rememberedFlushes] = time.Unix(0, f.seen.Load())
	f.total.Add(1)
}

func (f *flushes) count() uint64 { return f.total.Load() }

// connectedBefore is the last connected moment before the flush that followed when
// there had been so many.
func (f *flushes) connectedBefore(count uint64) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.total.Load()-count > rememberedFlushes {
		return time.Time{}
	}
	return f.before[count%rememberedFlushes]
}
