package caddymodule

import (
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

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

var keysBlock = grammar.Block[Keys]{Name: "keys", Lines: []grammar.Line[Keys]{
	grammar.Choice("algorithm", "ES256|RS256|EdDSA", "what they sign with; default ES256, with compat RS256", signingAlgorithms,
		func(k *Keys) *string { return &k.Algorithm }),
	grammar.Duration("rotate_every", "<duration>", "how often a new key takes over, 1h or more; default 90d",
		func(k *Keys) *caddy.Duration { return &k.RotateEvery }),
	grammar.Texts("file", "<pem>...", "private keys instead of the ring in the store; the first signs",
		func(k *Keys) *[]string { return &k.Files }),
}}

// keys checks the signing keys.
func (c *checker) keys(a *App) {
	k := a.Keys
	if k == nil {
		return
	}
	at := grammar.Place{"keys"}
	c.core(at, a.ringConfig().Check())
	if k.RotateEvery != 0 && len(k.Files) > 0 {
		c.Refuse(at.At("rotate_every"), "keys from files are rotated by changing the files; remove 'rotate_every' or 'file'")
	}
	if k.RotateEvery > 0 && k.RotateEvery < caddy.Duration(time.Hour) {
		c.Refuse(at.At("rotate_every"), "expected at least 1h, because a key is published before it signs")
	}
	c.paths(at.At("file"), k.Files...)
}
