package gateway_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// compat on a store that a gateway without it has used signed with ES256 for ten
// minutes, which no SDK of Stytch's verifies.
func TestCompatOnAStoreThatWasUsedWithoutItSignsRS256AtOnce(t *testing.T) {
	before := newWorld(t)
	old := before.attest("acme", nil)
	w := newWorld(t, compat, func(s *setup) { s.store, s.signers, s.clock = before.store, before.signers, before.clock })
	made := w.attest("acme", nil)
	token, err := jose.Parse(made["session_jwt"].(string))
	w.must(err)
	if token.Header.Algorithm != "RS256" {
		t.Errorf("signed with %s", token.Header.Algorithm)
	}
	w.decode(made["session_jwt"].(string)) // its key is published
	w.decode(old["session_jwt"].(string))  // and so is the former
	w.ok("POST", authenticatePath, named(old))
}
