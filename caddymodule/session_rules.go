package caddymodule

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/session"
)

// minJWTLifetime is what the times of a JWT, whole seconds, can express.
const minJWTLifetime = caddy.Duration(time.Second)

var sameSites = []string{"lax", "strict", "none"}

// session checks how long sessions live.
func (c *checker) session(s *Session) {
	if s == nil {
		return
	}
	at := grammar.Place{"session"}
	limit := or(s.MaxDuration, defaultMaxDuration)
	c.NotNegative(at.At("duration"), s.Duration)
	c.NotNegative(at.At("max_duration"), s.MaxDuration)
	c.NotNegative(at.At("idle"), s.Idle)
	c.sessionConfig(at, s)
	c.within(at.At("duration"), s.Duration, limit)
	c.within(at.At("idle"), s.Idle, limit)
	c.jwtLifetime(at.At("jwt_lifetime"), s.JWTLifetime)
	if s.ReuseFor != nil {
		c.NotNegative(at.At("reuse_for"), *s.ReuseFor)
	}
	if s.Cookie != nil {
		c.cookie(at.At("cookie"), s.Cookie)
	}
}

// sessionConfig asks the session package, which has the last word.
func (c *checker) sessionConfig(at grammar.Place, s *Session) {
	var mistake *session.ConfigError
	if s.MaxDuration > 0 && errors.As(session.Config{MaxDuration: time.Duration(s.MaxDuration)}.Check(), &mistake) {
		c.Refuse(at.At("max_duration"), "%s", mistake.Reason)
	}
}

// within refuses a time that a session never reaches.
func (c *checker) within(at grammar.Place, d, limit caddy.Duration) {
	if d > limit {
		c.Refuse(at, "longer than a session may live in all (max_duration, %s)", time.Duration(limit))
	}
}

// jwtLifetime checks how long a JWT lives.
func (c *checker) jwtLifetime(at grammar.Place, d caddy.Duration) {
	if d != 0 && d < minJWTLifetime {
		c.Refuse(at, "expected at least 1s")
	}
}

// cookieName is a token of RFC 9110.
var cookieName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")

// cookie checks the session cookie. Its prefix makes browsers refuse it from any
// host but the right ones (RFC 6265bis, section 4.1.3).
func (c *checker) cookie(at grammar.Place, k *Cookie) {
	prefix, why := "__Host-", "so that no other host can set it"
	if k.Domain != "" {
		prefix, why = "__Secure-", "because it has a domain"
		if c.Plain(at.At("domain"), k.Domain) && !isDomain(k.Domain) {
			c.Refuse(at.At("domain"), "expected a domain in lower case, without a dot before it")
		}
	}
	if k.Name != "" && (!strings.HasPrefix(k.Name, prefix) || !cookieName.MatchString(k.Name) || k.Name == prefix) {
		c.Refuse(at, "expected a name that begins with %s, %s", prefix, why)
	}
	c.Choice(at.At("same_site"), k.SameSite, sameSites...)
}
