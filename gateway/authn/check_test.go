package authn_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// TestConfigCheck: what no session can have is refused, at its option. Each case is
// refused by New and Compile as well, which call Check.
func TestConfigCheck(t *testing.T) {
	const most, forever = time.Hour, time.Duration(math.MaxInt64)
	for option, configs := range map[string][]authn.Config{
		"session duration":     {{SessionDuration: -1}, {SessionDuration: most + 1}, {SessionDuration: forever}},
		"session idle":         {{Idle: -1}, {Idle: most + 1}},
		"session jwt_lifetime": {{JWTLifetime: -1}, {JWTLifetime: time.Second - 1}, {JWTLifetime: forever}},
		"session reuse_for":    {{ReuseFor: forever}},
		"local_cache":          {{Cache: authn.CacheOptions{MaxAge: -1}}, {Cache: authn.CacheOptions{MaxAge: forever}}},
		"on_store_outage": {
			{Cache: authn.CacheOptions{ServeStale: -1}}, {Cache: authn.CacheOptions{ServeStale: forever}},
			{Cache: authn.CacheOptions{ServeStale: 1, Entries: -1}},
		},
		"": {
			{}, {ReuseFor: -1}, {Cache: authn.CacheOptions{Entries: -1}},
			{SessionDuration: most, Idle: most, JWTLifetime: 2 * most, ReuseFor: 2 * most, Cache: authn.CacheOptions{MaxAge: 2 * most, ServeStale: 2 * most}},
		},
	} {
		for _, c := range configs {
			if got := optionOf(c.Check(most)); got != option {
				t.Errorf("%+v: refused at %q, want %q", c, got, option)
			}
		}
	}
	for lifetime, option := range map[time.Duration]string{0: "", time.Second: "", -1: "jwt_lifetime", time.Second - 1: "jwt_lifetime", forever: "jwt_lifetime"} {
		if got := optionOf(authn.Route{JWTLifetime: lifetime}.Check()); got != option {
			t.Errorf("a route's lifetime %s: refused at %q", lifetime, got)
		}
	}
}

func optionOf(err error) string {
	var mistake *authn.ConfigError
	if errors.As(err, &mistake) {
		return mistake.Option
	}
	return ""
}
