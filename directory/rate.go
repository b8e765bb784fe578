package directory

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What the tokens of a profile may create in an hour where the profile does not
// say.
const (
	DefaultMembersPerHour       = 10_000
	DefaultOrganizationsPerHour = 1_000
)

const (
	// shareOf is the part of a profile's hourly members that one organization may
	// have while others ask, where a claim of the token names the organization.
	shareOf = 10
	// askingFor is how long an organization counts as asking.
	askingFor = time.Hour
	// maxShares is how many organizations of a profile have a share of their own;
	// further ones have one together.
	maxShares = 1000
)

// Rates bounds what profiles create. It is this process's alone, holds an hour's
// worth for each profile, and fills evenly. Give the next Directory the same one,
// so that a reload does not fill it. A rate that has changed meanwhile holds from
// the next request on. It is safe for concurrent use.
type Rates struct {
	mu      sync.Mutex
	buckets map[rateKey]*profileRate
}

// rateKey is what is created ("member", "organization"), and by which profile.
type rateKey struct{ created, profile string }

// profileRate is what one profile may create.
type profileRate struct {
	whole  *rate.Limiter
	shares map[string]*share // by organization
}

// share is what one organization may have of it while others ask.
type share struct {
	limiter *rate.Limiter
	asked   time.Time
}

// NewRates makes Rates of which nothing is spent.
func NewRates() *Rates { return &Rates{buckets: map[rateKey]*profileRate{}} }

// allow takes one of the rate an hour, or answers an ErrTooManyRequests with the
// time after which there is one. Where sharer is not empty it is the organization
// that a claim has named: it takes from its tenth, and from the rest only while
// nobody else asks and more than a tenth is left for whoever asks next.
func (r *Rates) allow(key rateKey, perHour int, sharer string, now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.buckets[key]
	if p == nil {
		p = &profileRate{whole: newLimiter(perHour), shares: map[string]*share{}}
		r.buckets[key] = p
	}
	setRate(p.whole, perHour, now)
	if wait := p.take(sharer, perHour, now); wait > 0 {
		return &Error{Code: ErrTooManyRequests.Code, Reason: key.created + "_rate", RetryAfter: wait}
	}
	return nil
}

// take takes one and answers 0, or how long until there is one.
func (p *profileRate) take(sharer string, perHour int, now time.Time) time.Duration {
	if sharer == "" {
		return p.takeWhole(now)
	}
	tenth := max(perHour/shareOf, 1)
	own := p.share(sharer, tenth, now)
	alone := len(p.shares) == 1 && p.whole.TokensAt(now) >= float64(tenth)+1
	if wait := untilNext(own.limiter, now); wait > 0 && !alone {
		return max(wait, untilNext(p.whole, now))
	}
	wait := p.takeWhole(now)
	if wait == 0 {
		own.limiter.AllowN(now, 1)
	}
	return wait
}

func (p *profileRate) takeWhole(now time.Time) time.Duration {
	if p.whole.AllowN(now, 1) {
		return 0
	}
	return untilNext(p.whole, now)
}

// share is the organization's share, after those that no longer ask have gone.
func (p *profileRate) share(organization string, tenth int, now time.Time) *share {
	for name, s := range p.shares {
		if now.Sub(s.asked) >= askingFor {
			delete(p.shares, name)
		}
	}
	if p.shares[organization] == nil && len(p.shares) >= maxShares {
		organization = ""
	}
	s := p.shares[organization]
	if s == nil {
		s = &share{limiter: newLimiter(tenth)}
		p.shares[organization] = s
	}
	s.asked = now
	setRate(s.limiter, tenth, now)
	return s
}

func newLimiter(perHour int) *rate.Limiter {
	return rate.NewLimiter(rate.Limit(float64(perHour)/time.Hour.Seconds()), perHour)
}

// setRate changes the rate and keeps what is spent.
func setRate(l *rate.Limiter, perHour int, now time.Time) {
	if l.Burst() != perHour {
		l.SetLimitAt(now, rate.Limit(float64(perHour)/time.Hour.Seconds()))
		l.SetBurstAt(now, perHour)
	}
}

// untilNext is how long until the limiter has one; 0: it has.
func untilNext(l *rate.Limiter, now time.Time) time.Duration {
	missing := 1 - l.TokensAt(now)
	if missing <= 0 {
		return 0
	}
	return time.Duration(math.Ceil(missing / float64(l.Limit()) * float64(time.Second)))
}

// allowMember takes one member from the profile's rate. A claim shares it among
// the organizations that it names; what the operator or the caller names is one.
func (d *Directory) allowMember(o string, a Assertion) error {
	sharer := o
	if a.OrganizationFixed || a.Organization == "" {
		sharer = ""
	}
	return d.rates.allow(rateKey{"member", a.Profile}, orDefault(a.CreateMembersPerHour, DefaultMembersPerHour), sharer, d.now())
}

// allowOrganization takes one organization from the profile's rate.
func (d *Directory) allowOrganization(a Assertion) error {
	perHour := orDefault(a.CreateOrganizationsPerHour, DefaultOrganizationsPerHour)
	return d.rates.allow(rateKey{"organization", a.Profile}, perHour, "", d.now())
}

func orDefault(n, fallback int) int {
	if n <= 0 {
		return fallback
	}
	return n
}
