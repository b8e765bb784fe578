package caddymodule

import (
	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// LocalCache bounds what this process remembers of the store. A change made by
// another process is obeyed within 100 ms while the store tells of changes, and
// after MaxAge at the latest when it does not.
type LocalCache struct {
	// How many sessions are remembered. Default: 10000.
	Entries int `json:"entries,omitempty"`

	// For how long one is used without asking the store. Default: 5s.
	MaxAge caddy.Duration `json:"max_age,omitempty"`

	// Remember nothing: every request asks the store. Default: false.
	Off bool `json:"off,omitempty"`
}

// StoreOutage says what happens while the store cannot be reached.
type StoreOutage struct {
	// For how long after its last successful read a session goes on from this
	// process's memory. Revocations known here are obeyed all the same.
	// Default: 0, requests that show a credential are answered 503.
	ServeCached caddy.Duration `json:"serve_cached,omitempty"`
}

// readLocalCache reads `local_cache <entries> <max_age> | off`.
func readLocalCache(r *grammar.Reader, a *App) error {
	c, err := grammar.Once(r, &a.LocalCache)
	if err != nil {
		return err
	}
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "off" {
		c.Off = true
		return nil
	}
	if len(args) != 2 {
		return r.Wrong()
	}
	if c.Entries, err = r.ParseNumber(args[0], 1); err != nil {
		return err
	}
	if c.MaxAge, err = r.ParseDuration(args[1]); err == nil && c.MaxAge == 0 {
		return r.Errf("a max_age of 0 remembers nothing; expected 'local_cache off'")
	}
	return err
}

// readStoreOutage reads `on_store_outage deny | serve_cached <duration>`.
func readStoreOutage(r *grammar.Reader, a *App) error {
	o, err := grammar.Once(r, &a.OnStoreOutage)
	if err != nil {
		return err
	}
	if !r.NextArg() {
		return r.Wrong()
	}
	switch policy := r.Val(); policy {
	case "deny":
		return nil
	case "serve_cached":
		return r.Duration(&o.ServeCached)
	default:
		return r.Unrecognized("policy", policy, "deny", "serve_cached")
	}
}

// localCache checks what only JSON can say wrongly of it.
func (c *checker) localCache(a *App) {
	at := grammar.Place{"local_cache"}
	l := a.LocalCache
	if l != nil {
		if l.Entries < 0 {
			c.Refuse(at, "the number of entries cannot be negative")
		}
		if l.Off && (l.Entries != 0 || l.MaxAge != 0) {
			c.Refuse(at, "'off' remembers no entries for no time")
		}
	}
}
