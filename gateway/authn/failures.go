package authn

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/attestgate/caddy-attest/internal/cache"
)

// maxClients bounds how many clients are remembered at a time.
const maxClients = 10_000

// failures limits how often one client may fail, and so what an attacker can make
// of our CPU and log. Who has a good secret is never counted, so that nobody can
// lock out another behind the same address.
type failures struct {
	mu      sync.Mutex
	clients *cache.Cache[string, *rate.Limiter]
	limit   int
	now     func() time.Time
}

// newFailures allows so many failures a second; none are counted where perSecond
// is negative.
func newFailures(perSecond int, now func() time.Time) *failures {
	f := &failures{limit: perSecond, now: now}
	if perSecond > 0 {
		f.clients = cache.New[string, *rate.Limiter](maxClients)
	}
	return f
}

// allow counts one failure of a client and tells whether it was within the limit.
func (f *failures) allow(client string) bool {
	if f.clients == nil {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	limiter, held := f.clients.Get(client)
	if !held {
		limiter = rate.NewLimiter(rate.Limit(f.limit), f.limit)
		f.clients.Set(client, limiter)
	}
	return limiter.AllowN(f.now(), 1)
}
