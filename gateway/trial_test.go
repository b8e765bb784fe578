package gateway_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zapcore"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

type decisions struct {
	mu   sync.Mutex
	list []authn.Decided
}

func (d *decisions) Decided(one authn.Decided) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = append(d.list, one)
}

func (*decisions) Changed(context.Context, authn.Event) {}
func (*decisions) Minted(bool, bool)                    {}
func (*decisions) Stored(string, time.Duration, error)  {}

// A profile on trial admits nobody, creates nobody, and tells what it would do.
func TestProfileThatOnlyObserves(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme", "other"}}}
	told := &decisions{}
	logging, logs := logged(zapcore.InfoLevel)
	w := newWorld(t, routes(route), logging, func(s *setup) {
		s.profiles["acme"].Observe = true
		s.gateway.Core.Observers = authn.Observers{told}
	})
	writes := w.store.writes()
	resp, _ := w.through(route, bearer(w.token("acme", nil)))
	expect(t, "a good token", resp, 401, "invalid_trusted_auth_token")
	if status, answer := w.call("POST", attestCall, attestBody(w.token("acme", nil), nil)); status != 400 || at(answer, "error_details.reason") != "profile_observed" {
		t.Errorf("API: %d %v", status, answer)
	}
	if n := w.store.writes(); n != writes {
		t.Errorf("%d writes", n-writes)
	}
	observed := 0
	for _, d := range told.list {
		if d.Observed && d.Profile == "acme" && d.Code == "" {
			observed++
		}
	}
	if observed != 2 {
		t.Errorf("told %+v", told.list)
	}
	var text strings.Builder
	for _, entry := range logs.All() {
		for name, value := range entry.ContextMap() {
			if name == "error" {
				text.WriteString(value.(string))
			}
		}
	}
	if !strings.Contains(text.String(), "it would be admitted") {
		t.Errorf("the log says %s", text.String())
	}
	resp, _ = w.through(route, bearer(w.token("other", claims.Object{"sub": "x", "email": "x@example.com"})))
	expect(t, "the other profile", resp, 204, "")
}
