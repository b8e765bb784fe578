package session_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// S-02: effective for the next request, on this node and on every other.
func TestRevokeIsObeyedEverywhere(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	token := f.token(s)
	ended, err := f.a.Revoke(ctx, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ended.ID != s.ID || ended.MemberID != member || !ended.RevokedAt.Equal(f.clock.Now()) || len(ended.Factors) != 1 {
		t.Errorf("answered %+v", ended)
	}
	if _, ok := f.a.Token(ended); ok {
		t.Error("a revoked session has a token")
	}
	for name, m := range map[string]*session.Manager{"same": f.a, "other": f.b, "fresh": f.node(session.Config{})} {
		_, err := m.ByToken(ctx, token)
		if !errors.Is(err, session.ErrRevoked) {
			t.Errorf("%s node: %v", name, err)
		}
	}
	wantErr(t, f.a.Check(s), session.ErrRevoked) // a copy cached before
}

func TestRevokeOfADeadSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*session.Manager{f.a, f.b} {
		_, err := m.Revoke(ctx, s.ID)
		wantErr(t, err, session.ErrNotFound)
	}
	_, err := f.a.Revoke(ctx, "session-00000000-0000-0000-0000-000000000000")
	wantErr(t, err, session.ErrNotFound)
	expired := f.start(time.Minute, 0)
	f.clock.Advance(time.Minute)
	_, err = f.a.Revoke(ctx, expired.ID)
	wantErr(t, err, session.ErrNotFound)
}

// A use that another node has noted and not yet written must not undo a logout
// that came after the session was idle.
func TestRevokeOfAnIdleSessionIsWritten(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	f.clock.Advance(9 * time.Minute)
	stale := s
	f.clock.Advance(90 * time.Second)
	_, err := f.a.Revoke(ctx, s.ID)
	wantErr(t, err, session.ErrNotFound)
	f.clock.Advance(-90 * time.Second) // the other node's clock
	if err := f.b.Accessed(ctx, stale); err != nil {
		t.Fatal(err)
	}
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

func TestTombstoneHoldsNoSecret(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 5*time.Minute)
	f.clock.Advance(time.Minute)
	if err := f.a.Accessed(ctx, s); err != nil {
		t.Fatal(err)
	}
	before := len(f.records(s.ID)[0].Value)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	records := f.records(s.ID)
	if !records[0].Exists() || !records[0].ExpiresAt.Equal(s.ExpiresAt) {
		t.Fatalf("tombstone is %+v", records[0])
	}
	if len(records[0].Value) >= before || contains(records[0].Value, "secret") || contains(records[0].Value, "factors") {
		t.Errorf("tombstone is %s", records[0].Value)
	}
	if records[1].Exists() {
		t.Error("the access record is still there")
	}
	// Idle or not, the tombstone stays for as long as the session would have.
	f.clock.Advance(58 * time.Minute)
	if !f.records(s.ID)[0].Exists() {
		t.Error("the tombstone went too early")
	}
}

func contains(data []byte, word string) bool {
	return strings.Contains(string(data), word)
}

// 200 only when the store has confirmed; obeyed by this node at once either way;
// trying again tells whether it has been written.
func TestRevokeWhileTheStoreIsDown(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	token := f.token(s)
	f.store.down(true)
	_, err := f.a.Revoke(ctx, s.ID)
	wantFault(t, err)
	wantErr(t, f.a.Check(s), session.ErrRevoked) // a cached copy, with the store still down
	f.store.down(false)

	if _, err := f.b.ByToken(ctx, token); err != nil {
		t.Errorf("the other node cannot know yet: %v", err)
	}
	_, err = f.a.ByToken(ctx, token) // this node meets the session, and writes
	wantErr(t, err, session.ErrRevoked)
	_, err = f.b.ByToken(ctx, token)
	wantErr(t, err, session.ErrRevoked)
}

func TestRevokeAgainAfterAFault(t *testing.T) {
	for name, trouble := range map[string]func(*flaky){
		"nothing was written": func(s *flaky) { s.down(true) },
		"the write failed":    func(s *flaky) { s.failApply.Store(true) },
		"the answer was lost": func(s *flaky) { s.lost.Store(true) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			s := f.start(time.Hour, 0)
			trouble(f.store)
			_, err := f.a.Revoke(ctx, s.ID)
			wantFault(t, err)
			f.store.down(false)
			f.store.lost.Store(false)
			if _, err := f.a.Revoke(ctx, s.ID); err != nil {
				t.Errorf("tried again: %v", err)
			}
			_, err = f.a.Revoke(ctx, s.ID)
			wantErr(t, err, session.ErrNotFound)
			_, err = f.b.ByID(ctx, s.ID)
			wantErr(t, err, session.ErrRevoked)
		})
	}
}

// F06: a replica that lagged is promoted; 0 of 100 revocations come back.
func TestRevocationsSurviveAFailover(t *testing.T) {
	f := newFleet(t)
	const n = 100
	sessions := make([]session.Session, n)
	before := make([]store.Record, n)
	for i := range n {
		sessions[i] = f.start(time.Hour, 0)
		before[i] = f.records(sessions[i].ID)[0]
		if _, err := f.a.Revoke(ctx, sessions[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range sessions {
		f.fallBack(s.ID, before[i])
	}
	for _, s := range sessions {
		_, err := f.a.ByToken(ctx, f.token(s))
		wantErr(t, err, session.ErrRevoked)
		_, err = f.b.ByToken(ctx, f.token(s)) // which has it from the store again
		wantErr(t, err, session.ErrRevoked)
	}
}

// A node that only saw the tombstone remembers it too: the one that revoked may
// be gone.
func TestTombstoneSeenIsRemembered(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	before := f.records(s.ID)[0]
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	_, err := f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
	f.fallBack(s.ID, before)
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
	_, err = f.node(session.Config{}).ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

// The replica may show the session with a later end than the one it had when it
// was revoked: the node remembers until no state of it can be live.
func TestRevocationIsKeptToTheAbsoluteEnd(t *testing.T) {
	f := newFleet(t)
	s := f.start(100*time.Hour, 0)
	before := f.records(s.ID)[0]
	s, err := f.a.Change(ctx, s.ID, func(s *session.Session) error { return s.Extend(f.clock.Now(), time.Hour, f.a.MaxDuration()) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(50 * time.Hour)
	f.churn(f.a, 4000) // so that what may be forgotten is
	f.fallBack(s.ID, before)
	_, err = f.a.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

// churn revokes many sessions, so that a sweep of revocations happens.
func (f *fleet) churn(m *session.Manager, n int) {
	f.t.Helper()
	for range n {
		if _, err := m.Revoke(ctx, f.start(time.Minute, 0).ID); err != nil {
			f.t.Fatal(err)
		}
	}
}

// A promoted replica may not even know the session of a token that was revoked.
func TestImplicitRevocationSurvivesTheLossOfItsRecord(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	s := f.implicit(f.a, r)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	f.fallBack(s.ID, store.Record{})
	f.clock.Advance(time.Minute)
	_, err := f.a.Implicit(ctx, r)
	wantErr(t, err, session.ErrRevoked)
	_, err = f.b.Implicit(ctx, r) // which has it from the store again
	wantErr(t, err, session.ErrRevoked)
}

// F10: the store comes back empty. Sessions are gone, cleanly; new ones work.
func TestStoreComesBackEmpty(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, time.Minute)
	token := f.token(s)
	f.fallBack(s.ID, store.Record{})
	_, err := f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
	f.clock.Advance(10 * time.Second)
	if err := f.a.Accessed(ctx, s); err != nil { // by a cached copy
		t.Fatal(err)
	}
	_, err = f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
	f.start(time.Hour, 0)
}

// A revocation that could not be written covers the session whatever the clock of
// the node that started it says.
func TestRevokeByANodeWhoseClockIsBehind(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	before := f.records(s.ID)[0]
	f.clock.Advance(-10 * time.Second)
	f.store.down(true)
	_, err := f.b.Revoke(ctx, s.ID)
	wantFault(t, err)
	wantErr(t, f.b.Check(s), session.ErrRevoked)
	f.store.down(false)
	if _, err := f.b.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	wantErr(t, f.b.Check(s), session.ErrRevoked)
	f.fallBack(s.ID, before)
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

// What was revoked while the store was down, and begun anew since by a later
// token, is not revoked again.
func TestLaterTokenAfterARevocationThatWasNotWritten(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.keyed("x", "sid-1"))
	f.clock.Advance(time.Minute)
	f.store.down(true)
	_, err := f.a.Revoke(ctx, s.ID)
	wantFault(t, err)
	f.store.down(false)
	f.clock.Advance(time.Minute)
	later := f.keyed("y", "sid-1")
	anew := f.implicit(f.a, later)
	if !anew.StartedAt.Equal(f.clock.Now()) || anew.Factors[0].TokenID != "y" {
		t.Errorf("anew it is %+v", anew)
	}
	for _, m := range []*session.Manager{f.a, f.b} {
		f.implicit(m, later)
		if _, err := m.ByID(ctx, s.ID); err != nil {
			t.Error(err)
		}
	}
}

// Managers of one process share what they know; so a reload forgets nothing.
func TestRevocationsOutliveAManager(t *testing.T) {
	f := newFleet(t)
	shared := session.NewRevocations(f.clock.Now)
	old := f.node(session.Config{Revocations: shared})
	s := f.start(time.Hour, 0)
	f.store.down(true)
	_, err := old.Revoke(ctx, s.ID)
	wantFault(t, err)
	f.store.down(false)
	_, err = f.node(session.Config{Revocations: shared}).ByToken(ctx, f.token(s))
	wantErr(t, err, session.ErrRevoked)
}

// Revocations whose session could not be alive anywhere are forgotten, those of
// ids that never existed at once.
func TestRevocationsDoNotPileUp(t *testing.T) {
	f := newFleet(t)
	known := session.NewRevocations(f.clock.Now)
	m := f.node(session.Config{Revocations: known, MaxDuration: time.Hour})
	for i := range 1000 {
		_, err := m.Revoke(ctx, fmt.Sprintf("session-%08x-0000-0000-0000-000000000000", i))
		wantErr(t, err, session.ErrNotFound)
	}
	if n := known.Len(); n != 0 {
		t.Errorf("%d revocations of nothing", n)
	}
	for range 8 {
		f.churn(m, 1000)
		f.clock.Advance(61 * time.Minute)
	}
	if n := known.Len(); n > 4000 {
		t.Errorf("%d revocations, 1000 of which could matter", n)
	}
}

func TestRevokeMeetsAChange(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.store.once(func() {
		if _, err := f.b.Attach(ctx, s.ID, f.proof("okta", "t2")); err != nil {
			t.Error(err)
		}
	})
	ended, err := f.a.Revoke(ctx, s.ID)
	if err != nil || len(ended.Factors) != 2 {
		t.Errorf("ended %+v, %v", ended, err)
	}
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

func TestChangeMeetsARevocation(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.store.once(func() {
		if _, err := f.b.Revoke(ctx, s.ID); err != nil {
			t.Error(err)
		}
	})
	_, err := f.a.Attach(ctx, s.ID, f.proof("okta", "t2"))
	wantErr(t, err, session.ErrRevoked)
}

// The store loses the session of a key while its revocation waits to be written:
// tokens of before stay refused, a later one begins anew.
func TestPendingRevocationOfALostSession(t *testing.T) {
	f := newFleet(t)
	old := f.keyed("x", "sid-1")
	s := f.implicit(f.a, old)
	f.clock.Advance(time.Minute)
	f.store.down(true)
	_, err := f.a.Revoke(ctx, s.ID)
	wantFault(t, err)
	f.store.down(false)
	f.fallBack(s.ID, store.Record{})
	_, err = f.a.Implicit(ctx, old)
	wantErr(t, err, session.ErrRevoked)
	_, err = f.b.Implicit(ctx, old) // which has it from the store
	wantErr(t, err, session.ErrRevoked)
	f.clock.Advance(time.Minute)
	if anew := f.implicit(f.a, f.keyed("y", "sid-1")); anew.Takes(old.Factor.IssuedAt) {
		t.Error("it takes the token that was revoked")
	}
	_, err = f.a.Implicit(ctx, old)
	wantErr(t, err, session.ErrRevoked)
}

// The session of a key comes back to life in a promoted replica: the node that
// revoked it lets no token of before begin it anew.
func TestRevokedKeySurvivesAFailover(t *testing.T) {
	f := newFleet(t)
	old := f.keyed("x", "sid-1")
	s := f.implicit(f.a, old)
	before := f.records(s.ID)[0]
	f.clock.Advance(time.Minute)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	f.fallBack(s.ID, before)
	for _, m := range []*session.Manager{f.a, f.b} {
		_, err := m.Implicit(ctx, old)
		wantErr(t, err, session.ErrRevoked)
	}
	f.fallBack(s.ID, before)
	later := f.keyed("y", "sid-1")
	f.implicit(f.a, later)
	for _, m := range []*session.Manager{f.a, f.b} {
		_, err := m.Implicit(ctx, old)
		wantErr(t, err, session.ErrRevoked)
		f.implicit(m, later)
	}
}

var errElsewhere = errors.New("a session of another organization")

// A revocation is noted before anything is read, also one that its caller may not
// make: it is withdrawn when the session shows that, and not before.
func TestRevokeOfWhatTheCallerMayNotEnd(t *testing.T) {
	may := func(allowed string) func(session.Session) error {
		return func(s session.Session) error {
			if s.OrganizationID != allowed {
				return errElsewhere
			}
			return nil
		}
	}
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	n := f.writes(func() {
		_, err := f.a.RevokeIf(ctx, s.ID, may("organization-2"))
		wantErr(t, err, errElsewhere)
	})
	if err := f.a.Check(s); err != nil || n != 0 {
		t.Errorf("after a refusal: %v, %d writes", err, n)
	}
	f.store.down(true)
	_, err := f.a.RevokeIf(ctx, s.ID, may("organization-2"))
	wantFault(t, err)
	wantErr(t, f.a.Check(s), session.ErrRevoked) // nobody knows yet
	f.store.down(false)
	if err := f.a.WritePending(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.a.Check(s); err != nil {
		t.Errorf("after the store is back: %v", err)
	}
	f.store.down(true)
	for _, allowed := range []string{"organization-2", org} {
		_, err := f.a.RevokeIf(ctx, s.ID, may(allowed))
		wantFault(t, err)
	}
	f.store.down(false)
	if err := f.a.WritePending(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked) // one of the two might
}

// A caller who may not end a session must not undo the revocation of one who may, and
// who was not answered yet.
func TestRefusedRevokeKeepsTheRevocationOfAnother(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	gone, leave := context.WithCancel(ctx)
	leave()
	_, err := f.a.RevokeIf(ctx, s.ID, func(session.Session) error {
		_, err := f.a.Revoke(gone, s.ID)
		wantErr(t, err, context.Canceled)
		return errElsewhere
	})
	wantErr(t, err, errElsewhere)
	wantErr(t, f.a.Check(s), session.ErrRevoked)
	if err := f.a.WritePending(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

// A revocation that the store did not take is written without anybody showing the
// session again.
func TestPendingRevocationIsWritten(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.store.down(true)
	_, err := f.a.Revoke(ctx, s.ID)
	wantFault(t, err)
	wantFault(t, f.a.WritePending(ctx))
	f.store.down(false)
	if err := f.a.WritePending(ctx); err != nil {
		t.Fatal(err)
	}
	_, err = f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
	if n := f.writes(func() { _ = f.a.WritePending(ctx) }); n != 0 {
		t.Errorf("%d writes again", n)
	}
}

// Callers can make up ids while the store is away; what a node remembers of them is
// bounded, and passes.
func TestRevocationsOfUnknownIDsAreBounded(t *testing.T) {
	f := newFleet(t)
	revocations := session.NewRevocations(f.clock.Now)
	m := f.node(session.Config{Revocations: revocations})
	known := f.start(time.Hour, 0)
	f.store.down(true)
	for i := range 110_000 {
		_, _ = m.Revoke(ctx, sessionID(i))
	}
	if n := revocations.Len(); n > 100_000 || n < 90_000 {
		t.Errorf("%d are kept", n)
	}
	f.store.down(false)
	if _, err := m.Revoke(ctx, known.ID); err != nil {
		t.Errorf("one that the store knows: %v", err)
	}
	f.clock.Advance(session.DefaultMaxDuration + time.Second)
	_, _ = m.Revoke(ctx, known.ID)
	f.store.down(true)
	for i := range 20_000 {
		_, _ = m.Revoke(ctx, sessionID(200_000+i))
	}
	if n := revocations.Len(); n > 21_000 {
		t.Errorf("%d are kept when the old ones have passed", n)
	}
}
