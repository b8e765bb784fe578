package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/metrics"
)

// maxHotAllocations is what a request of a session that is known may cost.
const maxHotAllocations = 6

// A request whose session is known makes few objects, whatever it shows, and counting it
// costs none: what a label is made of is known before.
func TestHotRequestAllocations(t *testing.T) {
	for what, header := range map[string]func(*world) (name, value string){
		"session token": func(w *world) (string, string) {
			return "Authorization", "Bearer " + w.attest("acme", nil)["session_token"].(string)
		},
		"trusted token": func(w *world) (string, string) { return "Authorization", "Bearer " + w.token("acme", nil) },
		"session JWT": func(w *world) (string, string) {
			return "Authorization", "Bearer " + w.attest("acme", nil)["session_jwt"].(string)
		},
	} {
		allocations := func(observers ...authn.Observer) float64 {
			route := acme()
			w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Observers = observers })
			name, value := header(w)
			handler := w.gateway.Handler(route, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			r, answer, line := httptest.NewRequest(http.MethodGet, "/", nil), httptest.NewRecorder(), []string{value}
			return testing.AllocsPerRun(200, func() {
				clear(r.Header)
				clear(answer.Header())
				r.Header[name] = line
				handler.ServeHTTP(answer, r)
			})
		}
		without, with := allocations(), allocations(metrics.New())
		if without > maxHotAllocations || with > without {
			t.Errorf("%s: %.0f allocations, %.0f with metrics", what, without, with)
		}
	}
}
