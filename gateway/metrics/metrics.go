package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// prefix begins the name of every metric.
const prefix = "caddy_attest_"

// Metrics counts. It outlives a configuration, and is registered with the registry of
// each. Make it with New; it is safe for concurrent use.
type Metrics struct {
	requests *prometheus.CounterVec
	changes  *prometheus.CounterVec
	failed   *prometheus.CounterVec
	jwts     *prometheus.CounterVec
	store    *prometheus.HistogramVec
	faults   *prometheus.CounterVec
	sealed   prometheus.Counter
}

var _ authn.Observer = (*Metrics)(nil)

// New makes one that has counted nothing.
func New() *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	}
	return &Metrics{
		requests: counter("requests_total", "Requests at each door, by result (admitted, anonymous, refused; would_admit, would_refuse where a route only observes), profile, and code and reason of the refusal.",
			"door", "result", "profile", "code", "reason"),
		changes: counter("changes_total", "Changes of sessions, members, organizations, profiles and keys, by action and profile.", "action", "profile"),
		failed:  counter("unconfirmed_changes_total", "Changes that hold on this gateway and that the store did not take at once.", "action"),
		jwts:    counter("session_jwts_total", "Session JWTs, by kind (api, injected) and whether they were minted or reused.", "kind", "result"),
		store: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "store_call_duration_seconds", Help: "How long calls of the store take, by operation.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1},
		}, []string{"operation"}),
		faults: counter("store_call_errors_total", "Calls of the store that failed, by operation.", "operation"),
		sealed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: prefix + "sealed_record_faults_total", Help: "Stored records that did not open: altered, or sealed with a secret that is gone.",
		}),
	}
}

func (m *Metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.changes, m.failed, m.jwts, m.store, m.faults, m.sealed}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(ch)
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(ch)
	}
}

// Decided implements authn.Observer.
func (m *Metrics) Decided(d authn.Decided) {
	m.requests.WithLabelValues(d.Door, result(d), d.Profile, d.Code, d.Reason).Inc()
}

func result(d authn.Decided) string {
	switch {
	case d.Observed && d.Code != "":
		return "would_refuse"
	case d.Observed:
		return "would_admit"
	case d.Code != "":
		return "refused"
	case d.Anonymous:
		return "anonymous"
	}
	return "admitted"
}

// Changed implements authn.Observer.
func (m *Metrics) Changed(_ context.Context, e authn.Event) {
	m.changes.WithLabelValues(string(e.Action), e.Profile).Inc()
	if e.Failed {
		m.failed.WithLabelValues(string(e.Action)).Inc()
	}
}

// RecordFault counts a stored record that did not open.
func (m *Metrics) RecordFault() { m.sealed.Inc() }

// Minted implements authn.Observer.
func (m *Metrics) Minted(api, reused bool) {
	kind, result := "injected", "minted"
	if api {
		kind = "api"
	}
	if reused {
		result = "reused"
	}
	m.jwts.WithLabelValues(kind, result).Inc()
}

// Stored implements authn.Observer.
func (m *Metrics) Stored(operation string, took time.Duration, err error) {
	m.store.WithLabelValues(operation).Observe(took.Seconds())
	if err != nil {
		m.faults.WithLabelValues(operation).Inc()
	}
}
