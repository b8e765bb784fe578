package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/sealed"
)

// onBolt and onRedis are gateways over one store: one on bolt, which no two
// processes share, and two on Redis.
func onBolt(t *testing.T, options ...option) []*world {
	t.Helper()
	opened, err := bolt.Open(filepath.Join(t.TempDir(), "attest.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	s, err := sealed.New(opened, [][]byte{fleetSecret}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return []*world{join(t, s, defaultSetup(), options...).world}
}

func onRedis(t *testing.T, options ...option) []*world {
	t.Helper()
	nodes := fleet(t, 2, config(redistest.Start(t)), options...)
	return []*world{nodes[0].world, nodes[1].world}
}

var backends = map[string]func(*testing.T, ...option) []*world{"bolt": onBolt, "redis": onRedis}

// Of 32 callers that authenticated one session at once a third were answered 503, of
// 64 two thirds: each use was a change of one record.
func TestParallelCallsForOneSession(t *testing.T) {
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			worlds := open(t)
			made := worlds[0].attest("acme", nil)
			calls := map[string]func(i int) (string, claims.Object){
				"authenticate": func(int) (string, claims.Object) { return authenticatePath, named(made) },
				"claims": func(i int) (string, claims.Object) {
					return authenticatePath, with(named(made), claims.Object{"session_custom_claims": claims.Object{fmt.Sprint("c", i): i}})
				},
				"attach": func(i int) (string, claims.Object) {
					token := worlds[0].token("acme", claims.Object{"jti": fmt.Sprint("j", i)})
					return attestPath, with(named(made), claims.Object{"profile_id": "acme", "token": token})
				},
			}
			for what, call := range calls {
				parallel(64, func(i int) {
					path, body := call(i)
					if status, answer := worlds[i%len(worlds)].call("POST", path, body); status != 200 {
						t.Errorf("%s: %d %v", what, status, answer)
					}
				})
			}
			answer := worlds[0].ok("POST", authenticatePath, named(made))
			if n := len(at(answer, "member_session.custom_claims").(map[string]any)); n != 64 {
				t.Errorf("%d of 64 claims", n)
			}
			if n := len(at(answer, "member_session.authentication_factors").([]any)); n != session.MaxFactors {
				t.Errorf("%d factors", n)
			}
		})
	}
}

func parallel(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

// A plain authenticate writes nothing to the session's record, and drops it from no
// cache.
func TestPlainAuthenticateWritesNoVersion(t *testing.T) {
	w := newWorld(t)
	made := w.attest("acme", nil)
	token, err := session.ParseToken(made["session_token"].(string))
	w.must(err)
	version := func() uint64 {
		s, err := w.sessions.ByID(t.Context(), token.SessionID())
		w.must(err)
		return s.Version
	}
	before := version()
	w.clock.Advance(time.Minute)
	answer := w.ok("POST", authenticatePath, named(made))
	is(t, answer, "member_session.last_accessed_at", "2026-03-01T12:01:00Z")
	w.settle(made["session_token"].(string))
	if version() != before {
		t.Error("the record was written")
	}
}

// Sessions are ended many at a time; how long that takes is logged and not judged,
// since the machine may be loaded.
func TestRevokingAMemberEndsThousandsOfSessions(t *testing.T) {
	const sessions = 4000
	for name, open := range backends {
		t.Run(name, func(t *testing.T) {
			w := open(t, func(s *setup) { s.session.PerMember = -1 })[0]
			made := w.attest("acme", nil)
			organization, member := at(made, "organization.organization_id").(string), made["member_id"].(string)
			parallel(64, func(i int) {
				for range sessions / 64 {
					_, err := w.sessions.Start(t.Context(), session.Start{
						OrganizationID: organization, MemberID: member, Duration: time.Hour, Factor: session.Factor{Profile: "acme"},
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
			list, err := w.sessions.List(t.Context(), organization, member)
			if err != nil || len(list) < sessions-64 {
				t.Fatalf("%d sessions, %v", len(list), err)
			}
			began := time.Now()
			w.ok("POST", revokePath, claims.Object{"member_id": member})
			t.Logf("%d sessions: %s", len(list), time.Since(began))
			if list, err := w.sessions.List(t.Context(), organization, member); err != nil || len(list) != 0 {
				t.Errorf("%d are left, %v", len(list), err)
			}
		})
	}
}

// A member who signs in again and again keeps the newest sessions.
func TestSignInsBeyondTheCapEndTheOldest(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.session.PerMember = 3 })
	var all []claims.Object
	for range 5 {
		all = append(all, w.attest("acme", nil))
		w.clock.Advance(time.Second)
	}
	for i, made := range all {
		want := 200
		if i < 2 {
			want = 404
		}
		if status, _ := w.call("POST", authenticatePath, named(made)); status != want {
			t.Errorf("session %d: %d, want %d", i, status, want)
		}
	}
}

// A chain of exchanges and extensions lasted for ever, max_duration at a time.
func TestChainOfExchangesEndsAtMaxDuration(t *testing.T) {
	w := newWorld(t, unbound("acme"), func(s *setup) { s.session.MaxDuration = 10 * time.Hour })
	one := w.organization(claims.Object{"organization_name": "One", "organization_slug": "one", "profiles": []string{"acme"}})
	two := w.organization(claims.Object{"organization_name": "Two", "organization_slug": "two", "profiles": []string{"acme"}})
	for _, id := range []string{one, two} {
		w.member(id, claims.Object{"email_address": "ada@example.com"})
	}
	minutes := claims.Object{"session_duration_minutes": 600}
	s := w.attest("acme", with(minutes, claims.Object{"organization_id": one}))
	last := w.clock.Now().Add(10 * time.Hour).Format(time.RFC3339)
	for i := range 9 {
		w.clock.Advance(time.Hour)
		target := []string{two, one}[i%2]
		s = w.ok("POST", exchangePath, with(with(named(s), minutes), claims.Object{"organization_id": target}))
		is(t, s, "member_session.expires_at", last)
		s = w.ok("POST", authenticatePath, with(named(s), minutes))
		is(t, s, "member_session.expires_at", last)
	}
	w.clock.Advance(time.Hour)
	w.refusedAnyhow(404, "session_not_found", "POST", authenticatePath, named(s))
}

// A revocation that the store could not take holds here and is written when the
// store is back, though nobody shows the session again; one by a token with a wrong
// secret is withdrawn.
func TestRevokeByTokenDuringAnOutage(t *testing.T) {
	w := newWorld(t)
	good, other := w.attest("acme", nil), w.attest("acme", nil)
	id, _, _ := strings.Cut(other["session_token"].(string), ".")
	_, secret, _ := strings.Cut(good["session_token"].(string), ".")
	w.store.set(store.ErrUnavailable)
	for _, token := range []any{good["session_token"], id + "." + secret} {
		if status, _ := w.call("POST", revokePath, claims.Object{"session_token": token}); status != 503 {
			t.Errorf("revoke: %d", status)
		}
	}
	w.store.set(nil)
	w.must(w.sessions.WritePending(t.Context()))
	another := newWorld(t, func(s *setup) { s.store, s.signers, s.clock = w.store, w.signers, w.clock })
	another.refusedAnyhow(404, "session_not_found", "POST", authenticatePath, named(good))
	w.ok("POST", authenticatePath, named(other))
}
