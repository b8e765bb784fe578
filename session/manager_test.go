package session_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

func TestNewManagerRefuses(t *testing.T) {
	s := memory.New(nil)
	for want, c := range map[string]session.Config{
		"no store":                            {IDKey: idKey()},
		"id key of 31 bytes":                  {Store: s, IDKey: idKey()[:31]},
		"max_duration: is negative":           {Store: s, IDKey: idKey(), MaxDuration: -time.Second},
		"id key of 0 bytes, want at least 32": {Store: s},
	} {
		if _, err := session.NewManager(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
}

func TestStartIsReadBackEverywhere(t *testing.T) {
	f := newFleet(t)
	overlay, err := claims.Policy{}.Patch(claims.Object{"plan": "pro"})
	if err != nil {
		t.Fatal(err)
	}
	copied := f.proof("okta", "t0")
	copied.ProvedAt = f.clock.In(-time.Hour)
	copied.CreatedAt, copied.UpdatedAt = f.clock.In(-time.Hour), f.clock.In(-time.Minute)
	s, err := f.a.Start(ctx, session.Start{
		OrganizationID: org, MemberID: member, Duration: time.Hour, Idle: 10 * time.Minute,
		Factor: f.proof("github", "t1"), Copied: []session.Factor{copied}, Overlay: overlay,
	})
	if err != nil {
		t.Fatal(err)
	}
	now := f.clock.Now()
	if !s.StartedAt.Equal(now) || !s.LastAccessedAt.Equal(now) || !s.ExpiresAt.Equal(now.Add(time.Hour)) || s.Version != 1 {
		t.Errorf("started as %+v", s)
	}
	if s.Implicit || s.OrganizationID != org || s.MemberID != member || s.Idle != 10*time.Minute {
		t.Errorf("started as %+v", s)
	}
	if len(s.Factors) != 2 || !s.Factors[0].CreatedAt.Equal(now) || !s.Factors[1].CreatedAt.Equal(copied.CreatedAt) {
		t.Errorf("factors are %+v", s.Factors)
	}
	for _, m := range []*session.Manager{f.a, f.b} {
		found, err := m.ByID(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(found, s) {
			t.Errorf("read back as %+v, want %+v", found, s)
		}
		if got := found.Overlay.Apply(claims.Object{"plan": "free"}); !reflect.DeepEqual(got, claims.Object{"plan": "pro"}) {
			t.Errorf("overlay gives %v", got)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	f := newFleet(t)
	good := session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour, Factor: f.proof("p", "t")}
	for name, row := range map[string]struct {
		change func(*session.Start)
		want   error
	}{
		"no duration":            {func(s *session.Start) { s.Duration = 0 }, session.ErrDuration},
		"negative duration":      {func(s *session.Start) { s.Duration = -1 }, session.ErrDuration},
		"duration above maximum": {func(s *session.Start) { s.Duration = 30*24*time.Hour + 1 }, session.ErrDuration},
		"negative idle":          {func(s *session.Start) { s.Idle = -1 }, session.ErrDuration},
		"too many factors": {func(s *session.Start) {
			s.Copied = make([]session.Factor, session.MaxFactors)
		}, session.ErrFactors},
		"no member":       {func(s *session.Start) { s.MemberID = "" }, nil},
		"no organization": {func(s *session.Start) { s.OrganizationID = "" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			start := good
			row.change(&start)
			_, err := f.a.Start(ctx, start)
			if err == nil || row.want != nil && !errors.Is(err, row.want) {
				t.Errorf("error is %v, want %v", err, row.want)
			}
		})
	}
	if n := f.store.writes.Load(); n != 0 {
		t.Errorf("%d writes", n)
	}
	good.Duration = 30 * 24 * time.Hour
	if _, err := f.a.Start(ctx, good); err != nil {
		t.Errorf("the maximum itself: %v", err)
	}
}

func TestStartWithoutRandomness(t *testing.T) {
	f := newFleet(t)
	for name, n := range map[string]int{"none": 0, "for the id only": 16, "for half a secret": 32} {
		t.Run(name, func(t *testing.T) {
			few := bytes.NewReader(make([]byte, n))
			m := f.node(session.Config{Rand: iotest.DataErrReader(few)})
			_, err := m.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour})
			wantFault(t, err)
		})
	}
	if n := f.store.writes.Load(); n != 0 {
		t.Errorf("%d sessions without a secret", n)
	}
}

func TestSessionEndsAtItsExpiry(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	token := f.token(s)
	f.clock.Advance(time.Hour - time.Millisecond)
	if _, err := f.b.ByToken(ctx, token); err != nil {
		t.Fatal(err)
	}
	if err := f.b.Check(s); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Millisecond)
	_, err := f.b.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
	wantErr(t, f.b.Check(s), session.ErrExpired) // a cached copy
}

func TestUnknownSession(t *testing.T) {
	f := newFleet(t)
	for _, id := range []string{
		"session-00000000-0000-0000-0000-000000000000", "", "session-", "s", "../ring", "session-*", "x:y z\x00",
		strings.Repeat("a", 1000),
	} {
		_, err := f.a.ByID(ctx, id)
		wantErr(t, err, session.ErrNotFound)
		_, err = f.a.Change(ctx, id, func(*session.Session) error { t.Error("changed"); return nil })
		wantErr(t, err, session.ErrNotFound)
		_, err = f.a.Revoke(ctx, id)
		wantErr(t, err, session.ErrNotFound)
	}
}

// A store that fails is never an answer about the session.
func TestStoreDownIsAFault(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, time.Minute)
	token := f.token(s)
	f.clock.Advance(30 * time.Second)
	f.store.down(true)
	for name, call := range map[string]func() error{
		"ByID":    func() error { _, err := f.a.ByID(ctx, s.ID); return err },
		"ByToken": func() error { _, err := f.a.ByToken(ctx, token); return err },
		"Start": func() error {
			_, err := f.a.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: time.Hour})
			return err
		},
		"Implicit": func() error { _, err := f.a.Implicit(ctx, f.trusted("x")); return err },
		"Change":   func() error { _, err := f.a.Change(ctx, s.ID, func(*session.Session) error { return nil }); return err },
		"Attach":   func() error { _, err := f.a.Attach(ctx, s.ID, f.proof("p", "t")); return err },
		"Accessed": func() error { return f.a.Accessed(ctx, s) },
		"Revoke":   func() error { _, err := f.b.Revoke(ctx, s.ID); return err },
	} {
		err := call()
		wantFault(t, err)
		if !errors.Is(err, errDown) {
			t.Errorf("%s: the cause is lost: %v", name, err)
		}
	}
}

// The operation that never ends well with two writers: both changes are there.
func TestChangeMeetsAnother(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.store.once(func() {
		if _, err := f.b.Attach(ctx, s.ID, f.proof("okta", "t2")); err != nil {
			t.Error(err)
		}
	})
	calls := 0
	s, err := f.a.Change(ctx, s.ID, func(s *session.Session) error {
		calls++
		return s.Extend(f.clock.Now(), 2*time.Hour, f.a.MaxDuration())
	})
	if err != nil || calls != 2 || s.Version != 3 {
		t.Fatalf("%d calls, version %d, %v", calls, s.Version, err)
	}
	if _, ok := s.Factor("okta", "t2"); !ok || !s.ExpiresAt.Equal(f.clock.In(2*time.Hour)) {
		t.Errorf("a change is lost: %+v", s)
	}
}

func TestChangeGivesUp(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	calls := 0
	_, err := f.a.Change(ctx, s.ID, func(mine *session.Session) error {
		calls++
		if calls > 1000 {
			t.Fatal("it never gives up")
		}
		_, err := f.b.Change(ctx, s.ID, func(s *session.Session) error {
			return s.Extend(f.clock.Now(), time.Hour+time.Duration(calls)*time.Second, f.b.MaxDuration())
		})
		mine.Idle = time.Minute
		return err
	})
	wantErr(t, err, store.ErrBusy)
	wantFault(t, err)
}

// Order of the API: a failed check or patch changes nothing.
func TestChangeThatFailsWritesNothing(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	refused := errors.New("policy says no")
	_, err := f.a.Change(ctx, s.ID, func(s *session.Session) error {
		s.ExpiresAt = f.clock.In(2 * time.Hour)
		s.Factors[0].Profile = "other"
		return refused
	})
	wantErr(t, err, refused)
	if after, err := f.b.ByID(ctx, s.ID); err != nil || !reflect.DeepEqual(after, s) {
		t.Errorf("session is %+v, %v", after, err)
	}
}

func TestChangeOfNothingWritesNothing(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	before := f.store.writes.Load()
	after, err := f.a.Change(ctx, s.ID, func(*session.Session) error { return nil })
	if err != nil || after.Version != s.Version || f.store.writes.Load() != before {
		t.Errorf("version %d, %d writes, %v", after.Version, f.store.writes.Load()-before, err)
	}
}

func TestChangeMayNot(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	for name, change := range map[string]func(*session.Session){
		"move it to another member":       func(s *session.Session) { s.MemberID = "member-2" },
		"move it to another organization": func(s *session.Session) { s.OrganizationID = "organization-2" },
		"rename it":                       func(s *session.Session) { s.ID = "session-00000000-0000-0000-0000-000000000000" },
		"make it implicit":                func(s *session.Session) { s.Implicit = true },
		"begin it later":                  func(s *session.Session) { s.StartedAt = s.StartedAt.Add(time.Hour) },
		"revoke it":                       func(s *session.Session) { s.RevokedAt = f.clock.Now() },
		"give it a token's end":           func(s *session.Session) { s.TokenUntil = f.clock.In(time.Hour) },
		"jump versions":                   func(s *session.Session) { s.Version += 5 },
		"pass the absolute end":           func(s *session.Session) { s.ExpiresAt = s.StartedAt.Add(f.a.MaxDuration() + time.Second) },
		"take a negative idle":            func(s *session.Session) { s.Idle = -1 },
		"hold too many factors":           func(s *session.Session) { s.Factors = make([]session.Factor, session.MaxFactors+1) },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := f.a.Change(ctx, s.ID, func(s *session.Session) error { change(s); return nil })
			wantFault(t, err)
			if after, err := f.a.ByID(ctx, s.ID); err != nil || !reflect.DeepEqual(after, s) {
				t.Errorf("session is %+v, %v", after, err)
			}
		})
	}
}

// S-03: a dead session is never revived.
func TestChangeOfADeadSession(t *testing.T) {
	f := newFleet(t)
	kill := map[string]func(session.Session){
		"revoked": func(s session.Session) {
			if _, err := f.b.Revoke(ctx, s.ID); err != nil {
				t.Fatal(err)
			}
		},
		"expired": func(session.Session) { f.clock.Advance(time.Hour) },
		"idle":    func(session.Session) { f.clock.Advance(10 * time.Minute) },
	}
	want := map[string]error{"revoked": session.ErrRevoked, "expired": session.ErrNotFound, "idle": session.ErrIdle}
	for name := range kill {
		t.Run(name, func(t *testing.T) {
			s := f.start(time.Hour, 10*time.Minute)
			kill[name](s)
			for call, err := range map[string]error{
				"Change": second(f.a.Change(ctx, s.ID, func(s *session.Session) error { return s.Extend(f.clock.Now(), time.Hour, time.Hour) })),
				"Attach": second(f.a.Attach(ctx, s.ID, f.proof("p", "t"))),
				"Renew":  second(f.a.Renew(ctx, s.ID)),
				"ByID":   second(f.a.ByID(ctx, s.ID)),
			} {
				if !errors.Is(err, want[name]) {
					t.Errorf("%s: %v, want %v", call, err, want[name])
				}
			}
		})
	}
}

func second[A, B any](_ A, b B) B { return b }

func TestExtend(t *testing.T) {
	f := newFleet(t)
	started := f.clock.Now()
	s := session.Session{SignedInAt: started, StartedAt: started, ExpiresAt: started.Add(time.Hour)}
	const most = 10 * time.Hour
	for _, row := range []struct {
		name    string
		at, d   time.Duration // since the start
		ends    time.Duration
		refused error
	}{
		{name: "longer", at: 30 * time.Minute, d: 2 * time.Hour, ends: 150 * time.Minute},
		{name: "shorter", at: 30 * time.Minute, d: 5 * time.Minute, ends: 35 * time.Minute},
		{name: "the maximum at the start", at: 0, d: most, ends: most},
		{name: "cut to the absolute end", at: 9 * time.Hour, d: 2 * time.Hour, ends: most},
		{name: "above the maximum", at: 0, d: most + 1, refused: session.ErrDuration},
		{name: "nothing", at: 0, d: 0, refused: session.ErrDuration},
		{name: "negative", at: 0, d: -time.Minute, refused: session.ErrDuration},
		{name: "overflowing", at: 0, d: 1<<63 - 1, refused: session.ErrDuration},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := s
			err := s.Extend(started.Add(row.at), row.d, most)
			if row.refused != nil {
				wantErr(t, err, row.refused)
				row.ends = time.Hour
			} else if err != nil {
				t.Fatal(err)
			}
			if got := s.ExpiresAt.Sub(started); got != row.ends {
				t.Errorf("ends after %s, want %s", got, row.ends)
			}
		})
	}
}

func TestExtendOfAnImplicitSession(t *testing.T) {
	f := newFleet(t)
	s := f.implicit(f.a, f.trusted("x"))
	wantErr(t, s.Extend(f.clock.Now(), time.Minute, time.Hour), session.ErrImplicit)
	_, err := f.a.Change(ctx, s.ID, func(s *session.Session) error { s.ExpiresAt = s.ExpiresAt.Add(time.Second); return nil })
	wantErr(t, err, session.ErrDuration)
}

// A lowered maximum ends nobody's session, and lets none grow.
func TestMaximumIsLowered(t *testing.T) {
	f := newFleet(t)
	s := f.start(10*time.Hour, 0)
	strict := f.node(session.Config{MaxDuration: time.Hour})
	if _, err := strict.Attach(ctx, s.ID, f.proof("p", "t")); err != nil {
		t.Fatal(err)
	}
	_, err := strict.Change(ctx, s.ID, func(s *session.Session) error { s.ExpiresAt = s.ExpiresAt.Add(time.Second); return nil })
	wantErr(t, err, session.ErrDuration)
}

// The record never outlives the session in the store, nor dies before it.
func TestStoreKeepsARecordAsLongAsTheSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	if got := f.records(s.ID)[0].ExpiresAt; !got.Equal(s.ExpiresAt) {
		t.Errorf("record expires at %s, session at %s", got, s.ExpiresAt)
	}
	s, err := f.a.Change(ctx, s.ID, func(s *session.Session) error { return s.Extend(f.clock.Now(), 3*time.Hour, f.a.MaxDuration()) })
	if err != nil {
		t.Fatal(err)
	}
	if got := f.records(s.ID)[0].ExpiresAt; !got.Equal(s.ExpiresAt) {
		t.Errorf("record expires at %s, session at %s", got, s.ExpiresAt)
	}
}

func TestChangedNamesTheSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	for _, row := range []struct {
		event store.Event
		want  string
	}{
		{store.Event{Ref: store.Ref{Partition: "s:" + s.ID, Key: "s"}}, s.ID},
		{store.Event{Ref: store.Ref{Partition: "o:" + s.ID, Key: "s"}}, ""},
		{store.Event{Ref: store.Ref{Partition: "s:ring", Key: "s"}}, ""},
		{store.Event{Flush: true}, ""},
	} {
		if id, ok := session.Changed(row.event); id != row.want || ok != (row.want != "") {
			t.Errorf("%+v: %q, %v", row.event, id, ok)
		}
	}
}

// F19: a clock that jumps ahead and back has ended nobody's session for good.
func TestClockJumps(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 15*time.Minute)
	token := f.token(s)
	f.clock.Advance(time.Hour / 2)
	_, err := f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
	f.clock.Advance(-time.Hour / 2)
	if _, err := f.a.ByToken(ctx, token); err != nil {
		t.Errorf("after jumping back: %v", err)
	}
	// An hour back: it lives longer by this clock, and still ends.
	f.clock.Advance(-time.Hour)
	if err := f.a.Accessed(ctx, s); err != nil {
		t.Fatal(err)
	}
	if _, err := f.a.ByToken(ctx, token); err != nil {
		t.Errorf("an hour back: %v", err)
	}
	f.clock.Advance(2 * time.Hour)
	_, err = f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
}

// The operation that never ends well with many writers: a third of 32 failed.
func TestManyChangeOneSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	const callers = 64
	var all sync.WaitGroup
	for i := range callers {
		m := f.a
		if i%2 == 1 {
			m = f.b
		}
		all.Go(func() {
			if _, err := m.Change(ctx, s.ID, func(s *session.Session) error {
				s.Idle += time.Minute
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	found, err := f.a.ByID(ctx, s.ID)
	if err != nil || found.Idle != callers*time.Minute {
		t.Errorf("idle is %s after %d changes of a minute, %v", found.Idle, callers, err)
	}
	if n := f.store.conflicts.Load(); n > callers {
		t.Errorf("%d conflicts of %d changes: they do not take turns", n, callers)
	}
}

// Whoever waits for a turn leaves when its own context ends.
func TestChangeThatWaitsGivesUp(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	_, err := f.a.Change(ctx, s.ID, func(*session.Session) error {
		hurried, cancel := context.WithCancel(ctx)
		cancel()
		_, err := f.a.Renew(hurried, s.ID)
		return err
	})
	wantErr(t, err, context.Canceled)
	if _, err := f.a.Renew(ctx, s.ID); err != nil {
		t.Errorf("the turn is not given on: %v", err)
	}
}

// No chain of exchanges and extensions lasts longer than the maximum from the first
// sign-in.
func TestChainOfSessionsEndsWithTheFirst(t *testing.T) {
	f := newFleet(t)
	first := f.start(time.Hour, 0)
	next := first
	for range 40 {
		f.clock.Advance(24*time.Hour - time.Second)
		made, err := f.a.Start(ctx, session.Start{
			OrganizationID: "organization-2", MemberID: member, Duration: f.a.MaxDuration(), Factor: f.proof("github", "t1"),
			SignedInAt: next.SignedInAt,
		})
		if err != nil {
			wantErr(t, err, session.ErrDuration)
			break
		}
		next, err = f.b.Change(ctx, made.ID, func(s *session.Session) error {
			return s.Extend(f.clock.Now(), f.b.MaxDuration(), f.b.MaxDuration())
		})
		if err != nil {
			t.Fatal(err)
		}
		if last := first.StartedAt.Add(f.a.MaxDuration()); next.ExpiresAt.After(last) {
			t.Fatalf("ends at %s, after %s", next.ExpiresAt, last)
		}
	}
	if !next.SignedInAt.Equal(first.StartedAt) || f.clock.Now().Before(first.StartedAt.Add(f.a.MaxDuration())) {
		t.Errorf("the chain broke at %s", f.clock.Now())
	}
}
