package trust_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is advanced, never slept on.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is an issuer, a clock and what believes in them.
type world struct {
	*trusttest.Issuer
	t     *testing.T
	clock *clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Issuer: trusttest.NewIssuer(t), t: t, clock: newClock()}
	w.Now = w.clock.Now
	return w
}

// config has the issuer's key as PEM, so that nothing is fetched.
func (w *world) config(change ...func(*trust.Config)) trust.Config {
	w.t.Helper()
	keys, err := trust.PEMKeys(w.Key().PEM(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	c := w.Config("acme")
	c.Keys = keys
	for _, f := range change {
		f(&c)
	}
	return c
}

func (w *world) profile(change ...func(*trust.Config)) *trust.Profile {
	w.t.Helper()
	return profile(w.t, w.config(change...))
}

func profile(t testing.TB, c trust.Config) *trust.Profile {
	t.Helper()
	p, err := trust.NewProfile(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func set(t testing.TB, profiles ...*trust.Profile) *trust.Set {
	t.Helper()
	s, err := trust.NewSet(profiles...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func accept(t testing.TB, p *trust.Profile, token string) *trust.Identity {
	t.Helper()
	id, err := p.Verify(context.Background(), token)
	if err != nil {
		var r *trust.Refusal
		if errors.As(err, &r) {
			t.Fatalf("%v: configured %s, found %s, remedy %s", err, r.Configured, r.Found, r.Remedy)
		}
		t.Fatal(err)
	}
	return id
}

func refuse(t testing.TB, p *trust.Profile, token, code string) *trust.Refusal {
	t.Helper()
	id, err := p.Verify(context.Background(), token)
	return refused(t, id, err, code)
}

func refused(t testing.TB, id *trust.Identity, err error, code string) *trust.Refusal {
	t.Helper()
	var r *trust.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("identity %+v, error %v, want a refusal with %s", id, err, code)
	}
	if r.Code != code {
		t.Fatalf("%v (configured %s, found %s), want %s", err, r.Configured, r.Found, code)
	}
	return r
}

func unavailable(t testing.TB, err error) {
	t.Helper()
	var r *trust.Refusal
	if !errors.Is(err, trust.ErrKeysUnavailable) || errors.As(err, &r) {
		t.Fatalf("%v, want ErrKeysUnavailable and no refusal", err)
	}
}
