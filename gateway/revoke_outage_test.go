package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
)

// A revocation by member that the store could not take is answered 503, obeyed here
// at once, and written when the store is back, without its caller.
func TestMemberRevocationInAnOutageIsObeyedAndWrittenLater(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) { s.gateway.Core.Cache.ServeStale = time.Minute })
	made, other := w.attest("acme", nil), w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"})})
	for _, m := range []claims.Object{made, other} {
		if res, _ := w.through(route, bearer(m["session_token"].(string))); res.StatusCode != 204 {
			t.Fatalf("before: %d", res.StatusCode)
		}
	}
	w.clock.Advance(time.Second)
	w.store.set(fmt.Errorf("%w: away", store.ErrUnavailable))
	status, answer := w.call("POST", revokePath, claims.Object{"member_id": made["member_id"]})
	if status != 503 {
		t.Fatalf("a revocation that nobody confirmed: %d %v", status, answer)
	}
	w.clock.Advance(10 * time.Second)
	res, _ := w.through(route, bearer(made["session_token"].(string)))
	refusedWith(t, res, 401, "session_not_found")
	if res, _ := w.through(route, bearer(other["session_token"].(string))); res.StatusCode != 204 {
		t.Errorf("another member's session: %d", res.StatusCode)
	}
	w.store.set(nil)
	w.must(w.gateway.Core.WritePending(t.Context()))
	w.refused(404, "session_not_found", "POST", authenticatePath, claims.Object{"session_token": made["session_token"]})
	w.clock.Advance(time.Second)
	again := w.attest("acme", nil) // a new sign-in is not held up
	if res, _ := w.through(route, bearer(again["session_token"].(string))); res.StatusCode != 204 {
		t.Errorf("a session from after the revocation: %d", res.StatusCode)
	}
}

// Who names a member that is not there has revoked nothing.
func TestRevocationOfAnUnknownMemberIsWithdrawn(t *testing.T) {
	w := newWorld(t)
	w.refused(404, "member_not_found", "POST", revokePath, claims.Object{"member_id": "member-00000000-0000-0000-0000-000000000000"})
	if n := len(w.sessions.Revocations().PendingMembers()); n != 0 {
		t.Errorf("%d revocations are pending", n)
	}
}

// A token that was revoked stays revoked for as long as any configuration takes it: a
// reload that raises max_token_age or leeway must not bring it back.
func TestRevocationOutlivesAReloadThatRaisesTheAgeOfTokens(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) { s.profiles["acme"].MaxTokenAge = time.Minute })
	token := w.token("acme", nil) // exp in five minutes
	res, up := w.through(route, bearer(token))
	if res.StatusCode != 204 {
		t.Fatalf("before: %d", res.StatusCode)
	}
	w.ok("POST", revokePath, claims.Object{"member_session_id": at(up.claims, "session.id")})
	w.clock.Advance(4 * time.Minute)
	raised := defaultSetup()
	raised.store, raised.clock, raised.signers = w.store, w.clock, w.signers
	routes(route)(raised)
	n := raised.world(t)
	w.must(n.err)
	res, _ = n.through(route, bearer(token))
	refusedWith(t, res, 401, "session_not_found")
}
