package caddymodule

import (
	"regexp"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/session"
)

var sameSites = []string{"lax", "strict", "none"}

// session checks how long sessions live and what is remembered of them.
func (c *checker) session(a *App) {
	at := grammar.Place{"session"}
	if s := a.Session; s != nil && s.ReuseFor != nil {
		c.NotNegative(at.At("reuse_for"), *s.ReuseFor)
	}
	if a.Session != nil && a.Session.Cookie != nil {
		c.cookie(at.At("cookie"), a.Session.Cookie)
	}
	sessions := a.sessionConfig()
	if err := sessions.Check(); err != nil {
		c.core(at, err)
		return
	}
	c.core(nil, a.gatewayConfig().Core.Check(or(sessions.MaxDuration, session.DefaultMaxDuration)))
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
