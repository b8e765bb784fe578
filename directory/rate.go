package directory

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What a profile may make in an hour where it says nothing.
const (
	defaultMembersPerHour       = 1000
	defaultOrganizationsPerHour = 100
)

// rates are the token buckets of the profiles: each holds an hour's worth and
// fills evenly. They are this node's alone.
type rates struct {
	mu      sync.Mutex
	buckets map[bucket]*rate.Limiter
}

// bucket is what is made ("member", "organization"), by which profile, and how
// often. A changed rate is another bucket.
type bucket struct {
	made, profile string
	perHour       int
}

func newRates() *rates { return &rates{buckets: map[bucket]*rate.Limiter{}} }

// allow takes one from the bucket, or refuses.
func (r *rates) allow(b bucket, now time.Time) error {
	if !r.limiter(b).AllowN(now, 1) {
		return ErrTooManyRequests.because(b.made + "_rate")
	}
	return nil
}

func (r *rates) limiter(b bucket) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.buckets[b]
	if l == nil {
		l = rate.NewLimiter(rate.Limit(float64(b.perHour)/time.Hour.Seconds()), b.perHour)
		r.buckets[b] = l
	}
	return l
}

func (a *Assertion) memberBucket() bucket {
	return bucket{"member", a.Profile, orDefault(a.CreateMembersPerHour, defaultMembersPerHour)}
}

func (a *Assertion) organizationBucket() bucket {
	return bucket{"organization", a.Profile, orDefault(a.CreateOrganizationsPerHour, defaultOrganizationsPerHour)}
}

func orDefault(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}
