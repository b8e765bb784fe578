package caddymodule

import "github.com/caddyserver/caddy/v2"

// Keys are the gateway's signing keys. Without files they are a ring kept in the
// store, the same for every process that uses it.
type Keys struct {
	// The signature algorithm: `ES256`, `RS256` or `EdDSA`.
	// Default: ES256, or RS256 with compat.
	Algorithm string `json:"algorithm,omitempty"`

	// How often a new key replaces the signing one, at least 1h. The new key is
	// published at least ten minutes before it signs, the old one stays published
	// until every JWT it signed has expired plus an hour.
	// Default: 90d.
	RotateEvery caddy.Duration `json:"rotate_every,omitempty"`

	// PEM files with private keys, instead of the ring in the store. The first
	// signs, all are published. They are rotated by changing the files.
	Files []string `json:"files,omitempty"`
}
