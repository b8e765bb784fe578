package caddymodule

import (
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
	gateway := a.gatewayConfig()
	c.core(at, gateway.Cookie.Check())
	c.core(nil, gateway.Logout.Check())
	sessions := a.sessionConfig()
	if err := sessions.Check(); err != nil {
		c.core(at, err)
		return
	}
	c.core(nil, gateway.Core.Check(or(sessions.MaxDuration, session.DefaultMaxDuration)))
}
