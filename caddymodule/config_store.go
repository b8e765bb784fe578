package caddymodule

import "github.com/caddyserver/caddy/v2"

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
