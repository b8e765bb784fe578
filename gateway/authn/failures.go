package authn

import (
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"
)

// maxClients bounds how many clients are remembered at a time.
const maxClients = 10_000

// failures limits how often one client may fail, and so what an attacker can make
// of our CPU and log. Who has a good secret is never counted, so that nobody can
// lock out another behind the same address.
type failures struct {
	clients *otter.Cache[string, *rate.Limiter]
	limit   int
	now     func() time.Time
}

// newFailures allows so many failures a second; none are counted where perSecond
// is negative.
func newFailures(perSecond int, now func() time.Time) *failures {
	f := &failures{limit: perSecond, now: now}
	if perSecond > 0 {
		f.clients = otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxClients})
	}
	return f
}

// allow counts one failure of a client and tells whether it was within the limit.
func (f *failures) allow(client string) bool {
	if f.clients == nil {
		return true
	}
	limiter, held := f.clients.GetIfPresent(client)
	if !held {
		limiter, _ = f.clients.SetIfAbsent(client, rate.NewLimiter(rate.Limit(f.limit), f.limit))
	}
	return limiter.AllowN(f.now(), 1)
}
