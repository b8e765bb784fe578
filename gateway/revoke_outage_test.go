package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
)

// A revocation by member that the store could not take is answered 503, holds here
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

// Two callers end the sessions of one member while the store flaps: what the store
// took of one is no answer to the other, whose revocation stays.
func TestMemberRevocationOfOneCallerKeepsAnothers(t *testing.T) {
	w := newWorld(t)
	notes := w.sessions.Revocations()
	taken, lost := notes.NoteMember("acme", "member-1"), notes.NoteMember("acme", "member-1")
	taken(true)
	lost(false)
	if !notes.CoversMember("member-1") || len(notes.PendingMembers()) != 1 {
		t.Error("the revocation that the store did not take is forgotten")
	}
	notes.WrittenMember(notes.PendingMembers()[0])
	if notes.CoversMember("member-1") {
		t.Error("a revocation that was written is still pending")
	}
}

// A copy that looks idle says nothing while the store, which knows of later uses,
// is away: that is an outage, and nobody is logged out by it.
func TestIdleCopyInAnOutageIsNoLogout(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route), func(s *setup) {
		s.gateway.Core.Idle, s.gateway.Core.Cache.ServeStale = 2*time.Minute, time.Hour
	})
	made := w.attest("acme", nil)
	if res, _ := w.through(route, bearer(made["session_token"].(string))); res.StatusCode != 204 {
		t.Fatalf("before: %d", res.StatusCode)
	}
	w.clock.Advance(3 * time.Minute)
	w.store.set(fmt.Errorf("%w: away", store.ErrUnavailable))
	res, _ := w.through(route, get("Cookie", "__Host-session="+made["session_token"].(string)))
	refusedWith(t, res, 503, "service_unavailable")
	if res.Header.Get("Set-Cookie") != "" {
		t.Error("the cookie was cleared")
	}
}
