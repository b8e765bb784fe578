package admin

import (
	"context"
	"net/http"
)

// A Health says whether a gateway serves, and which parts it does without for now.
// Store and issuers are degraded parts and no failure: one outage must not take every
// gateway out of the load balancer.
type Health struct {
	// Status is ok, degraded, starting or draining.
	Status   string `json:"status"`
	Degraded []Part `json:"degraded"`
}

// A Part is something that does not work now.
type Part struct {
	// Name is store, signing_keys, or issuer.
	Name string `json:"name"`
	// Profile is that of the issuer.
	Profile string `json:"profile,omitempty"`
	// Detail says why; it is for operators.
	Detail string `json:"detail,omitempty"`
}

// Health looks at the store, and at what is known of keys and issuers.
func (a *Admin) Health(ctx context.Context) Health {
	h := Health{Status: "ok", Degraded: []Part{}}
	if err := a.Core.PingStore(ctx); err != nil {
		h.Degraded = append(h.Degraded, Part{Name: "store", Detail: err.Error()})
	}
	if err := a.Core.Ring.Status().Err; err != nil {
		h.Degraded = append(h.Degraded, Part{Name: "signing_keys", Detail: err.Error()})
	}
	for _, i := range a.issuers() {
		if i.Error != "" {
			h.Degraded = append(h.Degraded, Part{Name: "issuer", Profile: i.Profile, Detail: i.Error})
		}
	}
	if len(h.Degraded) > 0 {
		h.Status = "degraded"
	}
	return h
}

// WithoutDetail is what anybody may know.
func (h Health) WithoutDetail() Health {
	parts := make([]Part, len(h.Degraded))
	for i, p := range h.Degraded {
		parts[i] = Part{Name: p.Name}
	}
	h.Degraded = parts
	return h
}

// StatusCode is that of an answer: 200 also where parts are degraded, unless the check
// is strict.
func (h Health) StatusCode(strict bool) int {
	if h.Status == "ok" || h.Status == "degraded" && !strict {
		return http.StatusOK
	}
	return http.StatusServiceUnavailable
}

// WriteHealth answers a health check; ?strict makes degraded parts a failure.
func WriteHealth(w http.ResponseWriter, r *http.Request, h Health) {
	write(w, h.StatusCode(r.URL.Query().Has("strict")), h)
}

func (a *Admin) health(c *call) (any, error) {
	h := a.Health(c.Context())
	c.status = h.StatusCode(c.URL.Query().Has("strict"))
	return h, nil
}
