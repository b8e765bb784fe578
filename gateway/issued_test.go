package gateway_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/store"
)

// Whoever signs in again by a silent refresh proves nothing anew.
func TestRefreshedTokenIsNoNewProof(t *testing.T) {
	for _, c := range []struct {
		proved string
		want   any
	}{{"", nil}, {"iat", "2026-03-01T12:00:00Z"}} {
		route := acme()
		w := newWorld(t, routes(route), func(s *setup) { s.profiles["acme"].Factor.Proved = c.proved })
		token := w.token("acme", claims.Object{"auth_time": nil})
		answer := w.attest("acme", claims.Object{"token": token})
		is(t, at(answer, "member_session.authentication_factors").([]any)[0].(map[string]any), "proved_at", c.want)
		_, up := w.through(route, bearer(token))
		is(t, at(up.claims, "session.authentication_factors").([]any)[0].(map[string]any), "proved_at", c.want)
	}
}

// What counts is when the token was issued, not when the person signed in: sessions of
// today rest on a sign-in of last week.
func TestRevocationJudgesWhenTheTokenWasIssued(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	member := w.attest("acme", nil)["member_id"]
	w.clock.Advance(time.Hour)
	w.ok("POST", revokePath, claims.Object{"member_id": member})
	w.clock.Advance(time.Second)
	signedIn := w.clock.Now().Add(-30 * time.Minute).Unix()
	later := w.token("acme", claims.Object{"auth_time": signedIn})
	if res, _ := w.through(route, bearer(later)); res.StatusCode != http.StatusNoContent {
		t.Errorf("issued after the revocation: %d", res.StatusCode)
	}
	w.ok("POST", authenticatePath, named(w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"auth_time": signedIn, "jti": "b"})})))
	earlier := w.token("acme", claims.Object{"iat": signedIn, "jti": "c"})
	res, _ := w.through(route, bearer(earlier))
	refusedWith(t, res, 401, "invalid_trusted_auth_token")
}

// Whatever order the store sees them in: a session by a token from before a revocation
// is dead at both gateways, though nothing is read again after it was written.
func TestFleetExchangeRacesRevocation(t *testing.T) {
	for name, hears := range map[string]bool{"by age": false, "by watch": true} {
		t.Run(name, func(t *testing.T) {
			route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
			a := newWorld(t, routes(route))
			b := newWorld(t, routes(route), a.shared())
			if hears {
				a.hear()
				b.hear()
			}
			raceRevocation(t, a, b, route)
		})
	}
}

// hear runs what follows the store until the test ends.
func (w *world) hear() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	flushed, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		defer close(done)
		_ = w.gateway.Run(ctx, flushing{w.store, flushed})
	}()
	w.t.Cleanup(func() { stop(); <-done })
	<-flushed
}

// flushing tells of the first Flush.
type flushing struct {
	store.Watcher
	flushed chan struct{}
}

func (f flushing) Watch(ctx context.Context, fn func(store.Event)) error {
	return f.Watcher.Watch(ctx, func(e store.Event) {
		fn(e)
		select {
		case f.flushed <- struct{}{}:
		default:
		}
	})
}

func raceRevocation(t *testing.T, a, b *world, route *proxy.Route) {
	t.Helper()
	tries := 1500
	if testing.Short() {
		tries = 300
	}
	globex := a.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "profiles": []any{"acme"}})
	begin := map[string]func(w *world, token string, first claims.Object) (string, bool){
		"attest": func(w *world, token string, _ claims.Object) (string, bool) {
			status, s := w.call("POST", attestPath, claims.Object{"profile_id": "acme", "token": token})
			return tokenOf(s), status == http.StatusOK
		},
		"proxied": func(w *world, token string, _ claims.Object) (string, bool) {
			res, _ := w.through(route, bearer(token))
			return token, res.StatusCode == http.StatusNoContent
		},
		"exchange": func(w *world, _ string, first claims.Object) (string, bool) {
			status, s := w.call("POST", exchangePath, with(named(first), claims.Object{"organization_id": globex}))
			return tokenOf(s), status == http.StatusOK
		},
	}
	kinds := []string{"attest", "proxied", "exchange"}
	for i := range tries {
		kind, sub := kinds[i%len(kinds)], fmt.Sprint("u-", i)
		first := a.attest("acme", claims.Object{"token": a.racing(sub, "first")})
		member := first["member_id"]
		if kind == "exchange" {
			member = a.member(globex, claims.Object{"email_address": sub + "@example.com"})
		}
		token := a.racing(sub, "second")
		var began string
		var ok bool
		var both sync.WaitGroup
		both.Go(func() { pause(); began, ok = begin[kind](a, token, first) })
		both.Go(func() {
			pause()
			b.ok("POST", revokePath, claims.Object{"member_id": member})
			a.clock.Advance(time.Second) // what begins from here on began after the revocation
		})
		both.Wait()
		if !ok {
			continue
		}
		for name, w := range map[string]*world{"a": a, "b": b} {
			if !eventually(func() bool {
				res, _ := w.through(route, bearer(began))
				return res.StatusCode == http.StatusUnauthorized
			}) {
				t.Fatalf("%s %d is still admitted at %s", kind, i, name)
			}
		}
	}
}

func (w *world) racing(sub, jti string) string {
	return w.token("acme", claims.Object{"sub": sub, "email": sub + "@example.com", "jti": sub + jti})
}

func tokenOf(answer claims.Object) string {
	token, _ := answer["session_token"].(string)
	return token
}

// pause lets two goroutines meet at another point each time.
func pause() { time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond) }

// eventually waits for what another gateway is told.
func eventually(holds func() bool) bool {
	for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}
