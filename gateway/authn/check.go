package authn

import (
	"fmt"
	"regexp"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

// ConfigError is a mistake in a value of Config or Route that an operator sets.
type ConfigError struct {
	// Option is spelled as in the configuration language, with the block it is of.
	Option string
	// Reason says what is wrong with its value.
	Reason string
}

func (e *ConfigError) Error() string { return "authn: " + e.Option + ": " + e.Reason }

// minJWTLifetime is what the times of a JWT, whole seconds, can express.
const minJWTLifetime = time.Second

// Check refuses values that New would refuse, without the parts that they are for.
// most is the longest that a session lasts; see [session.Config]. The error is a
// *ConfigError.
func (c Config) Check(most time.Duration) error {
	for _, d := range []struct {
		option string
		value  time.Duration
	}{
		{"session duration", c.SessionDuration},
		{"session idle", c.Idle},
		{"session jwt_lifetime", c.JWTLifetime},
		{"session reuse_for", max(c.ReuseFor, 0)},
		{"local_cache", c.Cache.MaxAge},
		{"on_store_outage", c.Cache.ServeStale},
	} {
		if err := checkDuration(d.option, d.value); err != nil {
			return err
		}
	}
	reason := fmt.Sprintf("longer than a session may live in all (max_duration, %s)", most)
	switch {
	case c.SessionDuration > most:
		return &ConfigError{"session duration", reason}
	case c.Idle > most:
		return &ConfigError{"session idle", reason}
	case c.Cache.ServeStale > 0 && c.Cache.Entries < 0:
		return &ConfigError{"on_store_outage", "'serve_cached' serves from the local cache, which is off"}
	}
	return checkLifetime("session jwt_lifetime", c.JWTLifetime)
}

// Check refuses values that Compile would refuse, without the names that they
// refer to. The error is a *ConfigError.
func (r Route) Check() error {
	for _, q := range r.Require {
		if err := q.check(); err != nil {
			return err
		}
	}
	if r.Optional && len(r.Require) > 0 {
		return &ConfigError{"require", "does not go with optional: whoever shows no credential would pass it"}
	}
	for _, c := range r.Copies {
		if err := c.check(); err != nil {
			return err
		}
	}
	switch {
	case r.Scope != "" && !r.AccessToken:
		return &ConfigError{"forward_jwt scope", "only an access token has one: expected typ at+jwt beside it"}
	case r.Scope != "" && (len(r.Scope) > maxScope || !scopeForm.MatchString(r.Scope)):
		return &ConfigError{"forward_jwt scope", "expected words of ASCII without quotes and backslashes, one space between them"}
	}
	if err := checkDuration("jwt_lifetime", r.JWTLifetime); err != nil {
		return err
	}
	return checkLifetime("jwt_lifetime", r.JWTLifetime)
}

// maxScope bounds a scope, in bytes.
const maxScope = 1000

// scopeForm is that of RFC 6749 §3.3.
var scopeForm = regexp.MustCompile(`^[!#-\[\]-~]+( [!#-\[\]-~]+)*$`)

// checkDuration refuses a time that is no session's, nor of anything that is kept for
// one.
func checkDuration(option string, d time.Duration) error {
	switch {
	case d < 0:
		return &ConfigError{option, "a duration cannot be negative"}
	case d > session.CompatMaxDuration:
		return &ConfigError{option, fmt.Sprintf("longer than any session lasts (%s)", session.CompatMaxDuration)}
	}
	return nil
}

func checkLifetime(option string, d time.Duration) error {
	if d != 0 && d < minJWTLifetime {
		return &ConfigError{option, "expected at least 1s"}
	}
	return nil
}
