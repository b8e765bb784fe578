package trust_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// remote is a world whose profile fetches the issuer's keys.
func remote(t *testing.T, config trust.RemoteConfig) (*world, *trust.RemoteKeys, *trust.Profile) {
	t.Helper()
	w := newWorld(t)
	keys := w.Keys(config)
	return w, keys, w.profile(withKeys(keys))
}

func TestNewRemoteKeysRefuses(t *testing.T) {
	for name, config := range map[string]trust.RemoteConfig{
		"no URL":                 {},
		"not a URL":              {URL: "https://a b"},
		"relative":               {URL: "/jwks"},
		"http":                   {URL: "http://idp.example/jwks"},
		"F16 file":               {URL: "file:///etc/passwd"},
		"F16 ftp":                {URL: "ftp://127.0.0.1/x"},
		"user in the URL":        {URL: "https://u:p@idp.example/jwks"},
		"fragment":               {URL: "https://idp.example/jwks#a"},
		"host that looks like":   {URL: "http://localhost.evil.example/jwks"},
		"http to a private host": {URL: "http://10.0.0.1/jwks"},
		"CA that is none":        {URL: "https://idp.example/jwks", CA: []byte("x")},
		"CA beside a client":     {URL: "https://idp.example/jwks", CA: []byte("x"), Client: &http.Client{}},
		"a time of 292 years":    {URL: "https://idp.example/jwks", StaleFor: math.MaxInt64},
	} {
		option := "jwks_url"
		if config.StaleFor != 0 {
			option = "stale_keys"
		}
		k, err := trust.NewRemoteKeys(config)
		var mistake *trust.ConfigError
		if k != nil || !errors.As(err, &mistake) || mistake.Option != option || !strings.HasPrefix(err.Error(), "trust: "+option+": ") {
			t.Errorf("%s: %v, %v", name, k, err)
		}
		if again := config.Check(); again == nil || again.Error() != err.Error() {
			t.Errorf("%s: Check says %v, New says %v", name, again, err)
		}
	}
	for _, url := range []string{"https://idp.example/jwks?x=1", "http://localhost:80/jwks", "http://[::1]:80/", "http://a.localhost./", "http://127.8.8.8/"} {
		if _, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: url}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A set that was never fetched is waited for, once.
func TestFirstTokenWaitsForOneFetch(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	if s := keys.Status(); s.Keys != 0 || !s.FetchedAt.IsZero() || s.Err != nil {
		t.Errorf("before: %+v", s)
	}
	token := w.Sign(nil)
	for range 3 {
		accept(t, p, token)
	}
	if w.Fetches() != 1 {
		t.Errorf("%d fetches", w.Fetches())
	}
	if s := keys.Status(); s.Keys != 1 || !s.FetchedAt.Equal(w.clock.Now()) || s.Err != nil || s.Archived {
		t.Errorf("after: %+v", s)
	}
}

// F12: down at the start is an outage, never a refusal; ready within a second of
// being back; and a flood of tokens is no flood of fetches.
func TestDownEndpointIsAnOutage(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	w.Down()
	token := w.Sign(nil)
	for range 100 {
		_, err := p.Verify(t.Context(), token)
		unavailable(t, err)
	}
	if w.Fetches() != 1 {
		t.Errorf("%d fetches", w.Fetches())
	}
	f := explain(t, p, token)
	if f["key"].Code != trust.CodeKeysUnavailable || f["key"].Configured != "no keys held" || !f["signature"].Skipped || !f["expiry"].Passed {
		t.Errorf("%+v", f["key"])
	}
	w.Up()
	w.clock.Advance(time.Second)
	accept(t, p, token)
}

func TestClosedPortIsAnOutage(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, err := w.profile(withKeys(w.Keys(trust.RemoteConfig{URL: server.URL}))).Verify(t.Context(), w.Sign(nil))
	unavailable(t, err)
	if strings.Contains(err.Error(), server.URL+"/") || !strings.Contains(err.Error(), "profile acme") {
		t.Errorf("error %q", err)
	}
}

// F13, F14: whatever the endpoint answers later, the last good set serves, until
// it is too old.
func TestBadAnswersLeaveTheLastGoodSet(t *testing.T) {
	body := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, answer := range map[string]http.HandlerFunc{
		"500":             status(500),
		"404":             status(404),
		"204":             status(204),
		"304":             status(304),
		"empty":           body(""),
		"HTML":            body("<html>down for maintenance</html>"),
		"truncated":       body(`{"keys":[{"kty":"EC"`),
		"[]":              body(`[]`),
		"no keys":         body(`{"keys":[]}`),
		"only bad keys":   body(`{"keys":[{"kty":"oct","k":"AAAA"}]}`),
		"two sets":        body(`{"keys":[]}{"keys":[]}`),
		"connection lost": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"F15 a gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(bytes.Repeat([]byte(" "), 64<<20))
			_, _ = z.Write(publish(trusttest.NewKey(nilTB{}, jose.ES256)))
			_ = z.Close()
		},
		"gzip that is none": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(publish(trusttest.NewKey(nilTB{}, jose.ES256)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, keys, p := remote(t, trust.RemoteConfig{StaleFor: time.Hour})
			token := w.Sign(nil)
			accept(t, p, token)
			w.Serve(answer)
			w.clock.Advance(5 * time.Minute)
			if err := keys.Refresh(t.Context()); !errors.Is(err, trust.ErrKeysUnavailable) {
				t.Fatalf("refresh: %v", err)
			}
			accept(t, p, token)
			if s := keys.Status(); s.Keys != 1 || s.Err == nil || w.clock.Now().Sub(s.FetchedAt) != 5*time.Minute {
				t.Errorf("%+v", s)
			}
			w.clock.Advance(55*time.Minute + time.Second)
			_, err := p.Verify(t.Context(), w.Sign(nil))
			unavailable(t, err)
		})
	}
}

// stale_keys 0s once adapted and could not be loaded.
func TestKeysThatMayNotBecomeStaleServeUntilTheirRefreshIsDue(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{StaleFor: -1})
	token := w.Sign(nil)
	accept(t, p, token)
	w.Down()
	w.clock.Advance(trust.MaxRefresh)
	_ = keys.Refresh(t.Context())
	accept(t, p, token)
	w.clock.Advance(time.Second)
	_, err := p.Verify(t.Context(), token)
	unavailable(t, err)
}

// Whatever its content type, a key set is a key set.
func TestContentTypeIsNotLookedAt(t *testing.T) {
	for _, kind := range []string{"text/html", "application/octet-stream", ""} {
		w, _, p := remote(t, trust.RemoteConfig{})
		set := w.KeySet()
		w.Serve(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", kind)
			_, _ = rw.Write(set)
		})
		accept(t, p, w.Sign(nil))
	}
}

// One caller's impatience ends his waiting and not the fetch, which others share.
func TestHangingEndpoint(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	w.Hang()
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Verify(impatient, w.Sign(nil))
	unavailable(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for w.Fetches() == 0 {
		runtime.Gosched()
	}
	w.Up() // the one that hangs answers with nothing
	if err := keys.Refresh(t.Context()); err != nil && w.Fetches() != 1 {
		t.Errorf("%d fetches: the impatient one's was not shared", w.Fetches())
	}
}

// F15: nothing that an endpoint sends grows us.
func TestHugeAnswers(t *testing.T) {
	endless := func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(`{"keys":[` + strings.Repeat(" ", 1<<16))
		for range 1 << 14 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
	var zeros bytes.Buffer
	z := gzip.NewWriter(&zeros)
	_, _ = z.Write(make([]byte, 8<<20))
	_ = z.Close()
	bomb := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Error("compression is asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(zeros.Bytes())
	}
	manyKeys := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"keys":[` + strings.Repeat(`{},`, 100_000) + `{}]}`))
	}
	for name, answer := range map[string]http.HandlerFunc{"1 GB": endless, "gzip bomb": bomb, "100k keys": manyKeys} {
		t.Run(name, func(t *testing.T) {
			w, keys, _ := remote(t, trust.RemoteConfig{})
			w.Serve(answer)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			if err := keys.Refresh(t.Context()); !errors.Is(err, trust.ErrKeysUnavailable) {
				t.Errorf("%v", err)
			}
			runtime.ReadMemStats(&after)
			if took := time.Since(began); took > 10*trust.FetchTimeout { // a machine under load is no endless body
				t.Errorf("took %s", took)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 40<<20 {
				t.Errorf("%d MB allocated", grown>>20)
			}
		})
	}
}

func TestAtTheBounds(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	token := w.Sign(nil)
	padded := append(w.KeySet(), bytes.Repeat([]byte(" "), trust.MaxKeySetBytes-len(w.KeySet()))...)
	w.ServeBody(padded)
	if err := keys.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	accept(t, p, token)
	w.ServeBody(append(padded, ' '))
	if err := keys.Refresh(t.Context()); err == nil {
		t.Error("one byte too many is read")
	}
}

// F17: a new key works after one fetch, and one that was taken back is refused
// after the next.
func TestRotation(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	old := w.Sign(nil)
	accept(t, p, old)
	w.Rotate()
	accept(t, p, w.Sign(nil))
	if w.Fetches() != 2 {
		t.Errorf("%d fetches", w.Fetches())
	}
	refuse(t, p, old, trust.CodeKeyUnknown)
	if keys.Status().Keys != 1 {
		t.Errorf("%+v", keys.Status())
	}
}

// D-03, F28: kids that strangers make up cost six fetches a minute, and none of the
// others a refusal. Who cannot be told is asked to come again, and not refused.
func TestUnknownKidFlood(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	good := w.Sign(nil)
	accept(t, p, good)
	for second := range 90 {
		for n := range 5 {
			_, err := p.Verify(t.Context(), w.Sign(nil, trusttest.KeyID(fmt.Sprint("k", second, "-", n))))
			var refusal *trust.Refusal
			if !errors.As(err, &refusal) || refusal.Code != trust.CodeKeyUnknown {
				laterThan(t, err, 0)
			}
		}
		accept(t, p, good)
		w.clock.Advance(time.Second)
	}
	if got := w.Fetches(); got != 1+4+2 {
		t.Errorf("%d fetches in 90 s, want the first, four at once and one for each 30 s", got)
	}
}

// laterThan wants an outage that says when to come again.
func laterThan(t *testing.T, err error, least time.Duration) {
	t.Helper()
	unavailable(t, err)
	var later interface{ RetryAfter() time.Duration }
	if !errors.As(err, &later) || later.RetryAfter() <= least || later.RetryAfter() > trust.RefetchInterval {
		t.Errorf("%v", err)
	}
}

// While strangers' kids have used up what tokens may ask, the issuer rotates: whoever
// has its new key waits for seconds and is not refused (F28).
func TestStrangersKidsDoNotRefuseThoseWhoseIssuerRotates(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	for n := range 100 {
		_, _ = p.Verify(t.Context(), w.Sign(nil, trusttest.KeyID(fmt.Sprint("k", n))))
	}
	w.Rotate()
	honest := w.Sign(nil)
	_, err := p.Verify(t.Context(), honest)
	laterThan(t, err, 0)
	w.clock.Advance(trust.RefetchInterval)
	accept(t, p, honest)
}

// F28: 100,000 random kids cause six fetches in the first minute and two in each one
// after it; whoever has a new key meanwhile is told when to come again.
func TestHundredThousandRandomKidsCauseSixFetchesAMinute(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	for minute, most := range []int{6, 2, 2} {
		before := w.Fetches()
		for n := range 100_000 / 3 {
			_, _ = keys.Keys(t.Context(), trust.KeyHint{ID: fmt.Sprint(minute, "-", n), Algorithm: jose.ES256})
			w.clock.Advance(time.Minute * 3 / 100_000)
		}
		if got := w.Fetches() - before; got < 2 || got > most {
			t.Errorf("minute %d: %d fetches", minute, got)
		}
		_, err := p.Verify(t.Context(), w.Sign(nil, trusttest.By(trusttest.NewKey(t, jose.ES256))))
		laterThan(t, err, 0)
	}
}

// However many come at once, tokens cause four fetches, and nobody is refused who would
// have to be asked for.
func TestFourFetchesAtOnceForSixtyFourAtATime(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	for round := range 5 {
		before := w.Fetches()
		var all sync.WaitGroup
		for n := range 64 {
			all.Go(func() {
				for i := range 50 {
					found, err := keys.Keys(t.Context(), trust.KeyHint{ID: fmt.Sprint(round, n, "-", i), Algorithm: jose.ES256})
					if err != nil {
						laterThan(t, err, 0)
					}
					if len(found) > 0 {
						t.Error("a key of an unknown kid")
					}
				}
			})
		}
		all.Wait()
		if got := w.Fetches() - before; got != trust.RefetchBurst {
			t.Errorf("%d fetches", got)
		}
		w.clock.Advance(trust.RefetchBurst * trust.RefetchInterval)
	}
}

// Whoever has tried a key before it was replaced finds the new one in the set, and nobody
// is asked for it again, however often.
func TestKeyReplacedMeanwhileIsNotAskedForAgain(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	old, next := trusttest.NewKey(t, jose.ES256).WithID("k"), trusttest.NewKey(t, jose.ES256).WithID("k")
	w.ServeBody(publish(old))
	accept(t, p, w.Sign(nil, trusttest.By(old)))
	hint := trust.KeyHint{ID: "k", Algorithm: jose.ES256}
	tried, err := keys.Keys(t.Context(), hint)
	if err != nil {
		t.Fatal(err)
	}
	w.ServeBody(publish(next))
	accept(t, p, w.Sign(nil, trusttest.By(next)))
	for range 10 * trust.RefetchBurst {
		if found, err := keys.Replaced(t.Context(), hint, tried); err != nil || len(found) != 1 {
			t.Fatalf("%d keys, %v", len(found), err)
		}
	}
	if got := w.Fetches(); got != 2 {
		t.Errorf("%d fetches", got)
	}
}

// What a token with a bad signature waits for may fail: then it is not refused, and asked
// for again when the issuer is back.
func TestBadSignatureWhileDownIsAnOutage(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	key := trusttest.NewKey(t, jose.ES256).WithID("k")
	w.ServeBody(publish(key))
	accept(t, p, w.Sign(nil, trusttest.By(key)))
	forged := w.Sign(nil, trusttest.By(trusttest.NewKey(t, jose.ES256).WithID("k")))
	w.Down()
	_, err := p.Verify(t.Context(), forged)
	unavailable(t, err)
	w.Up()
	w.ServeBody(publish(key))
	w.clock.Advance(time.Second)
	refuse(t, p, forged, trust.CodeSignatureInvalid)
}

// Many who come with a new key at once share one fetch, of the four that tokens may
// cause.
func TestManyTokensOfANewKeyShareOneFetch(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	w.Rotate()
	token := w.Sign(nil)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := p.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := w.Fetches(); got > 1+4 {
		t.Errorf("%d fetches", got)
	}
}

// A key may be replaced under the same kid, or in a set without kids: a signature that
// the known key did not make has the issuer asked, once in thirty seconds.
func TestKeyReplacedUnderItsKid(t *testing.T) {
	for name, kid := range map[string]string{"the same kid": "k", "no kid": ""} {
		t.Run(name, func(t *testing.T) {
			w, _, p := remote(t, trust.RemoteConfig{})
			old, next := trusttest.NewKey(t, jose.ES256).WithID(kid), trusttest.NewKey(t, jose.ES256).WithID(kid)
			sign := func(k trusttest.Key) string {
				if kid == "" {
					return w.Sign(nil, trusttest.By(k), trusttest.NoKeyID())
				}
				return w.Sign(nil, trusttest.By(k))
			}
			w.ServeBody(publish(old))
			stale := sign(old)
			accept(t, p, stale)
			w.ServeBody(publish(next))
			accept(t, p, sign(next))
			if w.Fetches() != 2 {
				t.Errorf("%d fetches", w.Fetches())
			}
			for range 50 {
				refuse(t, p, stale, trust.CodeSignatureInvalid)
			}
			if w.Fetches() != 3 {
				t.Errorf("%d fetches for one bad signature again and again", w.Fetches())
			}
		})
	}
}

// A kid that was not there is not asked for again within thirty seconds, unless the set
// has changed since.
func TestUnknownKidIsRemembered(t *testing.T) {
	w, keys, p := remote(t, trust.RemoteConfig{})
	next := trusttest.NewKey(t, jose.ES256)
	token := w.Sign(nil, trusttest.By(next))
	accept(t, p, w.Sign(nil))
	for range 4 {
		refuse(t, p, token, trust.CodeKeyUnknown)
	}
	if got := w.Fetches(); got != 2 {
		t.Errorf("%d fetches, want 2", got)
	}
	w.clock.Advance(trust.RefetchInterval)
	refuse(t, p, token, trust.CodeKeyUnknown)
	if got := w.Fetches(); got != 3 {
		t.Errorf("%d fetches 30 s later, want 3", got)
	}
	w.Rotate()
	if err := keys.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	refuse(t, p, token, trust.CodeKeyUnknown)
	if got := w.Fetches(); got != 5 {
		t.Errorf("%d fetches after the set has changed, want 5", got)
	}
	w.Use(next)
	if err := keys.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	accept(t, p, w.Sign(nil))
}

// What becomes of the fetches is told when it changes, and once more when it lasts.
func TestOutcomesOfFetchesAreTold(t *testing.T) {
	var told []string
	w, keys, _ := remote(t, trust.RemoteConfig{StaleFor: 24 * time.Hour, Outcome: func(err error, after time.Duration) {
		told = append(told, fmt.Sprint(err != nil, " ", after.Round(time.Minute)))
	}})
	fetch := func(n int) {
		for range n {
			_ = keys.Refresh(t.Context())
			w.clock.Advance(10 * time.Minute)
		}
	}
	fetch(3)
	w.Down()
	fetch(12)
	w.Up()
	fetch(2)
	if got := fmt.Sprint(told); got != "[false 0s true 0s true 1h0m0s false 2h0m0s]" {
		t.Errorf("told %s", got)
	}
}

// Unknown kids are remembered in bounded memory, however many.
func TestUnknownKidsAreBounded(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	for n := range 1100 {
		refuse(t, p, w.Sign(nil, trusttest.KeyID(fmt.Sprint("k", n))), trust.CodeKeyUnknown)
		w.clock.Advance(31 * time.Second)
	}
	w.Rotate()
	accept(t, p, w.Sign(nil))
}

// With the endpoint down nobody can say that a kid is unknown: the token may be
// signed with a key of today.
func TestUnknownKidWhileDownIsAnOutage(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	good := w.Sign(nil)
	accept(t, p, good)
	w.Down()
	unknown := w.Sign(nil, trusttest.KeyID("new"))
	for range 3 {
		_, err := p.Verify(t.Context(), unknown)
		unavailable(t, err)
		accept(t, p, good)
	}
	if got := w.Fetches(); got != 2 {
		t.Errorf("%d fetches", got)
	}
}

// Requests that come while the set is being fetched wait for that fetch, and all
// are answered by it.
func TestConcurrentFirstTokensShareOneFetch(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	set, release := w.KeySet(), make(chan struct{})
	w.Serve(func(rw http.ResponseWriter, _ *http.Request) {
		<-release
		_, _ = rw.Write(set)
	})
	token := w.Sign(nil)
	var group sync.WaitGroup
	var good atomic.Int64
	for range 100 {
		group.Go(func() {
			if _, err := p.Verify(t.Context(), token); err == nil {
				good.Add(1)
			}
		})
	}
	for w.Fetches() == 0 {
		runtime.Gosched()
	}
	close(release)
	group.Wait()
	if good.Load() != 100 || w.Fetches() != 1 {
		t.Errorf("%d good of 100, %d fetches", good.Load(), w.Fetches())
	}
}

// F19: a clock that jumps neither storms the endpoint nor keeps it from being
// asked.
func TestClockJumps(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	accept(t, p, w.Sign(nil))
	flood := func(prefix string) {
		for n := range 20 {
			_, _ = p.Verify(t.Context(), w.Sign(nil, trusttest.KeyID(fmt.Sprint(prefix, n))))
		}
	}
	flood("a")
	w.clock.Advance(-time.Hour)
	flood("b")
	w.clock.Advance(trust.RefetchInterval)
	flood("c")
	w.clock.Advance(2 * time.Hour)
	flood("d")
	if got := w.Fetches(); got != 1+4+1+4 {
		t.Errorf("%d fetches, want ten", got)
	}
}

// F16: redirects are followed within the origin alone.
func TestRedirects(t *testing.T) {
	var canary atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { canary.Add(1) }))
	defer elsewhere.Close()
	for name, c := range map[string]struct {
		to string
		ok bool
	}{
		"within the origin":       {"/moved", true},
		"loop":                    {"/.well-known/jwks.json", false},
		"another port":            {elsewhere.URL, false},
		"the metadata service":    {"http://169.254.169.254/latest/meta-data", false},
		"a file":                  {"file:///etc/passwd", false},
		"the same host by name":   {strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1), false},
		"another scheme":          {strings.Replace(elsewhere.URL, "http:", "https:", 1), false},
		"a user in the same host": {"USER", false},
	} {
		t.Run(name, func(t *testing.T) {
			w, keys, p := remote(t, trust.RemoteConfig{})
			set := w.KeySet()
			to := c.to
			if to == "USER" {
				to = strings.Replace(w.URL, "http://", "http://u:p@", 1) + "/moved"
			}
			w.Serve(func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/moved" {
					_, _ = rw.Write(set)
					return
				}
				http.Redirect(rw, r, to, http.StatusFound)
			})
			if c.ok {
				accept(t, p, w.Sign(nil))
				return
			}
			if err := keys.Refresh(t.Context()); !errors.Is(err, trust.ErrKeysUnavailable) || !strings.Contains(err.Error(), "redirects") {
				t.Errorf("%v", err)
			}
		})
	}
	if canary.Load() != 0 {
		t.Errorf("%d requests reached another origin", canary.Load())
	}
}

// F16: the address is looked at when it is dialled.
func TestPrivateAddresses(t *testing.T) {
	for _, host := range []string{"10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::ffff:10.0.0.1]", "224.0.0.1", "255.255.255.255"} {
		keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: "https://" + host + "/jwks"})
		if err != nil {
			t.Fatal(err)
		}
		if err := keys.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "not public") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// A URL that names a loopback host reaches loopback, over TLS as well, with the
// certificate that is configured.
func TestLoopbackWithCA(t *testing.T) {
	w := newWorld(t)
	set := w.KeySet()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write(set) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the client that does not trust it
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	accept(t, w.profile(withKeys(w.Keys(trust.RemoteConfig{URL: server.URL, CA: ca}))), w.Sign(nil))
	_, err := w.profile(withKeys(w.Keys(trust.RemoteConfig{URL: server.URL}))).Verify(t.Context(), w.Sign(nil))
	unavailable(t, err)
}

// A client of the caller's is not changed.
func TestOwnClient(t *testing.T) {
	client := &http.Client{}
	w, _, p := remote(t, trust.RemoteConfig{Client: client})
	accept(t, p, w.Sign(nil))
	if client.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
	client.CloseIdleConnections()
}

func TestBearer(t *testing.T) {
	secret, fail := "s3cr3t-1", error(nil)
	w, keys, p := remote(t, trust.RemoteConfig{Bearer: func() (string, error) { return secret, fail }})
	set := w.KeySet()
	var shown []string
	w.Serve(func(rw http.ResponseWriter, r *http.Request) {
		shown = append(shown, r.Header.Get("Authorization"))
		_, _ = rw.Write(set)
	})
	accept(t, p, w.Sign(nil))
	secret = "s3cr3t-2"
	if err := keys.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(shown) != "[Bearer s3cr3t-1 Bearer s3cr3t-2]" {
		t.Errorf("%v", shown)
	}
	fail = errors.New("no such file")
	if err := keys.Refresh(t.Context()); !errors.Is(err, fail) || strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("%v", err)
	}
}

// Some servers compress what nobody has asked them to.
func TestSetThatIsCompressedUnasked(t *testing.T) {
	for _, own := range []bool{true, false} {
		config := trust.RemoteConfig{}
		if !own { // the transport asks for it and unpacks it
			config.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		}
		w, keys, p := remote(t, config)
		body := w.KeySet()
		w.Serve(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			_, _ = z.Write(body)
			_ = z.Close()
		})
		accept(t, p, w.Sign(nil))
		if s := keys.Status(); s.Keys != 1 || s.Err != nil {
			t.Errorf("%+v", s)
		}
	}
}

// Every form in which an issuer publishes keys verifies its tokens.
func TestSetInEveryForm(t *testing.T) {
	for name, c := range map[string]struct {
		form    func(w *world) []byte
		options []trusttest.Option
	}{
		"PEM at a URL":          {func(w *world) []byte { return w.Key().PEM(t) }, nil},
		"PEM, no kid":           {func(w *world) []byte { return w.Key().PEM(t) }, []trusttest.Option{trusttest.NoKeyID()}},
		"a bare JWK":            {func(w *world) []byte { return bare(publish(w.Key())) }, nil},
		"a byte order mark":     {func(w *world) []byte { return append([]byte("\ufeff"), w.KeySet()...) }, nil},
		"an empty kid":          {func(w *world) []byte { return bytes.Replace(w.KeySet(), []byte(w.Key().Public.ID), nil, 1) }, nil},
		"use jwt-svid (SPIFFE)": {func(w *world) []byte { return bytes.Replace(w.KeySet(), []byte(`"sig"`), []byte(`"jwt-svid"`), 1) }, nil},
		"500 keys": {func(w *world) []byte {
			others := strings.Repeat(`{"kty":"EC"},`, trust.MaxKeys-1)
			return []byte(strings.Replace(string(w.KeySet()), "[", "["+others, 1))
		}, nil},
		"keys of tomorrow": {func(w *world) []byte {
			return []byte(strings.Replace(string(w.KeySet()), "[", `[{"kty":"AKP","alg":"ML-DSA-65","kid":"pq","pub":"AAAA"},`, 1))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, p := remote(t, trust.RemoteConfig{})
			w.ServeBody(c.form(w))
			accept(t, p, w.Sign(nil, c.options...))
		})
	}
}

func bare(set []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimPrefix(set, []byte(`{"keys":[`)), []byte(`]}`))
}

// A set that was read says what is wrong with it, and not to wait until it can be read.
func TestExplainOfASetThatWasRead(t *testing.T) {
	w, _, p := remote(t, trust.RemoteConfig{})
	for name, body := range map[string]string{
		"no usable key": `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		"empty":         `{"keys":[]}`,
		"HTML":          `<html>sign in</html>`,
	} {
		w.ServeBody([]byte(body))
		w.clock.Advance(time.Minute)
		f := explain(t, p, w.Sign(nil))["key"]
		if f.Code != trust.CodeKeysUnavailable || !strings.HasPrefix(f.Remedy, "the issuer answers, but with nothing that can be used") {
			t.Errorf("%s: %+v", name, f)
		}
	}
	w.Up()
	w.clock.Advance(time.Minute)
	accept(t, p, w.Sign(nil))
	w.Down()
	unknown := explain(t, p, w.Sign(nil, trusttest.KeyID("new")))["key"]
	if unknown.Code != trust.CodeKeysUnavailable || !strings.HasPrefix(unknown.Remedy, "none of the keys that are held has made the token") {
		t.Errorf("%+v", unknown)
	}
}

// Keys that nothing tells apart are told to the operator before a token comes.
func TestStatusNamesAmbiguousKeys(t *testing.T) {
	one, two, other := trusttest.NewKey(t, jose.ES256).WithID("k"), trusttest.NewKey(t, jose.ES256).WithID("k"), trusttest.NewKey(t, jose.ES384).WithID("k")
	good := trusttest.NewKey(t, jose.ES256)
	for name, c := range map[string]struct {
		body    []byte
		usable  int
		dropped int
	}{
		"of one alg":             {publish(one, two, other, good), 2, 2},
		"without alg":            {publish(one.WithoutAlgorithm(), two.WithoutAlgorithm(), good), 1, 2},
		"told apart by alg":      {publish(one, two.WithoutAlgorithm(), good), 3, 0},
		"told apart by type":     {publish(one.WithoutAlgorithm(), other.WithoutAlgorithm(), good), 3, 0},
		"the same key twice":     {publish(one, one, good), 2, 0},
		"several without a kid":  {publish(one.WithoutID(), two.WithoutID(), good), 3, 0},
		"nothing but such a kid": {publish(one, two), 0, 2},
	} {
		keys := mustKeys(trust.FileKeys(c.body))
		s := keys.(interface{ Status() trust.KeyStatus }).Status()
		if s.Keys != c.usable || len(s.Dropped) != c.dropped {
			t.Errorf("%s: %+v", name, s)
			continue
		}
		if c.dropped > 0 && (s.Dropped[0].ID != "k" || !strings.Contains(s.Dropped[0].Reason, "tells it from another")) {
			t.Errorf("%s: %v", name, s.Dropped)
		}
	}
}

func TestStatusNamesDroppedKeys(t *testing.T) {
	w, keys, _ := remote(t, trust.RemoteConfig{})
	body := strings.TrimSuffix(string(w.KeySet()), "]}") + `,{"kty":"oct","kid":"a\nb","k":"AAAA"}]}`
	w.ServeBody([]byte(body))
	if err := keys.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(keys.Status().Dropped); got != `["a\nb": holds the secret member k]` {
		t.Error(got)
	}
}
