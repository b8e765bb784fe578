package session_test

import (
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// writes counts the writes that fn causes.
func (f *fleet) writes(fn func()) int64 {
	before := f.store.writes.Load()
	fn()
	return f.store.writes.Load() - before
}

func (f *fleet) accessed(m *session.Manager, s session.Session) {
	f.t.Helper()
	if err := m.Accessed(ctx, s); err != nil {
		f.t.Fatal(err)
	}
}

func TestAccessedWritesBehind(t *testing.T) {
	for name, row := range map[string]struct {
		idle, interval time.Duration
	}{
		"no idle":    {0, time.Minute},
		"long idle":  {time.Hour, time.Minute},
		"short idle": {5 * time.Minute, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			s := f.start(24*time.Hour, row.idle)
			f.clock.Advance(row.interval - time.Millisecond)
			if n := f.writes(func() { f.accessed(f.a, s) }); n != 0 {
				t.Errorf("%d writes before the interval", n)
			}
			f.clock.Advance(time.Millisecond)
			n := f.writes(func() {
				var all sync.WaitGroup
				for range 50 { // the same cached copy again and again
					all.Go(func() { f.accessed(f.a, s) })
				}
				all.Wait()
			})
			if n != 1 {
				t.Errorf("%d writes at the interval", n)
			}
			found, err := f.b.ByID(ctx, s.ID)
			if err != nil || !found.LastAccessedAt.Equal(f.clock.Now()) {
				t.Errorf("last accessed at %s, %v", found.LastAccessedAt, err)
			}
			if found.Version != s.Version {
				t.Error("the version changed")
			}
			f.clock.Advance(row.interval)
			if n := f.writes(func() { f.accessed(f.a, s) }); n != 1 {
				t.Errorf("%d writes an interval later", n)
			}
		})
	}
}

// S-06: inactivity ends the session, activity resets that and nothing else.
func TestIdle(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	token := f.token(s)
	for f.clock.Now().Before(s.ExpiresAt.Add(-5 * time.Minute)) {
		f.clock.Advance(5 * time.Minute)
		found, err := f.b.ByToken(ctx, token)
		if err != nil {
			t.Fatal(err)
		}
		if !found.ExpiresAt.Equal(s.ExpiresAt) || found.EndsAt().After(s.ExpiresAt) {
			t.Fatal("use moved the end")
		}
		f.accessed(f.b, found)
	}
	f.clock.Advance(5 * time.Minute)
	_, err := f.a.ByToken(ctx, token)
	wantErr(t, err, session.ErrNotFound)
}

func TestIdleEnds(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	if got := s.EndsAt().Sub(s.StartedAt); got != 10*time.Minute {
		t.Errorf("ends after %s if not used", got)
	}
	f.clock.Advance(10*time.Minute - time.Millisecond)
	if _, err := f.a.ByID(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Millisecond)
	_, err := f.a.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrIdle)
	wantErr(t, f.a.Accessed(ctx, s), session.ErrIdle) // and a cached copy revives nothing
	_, err = f.a.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrIdle)
}

// The store drops an idle session by itself, some time after it is idle, and
// never one in use.
func TestStoreDropsAnIdleSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(24*time.Hour, 10*time.Minute)
	for range 30 {
		f.clock.Advance(5 * time.Minute)
		found, err := f.b.ByID(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		f.accessed(f.b, found)
	}
	f.clock.Advance(10 * time.Minute)
	if !f.records(s.ID)[0].Exists() {
		t.Error("dropped at the moment it is idle, by the store's clock")
	}
	f.clock.Advance(2 * time.Minute)
	if f.records(s.ID)[0].Exists() || f.records(s.ID)[1].Exists() {
		t.Error("still there")
	}
}

// A change is a use, and moves the end of an idle session: also when the side
// record, which is written without a version, is lost.
func TestChangeIsAUse(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	f.clock.Advance(9 * time.Minute)
	f.accessed(f.a, s)
	f.clock.Advance(5 * time.Minute)
	s, err := f.b.Change(ctx, s.ID, func(s *session.Session) error { return s.Extend(f.clock.Now(), 3*time.Hour, f.b.MaxDuration()) })
	if err != nil || !s.LastAccessedAt.Equal(f.clock.Now()) {
		t.Fatalf("last accessed at %s, %v", s.LastAccessedAt, err)
	}
	f.apply(s.ID, store.Op{Key: "a", Blind: true})
	f.clock.Advance(10*time.Minute - time.Millisecond)
	if _, err := f.a.ByID(ctx, s.ID); err != nil {
		t.Error(err)
	}
	f.clock.Advance(time.Millisecond)
	_, err = f.a.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrIdle)
}

// A change that changes nothing is no write, whatever it says of the last use.
func TestChangeOfTheLastAccessAloneWritesNothing(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	f.clock.Advance(time.Second)
	n := f.writes(func() {
		if _, err := f.a.Change(ctx, s.ID, func(s *session.Session) error {
			s.LastAccessedAt = f.clock.Now()
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%d writes", n)
	}
}

func TestAccessedOfARevokedSession(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	if _, err := f.a.Revoke(ctx, s.ID); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	if n := f.writes(func() { wantErr(t, f.a.Accessed(ctx, s), session.ErrRevoked) }); n != 0 {
		t.Errorf("%d writes", n)
	}
	f.accessed(f.b, s) // which cannot know, and does no harm
	_, err := f.b.ByID(ctx, s.ID)
	wantErr(t, err, session.ErrRevoked)
}

// A store in trouble is tried again, but not by every request.
func TestAccessedWhileTheStoreIsDown(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.clock.Advance(time.Minute)
	f.store.down(true)
	wantFault(t, f.a.Accessed(ctx, s))
	for range 10 {
		f.accessed(f.a, s)
	}
	f.store.down(false)
	f.clock.Advance(time.Second)
	if n := f.writes(func() { f.accessed(f.a, s) }); n != 1 {
		t.Errorf("%d writes", n)
	}
}

func TestAccessedWhereTheTouchFails(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 10*time.Minute)
	f.clock.Advance(time.Minute)
	f.store.failTouch.Store(true)
	wantFault(t, f.a.Accessed(ctx, s))
	f.store.failTouch.Store(false)
	f.clock.Advance(time.Second)
	f.accessed(f.a, s)
	f.clock.Advance(9 * time.Minute)
	if _, err := f.a.ByID(ctx, s.ID); err != nil {
		t.Error(err)
	}
}

// F19: a write noted by a clock that then jumps back is due again soon.
func TestAccessedAfterTheClockJumpsBack(t *testing.T) {
	f := newFleet(t)
	s := f.start(10*time.Hour, 0)
	f.clock.Advance(2 * time.Hour)
	f.accessed(f.a, s)
	f.clock.Advance(-time.Hour)
	if n := f.writes(func() { f.accessed(f.a, s) }); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// What a node remembers of its own writes is bounded.
func TestAccessedOfManySessions(t *testing.T) {
	f := newFleet(t)
	s := f.start(time.Hour, 0)
	f.clock.Advance(time.Minute)
	for i := range 20_000 {
		s.ID = sessionID(i)
		f.accessed(f.a, s)
	}
	if n := session.Accesses(f.a); n > 1<<14 {
		t.Errorf("%d remembered", n)
	}
}
