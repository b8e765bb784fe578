package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/trust"
)

// State tells how one configuration stands at the moment of a scrape. Nothing is
// fetched and no store is asked for it.
type State struct {
	Core *authn.Authenticator
	// Keys are the remote key sources by profile.
	Keys map[string]*trust.RemoteKeys
	// Version and Backend are labels of the info metric.
	Version, Backend string
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

// descriptions are the metrics of State.
type descriptions struct {
	info, ringAge, ringErrors, pending, connected, keys, keyAge, keyErrors, cached, frozen, disabled, skew *prometheus.Desc
}

func describeState() descriptions {
	return descriptions{
		info:       describe("info", "1, with the version and the store's backend.", "version", "backend"),
		ringAge:    describe("signing_key_age_seconds", "How long the active key has signed, by algorithm.", "algorithm"),
		ringErrors: describe("signing_keys_unreadable", "1 while the signing keys could not be read again from the store."),
		pending:    describe("pending_revocations", "Revocations that hold on this gateway and that the store has not taken yet."),
		connected:  describe("store_watch_lag_seconds", "How long ago every change made by other gateways was last known to be heard of; absent for a store that no other gateway shares."),
		keys:       describe("key_set_keys", "Usable keys of a profile's key set.", "profile"),
		keyAge:     describe("key_set_age_seconds", "How long ago a profile's key set was last fetched with success.", "profile"),
		keyErrors:  describe("key_set_fetch_failing", "1 while the last fetch of a profile's key set has failed.", "profile"),
		cached:     describe("cached_sessions", "Sessions in the local cache."),
		frozen:     describe("sign_ins_frozen", "1 while an operator has frozen sign-ins, as far as this gateway has read."),
		disabled:   describe("profile_disabled", "1 while an operator has disabled the profile, as far as this gateway has read.", "profile"),
		skew:       describe("store_clock_skew_seconds", "How far the store's clock is ahead of this gateway's; absent where it has none or does not tell."),
	}
}

// Describe implements prometheus.Collector.
func (s State) Describe(ch chan<- *prometheus.Desc) {
	d := describeState()
	for _, each := range []*prometheus.Desc{d.info, d.ringAge, d.ringErrors, d.pending, d.connected, d.keys, d.keyAge, d.keyErrors, d.cached, d.frozen, d.disabled, d.skew} {
		ch <- each
	}
}

// Collect implements prometheus.Collector.
func (s State) Collect(ch chan<- prometheus.Metric) {
	d, now := describeState(), s.Core.Now()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(d.info, 1, s.Version, s.Backend)
	gauge(d.pending, float64(s.Core.Sessions.Revocations().Len()))
	gauge(d.cached, float64(s.Core.CachedSessions()))
	if at := s.Core.ConnectedAt(); !at.IsZero() {
		gauge(d.connected, seconds(now, at))
	}
	if skew, ok := s.Core.ClockSkew(); ok {
		gauge(d.skew, skew.Seconds())
	}
	gauge(d.frozen, oneIf(s.Core.Obeyed(directory.AllProfiles).Disabled))
	for _, profile := range s.Core.Profiles.Names() {
		gauge(d.disabled, oneIf(s.Core.Obeyed(profile).Disabled), profile)
	}
	s.collectRing(gauge, d, now)
	for profile, keys := range s.Keys {
		status := keys.Status()
		gauge(d.keys, float64(status.Keys), profile)
		gauge(d.keyErrors, oneIf(status.Err != nil), profile)
		if !status.FetchedAt.IsZero() {
			gauge(d.keyAge, seconds(now, status.FetchedAt), profile)
		}
	}
}

func (s State) collectRing(gauge func(*prometheus.Desc, float64, ...string), d descriptions, now time.Time) {
	ring := s.Core.Ring.Status()
	gauge(d.ringErrors, oneIf(ring.Err != nil))
	for _, key := range ring.Keys {
		if key.State == "active" && !key.ActivatedAt.IsZero() {
			gauge(d.ringAge, seconds(now, key.ActivatedAt), key.Algorithm)
		}
	}
}

func seconds(now, since time.Time) float64 { return max(0, now.Sub(since).Seconds()) }

func oneIf(condition bool) float64 {
	if condition {
		return 1
	}
	return 0
}
