package session_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

func TestImplicitIsTheSameForItsToken(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	first := f.implicit(f.a, r)
	if !first.Implicit || first.MemberID != member || !first.ExpiresAt.Equal(r.Until) || !first.TokenUntil.Equal(r.Until) {
		t.Errorf("session is %+v", first)
	}
	f.clock.Advance(10 * time.Minute)
	for _, m := range []*session.Manager{f.a, f.b} {
		if again := f.implicit(m, r); !reflect.DeepEqual(again, first) {
			t.Errorf("again it is %+v", again)
		}
	}
	if byID, err := f.b.ByID(ctx, f.b.ImplicitID(r)); err != nil || byID.ID != first.ID {
		t.Errorf("by its id: %v", err)
	}
	if n := f.store.writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// Every part of the identity is part of the id, and parts cannot be shifted into
// one another.
func TestImplicitIDSeparates(t *testing.T) {
	f := newFleet(t)
	base := f.trusted("x")
	with := func(change func(*session.Implicit)) session.Implicit {
		r := base
		change(&r)
		return r
	}
	seen := map[string]string{}
	for name, r := range map[string]session.Implicit{
		"base":                    base,
		"other token":             f.trusted("y"),
		"other profile":           with(func(r *session.Implicit) { r.Profile = "okta" }),
		"other issuer":            with(func(r *session.Implicit) { r.Issuer = "https://evil.example" }),
		"other organization":      with(func(r *session.Implicit) { r.OrganizationID = "organization-2" }),
		"other member":            with(func(r *session.Implicit) { r.MemberID = "member-2" }),
		"shifted left":            with(func(r *session.Implicit) { r.Profile, r.Issuer = "githubh", strings.TrimPrefix(r.Issuer, "h") }),
		"shifted right":           with(func(r *session.Implicit) { r.OrganizationID, r.MemberID = org+"m", strings.TrimPrefix(member, "m") }),
		"key":                     with(func(r *session.Implicit) { r.Key = []string{"ab"} }),
		"key in two":              with(func(r *session.Implicit) { r.Key = []string{"a", "b"} }),
		"key with zeros between":  with(func(r *session.Implicit) { r.Key = []string{"a" + strings.Repeat("\x00", 8) + "b"} }),
		"key with an empty value": with(func(r *session.Implicit) { r.Key = []string{"ab", ""} }),
		"key that is the digest":  with(func(r *session.Implicit) { r.Key = []string{string(r.Digest[:])} }),
		"empty key value":         with(func(r *session.Implicit) { r.Key = []string{""} }),
	} {
		id := f.a.ImplicitID(r)
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s share an id", name, other)
		}
		seen[id] = name
		if f.b.ImplicitID(r) != id {
			t.Errorf("%s: nodes differ", name)
		}
	}
	other, err := session.NewManager(session.Config{Store: f.store, IDKey: []byte("another key of thirty-two bytes!")})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := seen[other.ImplicitID(base)]; ok {
		t.Error("the id does not depend on the key")
	}
}

// With a key, only its values and whose it is decide.
func TestImplicitIDWithKeyIgnoresTheToken(t *testing.T) {
	f := newFleet(t)
	if f.a.ImplicitID(f.keyed("x", "sid-1")) != f.a.ImplicitID(f.keyed("y", "sid-1")) {
		t.Error("two tokens of one key have two sessions")
	}
}

// F27: a thousand requests that show one token at once share one session.
func TestImplicitThunderingHerd(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	const n = 1000
	sessions := make([]session.Session, n)
	errs := make([]error, n)
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Add(1)
		go func() {
			defer done.Done()
			m := f.a
			if i%2 == 1 {
				m = f.b
			}
			ready.Done()
			<-begin
			sessions[i], errs[i] = m.Implicit(ctx, r)
		}()
	}
	ready.Wait()
	close(begin)
	done.Wait()
	for i := range n {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if sessions[i].ID != sessions[0].ID || sessions[i].Version != 1 {
			t.Fatalf("request %d has session %s, version %d", i, sessions[i].ID, sessions[i].Version)
		}
	}
	if w := f.store.writes.Load(); w != 1 {
		t.Errorf("%d writes", w)
	}
}

// Traefik CVE-2026-71326: those who share a look at the store are never given
// another user's session.
func TestImplicitHerdOfManyUsers(t *testing.T) {
	f := newFleet(t)
	const users, each = 64, 10
	var done sync.WaitGroup
	for u := range users {
		r := f.trusted("shared name")
		r.MemberID = fmt.Sprintf("member-%d", u)
		for range each {
			done.Add(1)
			go func() {
				defer done.Done()
				if s, err := f.a.Implicit(ctx, r); err != nil || s.MemberID != r.MemberID {
					t.Errorf("%s got the session of %s, %v", r.MemberID, s.MemberID, err)
				}
			}()
		}
	}
	done.Wait()
}

// One who gives up does not take the others with them.
func TestImplicitCallerGivesUp(t *testing.T) {
	f := newFleet(t)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := f.a.Implicit(gone, f.trusted("x")); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	f.implicit(f.a, f.trusted("x"))
}

func TestImplicitRefuses(t *testing.T) {
	f := newFleet(t)
	for name, row := range map[string]struct {
		change func(*session.Implicit)
		want   error
	}{
		"a token that has ended": {func(r *session.Implicit) { r.Until = f.clock.Now() }, session.ErrExpired},
		"a token without an end": {func(r *session.Implicit) { r.Until = time.Time{} }, session.ErrExpired},
		"a negative duration":    {func(r *session.Implicit) { r.Duration = -1 }, session.ErrDuration},
		"a negative idle":        {func(r *session.Implicit) { r.Idle = -1 }, session.ErrDuration},
		"nobody":                 {func(r *session.Implicit) { r.MemberID = "" }, nil},
		"nobody's organization":  {func(r *session.Implicit) { r.OrganizationID = "" }, nil},
		"a token of no profile":  {func(r *session.Implicit) { r.Profile = "" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.trusted("x")
			row.change(&r)
			_, err := f.a.Implicit(ctx, r)
			if err == nil || row.want != nil && !errors.Is(err, row.want) {
				t.Errorf("error is %v, want %v", err, row.want)
			}
		})
	}
	if n := f.store.writes.Load(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestImplicitEndsWithItsToken(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	s := f.implicit(f.a, r)
	f.clock.Advance(time.Hour - time.Millisecond)
	f.implicit(f.b, r)
	f.clock.Advance(time.Millisecond)
	_, err := f.a.Implicit(ctx, r)
	wantErr(t, err, session.ErrExpired)
	wantErr(t, f.a.Check(s), session.ErrExpired)
	if f.records(s.ID)[0].Exists() {
		t.Error("the record outlives the token")
	}
}

// The profile's own limits end the session earlier, and the token stays refused
// for the rest of its life: also on another node, and with the store swept.
func TestImplicitStaysEndedAtTheProfilesLimits(t *testing.T) {
	for name, row := range map[string]struct {
		limit func(*session.Implicit)
		want  error
	}{
		"duration": {func(r *session.Implicit) { r.Duration = 10 * time.Minute }, session.ErrExpired},
		"idle":     {func(r *session.Implicit) { r.Idle = 10 * time.Minute }, session.ErrIdle},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			r := f.trusted("x")
			row.limit(&r)
			f.implicit(f.a, r)
			for range 5 {
				f.clock.Advance(10 * time.Minute)
				for _, m := range []*session.Manager{f.a, f.b} {
					_, err := m.Implicit(ctx, r)
					wantErr(t, err, row.want)
				}
			}
		})
	}
}

func TestImplicitStaysRevoked(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	s := f.implicit(f.a, r)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		for _, m := range []*session.Manager{f.a, f.b, f.node(session.Config{})} {
			_, err := m.Implicit(ctx, r)
			wantErr(t, err, session.ErrRevoked)
		}
		f.clock.Advance(10*time.Minute - time.Millisecond)
	}
	other := f.implicit(f.a, f.trusted("y"))
	if other.ID == s.ID {
		t.Error("another token revived it")
	}
}

// Only a tampered store shows it; it is no answer about the member either way.
func TestImplicitFoundUnderTheIDOfAnother(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	victim := f.trusted("y")
	victim.MemberID = "member-2"
	s := f.implicit(f.a, victim)
	stolen := f.records(s.ID)[0]
	f.fallBack(f.a.ImplicitID(r), stolen)
	_, err := f.a.Implicit(ctx, r)
	wantErr(t, err, session.ErrMismatch)
	wantFault(t, err)

	ordinary := f.records(f.start(time.Hour, 0).ID)[0]
	f.fallBack(f.a.ImplicitID(r), ordinary)
	_, err = f.a.Implicit(ctx, r)
	wantErr(t, err, session.ErrMismatch)
}

func TestNewerTokenOfAKeyMovesTheEnd(t *testing.T) {
	f := newFleet(t)
	first := f.implicit(f.a, f.keyed("x", "sid-1"))
	f.clock.Advance(40 * time.Minute)
	newer := f.keyed("y", "sid-1")
	moved := f.implicit(f.b, newer)
	if moved.ID != first.ID || !moved.ExpiresAt.Equal(newer.Until) || !moved.StartedAt.Equal(first.StartedAt) {
		t.Fatalf("moved to %+v", moved)
	}
	if len(moved.Factors) != 1 || moved.Factors[0].TokenID != "y" || !moved.Factors[0].ProvedAt.Equal(f.clock.Now()) ||
		!moved.Factors[0].CreatedAt.Equal(first.StartedAt) {
		t.Errorf("factors are %+v", moved.Factors)
	}
	// The older token is still good, and takes nothing back.
	writes := f.store.writes.Load()
	older := f.keyed("x", "sid-1")
	older.Factor.IssuedAt, older.Until = f.clock.In(-40*time.Minute), f.clock.In(20*time.Minute)
	if again := f.implicit(f.a, older); !again.ExpiresAt.Equal(newer.Until) || again.Factors[0].TokenID != "y" {
		t.Errorf("the older token made it %+v", again)
	}
	if n := f.store.writes.Load() - writes; n != 0 {
		t.Errorf("%d writes", n)
	}
}

// A newer token whose proof is older does not make the session's younger, and
// the other proofs stay.
func TestNewerTokenOfAKeyKeepsProofs(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.keyed("x", "sid-1"))
	if _, err := f.a.Attach(ctx, s.ID, f.proof("passkey", "mfa")); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	newer := f.keyed("y", "sid-1")
	newer.Factor.ProvedAt = f.clock.In(-time.Hour)
	s = f.implicit(f.a, newer)
	if len(s.Factors) != 2 || s.Factors[0].TokenID != "y" || !s.Factors[0].ProvedAt.Equal(f.clock.In(-time.Minute)) {
		t.Errorf("factors are %+v", s.Factors)
	}
	if _, ok := s.Factor("passkey", "mfa"); !ok {
		t.Error("the second proof is gone")
	}
}

func TestProfilesDurationHoldsForAKeyToo(t *testing.T) {
	f := newFleet(t)
	limited := func(name string) session.Implicit {
		r := f.keyed(name, "sid-1")
		r.Duration = 90 * time.Minute
		return r
	}
	first := f.implicit(f.a, limited("x"))
	f.clock.Advance(50 * time.Minute)
	unseen := limited("unseen") // issued before the end, shown after it
	unseen.Until = f.clock.In(10 * time.Hour)
	s := f.implicit(f.a, limited("y"))
	if got := s.ExpiresAt.Sub(first.StartedAt); got != 90*time.Minute {
		t.Errorf("ends after %s", got)
	}
	f.clock.Advance(45 * time.Minute)
	_, err := f.a.Implicit(ctx, unseen)
	wantErr(t, err, session.ErrExpired)
	fresh := f.implicit(f.b, limited("z"))
	if fresh.ID != first.ID || !fresh.StartedAt.Equal(f.clock.Now()) {
		t.Errorf("a token issued after the end made %+v", fresh)
	}
}

func TestTokenOfAKeyGoesOnAfterTheOthersEnded(t *testing.T) {
	f := newFleet(t)
	long := f.keyed("long", "sid-1")
	long.Until = f.clock.In(3 * time.Hour)
	short := f.keyed("short", "sid-1")
	short.Idle, long.Idle = 2*time.Hour, 2*time.Hour // so that the record is kept beyond the end
	f.implicit(f.a, short)
	f.clock.Advance(90 * time.Minute)
	s := f.implicit(f.a, long) // never shown before, issued before the end, no limit of the profile's reached
	if !s.StartedAt.Equal(f.clock.Now()) || !s.ExpiresAt.Equal(long.Until) {
		t.Errorf("session is %+v", s)
	}
}

// After a revocation only a token issued later starts the session of a key anew:
// not one that is older and was never shown, not one of the same second.
func TestRevokedKeyStartsAnewWithALaterToken(t *testing.T) {
	f := newFleet(t)
	first := f.implicit(f.a, f.keyed("x", "sid-1"))
	if _, err := f.a.Attach(ctx, first.ID, f.proof("passkey", "mfa")); err != nil {
		t.Fatal(err)
	}
	unseen := f.keyed("unseen", "sid-1")
	unseen.Until = f.clock.In(23 * time.Hour)
	f.clock.Advance(time.Minute)
	if _, err := f.b.Revoke(ctx, first.ID); err != nil {
		t.Fatal(err)
	}
	same := f.keyed("same", "sid-1")
	noIAT := f.keyed("no iat", "sid-1")
	noIAT.Factor.IssuedAt, noIAT.Until = time.Time{}, f.clock.In(23*time.Hour)
	refuse := func(rs ...session.Implicit) {
		t.Helper()
		for _, m := range []*session.Manager{f.a, f.b, f.node(session.Config{})} {
			for _, r := range rs {
				_, err := m.Implicit(ctx, r)
				wantErr(t, err, session.ErrRevoked)
			}
		}
	}
	refuse(unseen, same, noIAT)
	f.clock.Advance(10 * time.Hour) // long after the first token's end
	refuse(unseen, noIAT)

	later := f.keyed("later", "sid-1")
	anew := f.implicit(f.a, later)
	if anew.ID != first.ID || !anew.StartedAt.Equal(f.clock.Now()) || !anew.RevokedAt.IsZero() || len(anew.Factors) != 1 {
		t.Errorf("anew it is %+v", anew)
	}
	for _, m := range []*session.Manager{f.a, f.b} {
		if _, err := m.ByID(ctx, anew.ID); err != nil {
			t.Errorf("the revoking node and the other: %v", err)
		}
	}
	refuse(unseen, noIAT) // which are no better for it
	if anew.Takes(unseen.Factor.IssuedAt) || anew.Takes(time.Time{}) || !anew.Takes(later.Factor.IssuedAt) || !first.Takes(unseen.Factor.IssuedAt) {
		t.Error("it takes tokens of before the revocation, or none of after")
	}
	f.clock.Advance(59 * time.Minute)
	f.implicit(f.b, later)
	f.clock.Advance(2 * time.Minute) // it has ended with its token, and is remembered for the cut
	for _, m := range []*session.Manager{f.a, f.b, f.node(session.Config{})} {
		_, err := m.Implicit(ctx, unseen)
		wantErr(t, err, session.ErrExpired)
	}
}

// An issuer whose clock is ahead: its token is from after the revocation, but a
// session that began in the same instant could not be told from the one revoked.
func TestRevokedKeyDoesNotStartAnewInTheSameInstant(t *testing.T) {
	for name, lose := range map[string]bool{"tombstone": false, "tombstone lost": true} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			s := f.implicit(f.a, f.keyed("x", "sid-1"))
			f.clock.Advance(time.Minute)
			if _, err := f.a.Revoke(ctx, s.ID); err != nil {
				t.Fatal(err)
			}
			ahead := f.keyed("y", "sid-1")
			ahead.Factor.IssuedAt = f.clock.In(30 * time.Second)
			if lose {
				f.fallBack(s.ID, store.Record{})
			}
			for _, m := range []*session.Manager{f.a, f.b} {
				_, err := m.Implicit(ctx, ahead)
				wantErr(t, err, session.ErrRevoked)
			}
			f.clock.Advance(time.Millisecond)
			f.implicit(f.a, ahead)
			f.implicit(f.b, ahead)
		})
	}
}

// The revocation is remembered for as long as any token could live that was
// issued before it, and no longer.
func TestTombstoneOfAKeyOutlivesEveryToken(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.keyed("x", "sid-1"))
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.records(s.ID)[0].ExpiresAt; !got.Equal(f.clock.In(24 * time.Hour)) {
		t.Errorf("the tombstone expires %s from now", got.Sub(f.clock.Now()))
	}
	f.implicit(f.a, f.keyed("x", "sid-3"))
	f.clock.Advance(time.Minute)
	raised := f.keyed("y", "sid-3") // the profile has been changed
	raised.MaxLifetime = 48 * time.Hour
	s = f.implicit(f.a, raised)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.records(s.ID)[0].ExpiresAt; !got.Equal(f.clock.In(48 * time.Hour)) {
		t.Errorf("the tombstone expires %s from now", got.Sub(f.clock.Now()))
	}
	long := f.keyed("y", "sid-2")
	long.MaxLifetime = 0
	s = f.implicit(f.a, long)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	if got := f.records(s.ID)[0].ExpiresAt; !got.Equal(f.clock.In(30 * 24 * time.Hour)) {
		t.Errorf("by default the tombstone expires %s from now", got.Sub(f.clock.Now()))
	}
}

// A revocation that comes while others wait for the session is obeyed by them.
func TestImplicitRevokedDuringASharedLook(t *testing.T) {
	f := newFleet(t)
	shared := session.NewRevocations(f.clock.Now)
	a, reloaded := f.node(session.Config{Revocations: shared}), f.node(session.Config{Revocations: shared})
	r := f.trusted("x")
	f.store.once(func() { // between the read that found nothing and the write
		f.implicit(f.b, r)
		if _, err := reloaded.Revoke(ctx, a.ImplicitID(r)); err != nil {
			t.Error(err)
		}
	})
	_, err := a.Implicit(ctx, r)
	wantErr(t, err, session.ErrRevoked)
}

// Another profile's factor on top of an implicit session, and the idle of it.
func TestImplicitAcceptsFactors(t *testing.T) {
	f := newFleet(t)
	r := f.trusted("x")
	s := f.implicit(f.a, r)
	if _, err := f.a.Attach(ctx, s.ID, f.proof("passkey", "mfa")); err != nil {
		t.Fatal(err)
	}
	if s = f.implicit(f.b, r); len(s.Factors) != 2 {
		t.Errorf("factors are %+v", s.Factors)
	}
}

func TestImplicitDigestsDiffer(t *testing.T) {
	f := newFleet(t)
	seen := map[string]bool{}
	for i := range 200 {
		r := f.trusted("")
		r.Digest = sha256.Sum256([]byte{byte(i)})
		seen[f.a.ImplicitID(r)] = true
	}
	if len(seen) != 200 {
		t.Errorf("%d ids of 200 tokens", len(seen))
	}
}

var _ store.Store = (*flaky)(nil)

// A token that is known as a factor already, or whose profile has none left, goes
// on with the session of its key all the same, and no factor is there twice.
func TestNewerTokenThatIsAFactorAlready(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.keyed("x", "sid-1"))
	f.clock.Advance(time.Minute)
	if _, err := f.a.Attach(ctx, s.ID, f.proof("github", "y")); err != nil {
		t.Fatal(err)
	}
	if s = f.implicit(f.a, f.keyed("y", "sid-1")); len(s.Factors) != 2 {
		t.Errorf("factors are %+v", s.Factors)
	}
	if _, err := f.a.Change(ctx, s.ID, func(s *session.Session) error { s.Factors = nil; return nil }); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	if s = f.implicit(f.a, f.keyed("z", "sid-1")); len(s.Factors) != 1 || s.Factors[0].TokenID != "z" {
		t.Errorf("factors are %+v", s.Factors)
	}
}

// What a session of a key says comes from the token of it that was issued last, whichever ends
// later and whichever is shown last: an older one must not bring back what it said.
func TestImplicitSessionSaysWhatTheTokenIssuedLastSays(t *testing.T) {
	for name, test := range map[string]struct {
		life time.Duration // of the newer token; the older one lives an hour
		ends time.Duration // of the session, after both were shown
	}{
		"newer ends first":      {life: 10 * time.Minute, ends: time.Hour},
		"newer ends last":       {life: 2 * time.Hour, ends: time.Minute + 2*time.Hour},
		"both end together":     {life: 59 * time.Minute, ends: time.Hour},
		"newer ends soon after": {life: time.Hour, ends: time.Minute + time.Hour},
	} {
		for _, newerFirst := range []bool{false, true} {
			f := newFleet(t)
			m, begun := f.node(session.Config{}), f.clock.Now()
			older := f.keyed("older", "key")
			f.clock.Advance(time.Minute)
			newer := f.keyed("newer", "key")
			newer.Until, newer.Factor.Email = f.clock.In(test.life), "new@example.com"
			shown := []session.Implicit{older, newer, older}
			if newerFirst {
				shown = shown[1:]
			}
			var s session.Session
			for _, r := range shown {
				s = f.implicit(m, r)
			}
			if len(s.Factors) != 1 || s.Factors[0].Email != "new@example.com" || s.Factors[0].TokenID != "newer" {
				t.Errorf("%s, newer first %v: factors %+v", name, newerFirst, s.Factors)
			}
			if got := s.ExpiresAt.Sub(begun); got != test.ends {
				t.Errorf("%s, newer first %v: ends after %s, want %s", name, newerFirst, got, test.ends)
			}
		}
	}
}
