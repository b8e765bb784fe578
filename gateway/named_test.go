package gateway_test

import (
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/trust"
)

// Under compat an injected JWT may be presented, and it may name an implicit session.
// That has no token, so a call that answers one must not go on with it: SDKs would
// keep the empty token and be signed out. Ending it is allowed.
func TestCompatJWTOfAnImplicitSessionIsNotMutable(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) {
		s.gateway.Core.Compat, s.ring.Algorithm = true, "RS256"
	})
	_, up := w.through(route, bearer(w.token("acme", nil)))
	jwt := strings.TrimPrefix(up.header.Get("Authorization"), "Bearer ")
	w.refused(400, "session_not_mutable", "POST", authenticatePath, claims.Object{"session_jwt": jwt})
	w.refused(400, "session_not_mutable", "POST", sessionsPath+"/exchange", claims.Object{"session_jwt": jwt, "organization_id": "acme"})
	w.refused(400, "session_not_mutable", "POST", sessionsPath+"/attest", claims.Object{
		"session_jwt": jwt, "profile_id": "acme", "token": w.token("acme", claims.Object{"jti": "second"}),
	})
	w.ok("POST", revokePath, claims.Object{"session_jwt": jwt})
}

// A node whose configuration lacks a session's profile says so: the session may be
// good at the next node, and "not found" would make its owner sign in again.
func TestAuthenticateWhereTheProfileIsNotConfigured(t *testing.T) {
	w := newWorld(t)
	made := w.attest("acme", nil)
	other := w.nodeWithout("acme")
	token := claims.Object{"session_token": made["session_token"]}
	other.refused(400, "profile_not_configured", "POST", authenticatePath, token)
	w.ok("POST", authenticatePath, token)
	other.ok("POST", revokePath, token) // ending it asks for no profile
	w.refused(404, "session_not_found", "POST", authenticatePath, token)
}

// nodeWithout is a second gateway on the same store, without a profile.
func (w *world) nodeWithout(profile string) *world {
	w.t.Helper()
	s := defaultSetup()
	s.store, s.clock, s.signers = w.store, w.clock, w.signers
	delete(s.profiles, profile)
	s.profiles["third"] = &trust.Config{Issuers: []string{"https://third.test"}, Audiences: []string{"app"}, EmailDomains: []string{"*"}}
	n := s.world(w.t)
	w.must(n.err)
	return n
}
