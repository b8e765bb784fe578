package authn

import (
	"context"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/internal/flight"
)

// Bounds of asking the store whether it answers.
const (
	pingAge     = time.Second
	pingTimeout = 5 * time.Second
)

// ping is how the store answered last, and when.
type ping struct {
	flights flight.Group[struct{}, struct{}]
	mu      sync.Mutex
	at      time.Time
	err     error
}

// PingStore reads one record of the store, past every cache, at most once a second:
// anybody may send health checks.
func (a *Authenticator) PingStore(ctx context.Context) error {
	if err, known := a.ping.recent(a.Now()); known {
		return err
	}
	_, err := a.ping.flights.Do(ctx, struct{}{}, func(ctx context.Context) (struct{}, error) {
		if err, known := a.ping.recent(a.Now()); known {
			return struct{}{}, err // a flight that ended as this one began
		}
		_, err := a.Directory.ProfileState(ctx, directory.AllProfiles)
		a.ping.keep(a.Now(), err)
		return struct{}{}, err
	})
	return err
}

func (p *ping) recent(now time.Time) (err error, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := now.Sub(p.at)
	return p.err, age >= 0 && age < pingAge
}

func (p *ping) keep(now time.Time, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.err = now, err
}
