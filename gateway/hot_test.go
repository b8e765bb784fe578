package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/metrics"
)

// Counting costs a request no allocation.
func TestMetricsCostNoAllocation(t *testing.T) {
	allocations := func(observers ...authn.Observer) float64 {
		route := acme()
		w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Observers = observers })
		token := w.attest("acme", nil)["session_token"].(string)
		handler := w.gateway.Handler(route, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		answer := httptest.NewRecorder()
		line := []string{"Bearer " + token}
		return testing.AllocsPerRun(200, func() {
			r.Header["Authorization"] = line
			handler.ServeHTTP(answer, r)
		})
	}
	without, with := allocations(), allocations(metrics.New())
	t.Logf("%.0f without, %.0f with", without, with)
	if with > without {
		t.Errorf("%.0f allocations with metrics, %.0f without", with, without)
	}
}
