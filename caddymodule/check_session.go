package caddymodule

import (
	"regexp"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// minJWTLifetime is what the times of a JWT, whole seconds, can express.
const minJWTLifetime = caddy.Duration(time.Second)

var sameSites = []string{"lax", "strict", "none"}

// session checks how long sessions live.
func (c *checker) session(s *Session) {
	if s == nil {
		return
	}
	at := where{"session"}
	limit := or(s.MaxDuration, defaultMaxDuration)
	c.notNegative(at.at("duration"), s.Duration)
	c.notNegative(at.at("max_duration"), s.MaxDuration)
	c.notNegative(at.at("idle"), s.Idle)
	c.within(at.at("duration"), s.Duration, limit)
	c.within(at.at("idle"), s.Idle, limit)
	c.jwtLifetime(at.at("jwt_lifetime"), s.JWTLifetime)
	if s.ReuseFor != nil {
		c.notNegative(at.at("reuse_for"), *s.ReuseFor)
	}
	if s.Cookie != nil {
		c.cookie(at.at("cookie"), s.Cookie)
	}
}

// within refuses a time that a session never reaches.
func (c *checker) within(at where, d, limit caddy.Duration) {
	if d > limit {
		c.refuse(at, "longer than a session may live in all (max_duration, %s)", time.Duration(limit))
	}
}

// jwtLifetime checks how long a JWT lives.
func (c *checker) jwtLifetime(at where, d caddy.Duration) {
	if d != 0 && d < minJWTLifetime {
		c.refuse(at, "expected at least 1s")
	}
}

// cookieName is a token of RFC 9110.
var cookieName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")

// cookie checks the session cookie. Its prefix makes browsers refuse it from any
// host but the right ones (RFC 6265bis, section 4.1.3).
func (c *checker) cookie(at where, k *Cookie) {
	prefix, why := "__Host-", "so that no other host can set it"
	if k.Domain != "" {
		prefix, why = "__Secure-", "because it has a domain"
		if c.plain(at.at("domain"), k.Domain) && !isDomain(k.Domain) {
			c.refuse(at.at("domain"), "expected a domain in lower case, without a dot before it")
		}
	}
	if k.Name != "" && (!strings.HasPrefix(k.Name, prefix) || !cookieName.MatchString(k.Name) || k.Name == prefix) {
		c.refuse(at, "expected a name that begins with %s, %s", prefix, why)
	}
	c.choice(at.at("same_site"), k.SameSite, sameSites...)
}
