package trust_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// endpoint answers without a network, so that time can be advanced under it.
type endpoint struct {
	mu      sync.Mutex
	control string
	down    bool
	hangs   bool
	body    []byte
	times   []time.Time
}

func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	if e.hangs {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.times = append(e.times, time.Now())
	if e.down {
		return nil, errors.New("connection refused")
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Cache-Control": {e.control}},
		Body: io.NopCloser(bytes.NewReader(e.body)),
	}, nil
}

func (e *endpoint) change(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
}

// gaps are the times between the fetches, rounded to seconds.
func (e *endpoint) gaps() (gaps []time.Duration) {
	for n := 1; n < len(e.times); n++ {
		gaps = append(gaps, e.times[n].Sub(e.times[n-1]).Round(time.Second))
	}
	return gaps
}

// running is a set that Run keeps fresh for so long. Its spread is nothing.
func running(t *testing.T, e *endpoint, spread byte, during func(*trust.RemoteKeys)) {
	t.Helper()
	keys, err := trust.NewRemoteKeys(trust.RemoteConfig{
		URL: "https://idp.example/jwks", Client: &http.Client{Transport: e}, Rand: constant(spread),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- keys.Run(ctx) }()
	during(keys)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

type constant byte

func (c constant) Read(p []byte) (int, error) {
	for n := range p {
		p[n] = byte(c)
	}
	return len(p), nil
}

func TestRunRefreshesByCacheControl(t *testing.T) {
	for _, c := range []struct {
		control string
		spread  byte
		want    time.Duration
	}{
		{"", 0, 5 * time.Minute},
		{"max-age=120", 0, 2 * time.Minute},
		{"public, MAX-AGE=120, must-revalidate", 0, 2 * time.Minute},
		{`max-age="90"`, 0, 90 * time.Second},
		{"max-age=5", 0, time.Minute},
		{"max-age=0", 0, time.Minute},
		{"no-store", 0, time.Minute},
		{"no-cache, max-age=300", 0, time.Minute},
		{"max-age=86400", 0, 5 * time.Minute},
		{"max-age=99999999999999999999", 0, 5 * time.Minute},
		{"max-age=-1", 0, 5 * time.Minute},
		{"nonsense", 0, 5 * time.Minute},
		{"max-age=300", 128, 285 * time.Second},
		{"max-age=300", 255, 270 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{control: c.control, body: publish(trusttest.NewKey(t, jose.ES256))}
			running(t, e, c.spread, func(*trust.RemoteKeys) { time.Sleep(3*c.want + time.Second) })
			if len(e.times) != 4 {
				t.Errorf("%q: %d fetches", c.control, len(e.times))
			}
			for _, gap := range e.gaps() {
				if gap != c.want {
					t.Errorf("%q: fetched after %s, want %s", c.control, gap, c.want)
				}
			}
		})
	}
}

// F12: without any set it is tried every second at the latest.
func TestRunComesBackWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{down: true, body: publish(trusttest.NewKey(t, jose.ES256))}
		running(t, e, 0, func(keys *trust.RemoteKeys) {
			time.Sleep(time.Minute)
			synctest.Wait()
			if n := len(e.times); n < 50 || n > 70 || keys.Status().Err == nil {
				t.Errorf("%d fetches in a minute, %+v", n, keys.Status())
			}
			e.change(func() { e.down = false })
			time.Sleep(time.Second)
			synctest.Wait()
			if s := keys.Status(); s.Keys != 1 || s.Err != nil {
				t.Errorf("a second after it is back: %+v", s)
			}
		})
	})
}

// F13: with an old set it is tried once in thirty seconds.
func TestRunTriesSeldomWhileAnOldSetServes(t *testing.T) {
	for _, spread := range []byte{0, 255} {
		synctest.Test(t, func(t *testing.T) {
			e := &endpoint{body: publish(trusttest.NewKey(t, jose.ES256))}
			running(t, e, spread, func(keys *trust.RemoteKeys) {
				time.Sleep(time.Minute)
				synctest.Wait()
				e.change(func() { e.down = true })
				time.Sleep(time.Hour)
				synctest.Wait()
				for _, gap := range e.gaps()[1:] {
					if gap < 30*time.Second || gap > 40*time.Second {
						t.Errorf("fetched after %s", gap)
					}
				}
				if s := keys.Status(); s.Keys != 1 || s.Err == nil {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}

// F13: an endpoint that hangs costs FetchTimeout, and no more.
func TestFetchTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{hangs: true}
		running(t, e, 0, func(keys *trust.RemoteKeys) {
			began := time.Now()
			if err := keys.Refresh(t.Context()); !errors.Is(err, trust.ErrKeysUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took != trust.FetchTimeout {
				t.Errorf("took %s", took)
			}
		})
		time.Sleep(trust.FetchTimeout) // what still hangs ends by itself
	})
}

// F17: a key that the issuer takes back is gone five minutes later.
func TestRunDropsKeysTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{control: "max-age=31536000", body: publish(trusttest.NewKey(t, jose.ES256), trusttest.NewKey(t, jose.ES256))}
		running(t, e, 0, func(keys *trust.RemoteKeys) {
			time.Sleep(time.Second)
			synctest.Wait()
			if keys.Status().Keys != 2 {
				t.Errorf("%+v", keys.Status())
			}
			e.change(func() { e.body = publish(trusttest.NewKey(t, jose.ES256)) })
			time.Sleep(5*time.Minute + time.Second)
			synctest.Wait()
			if keys.Status().Keys != 1 {
				t.Errorf("%+v", keys.Status())
			}
		})
	})
}
