package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store"
)

// TestModel runs two nodes over one store through whatever order of calls and
// checks after each that both see what a plain model says: who is live and until
// when, that no sequence lets a session outlive its absolute end, and that what
// was revoked is dead to every later call.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{fleet: newFleet(discard{}), T: t, begun: map[string]*modeled{}}
		w.a, w.b = w.node(session.Config{MaxDuration: modelMax}), w.node(session.Config{MaxDuration: modelMax})
		t.Repeat(map[string]func(*rapid.T){
			"start":   w.doStart,
			"present": w.doPresent,
			"issue":   w.doIssue,
			"access":  w.doAccess,
			"extend":  w.doExtend,
			"attach":  w.doAttach,
			"renew":   w.doRenew,
			"revoke":  w.doRevoke,
			"wait":    w.doWait,
			"fail":    w.doFailover,
			"":        w.check,
		})
	})
}

const (
	modelMax  = 3 * time.Hour
	modelLife = 2 * time.Hour // of trusted tokens
)

// discard is the testing.TB of the fleet inside the model: rapid has its own.
type discard struct{ testing.TB }

func (discard) Helper() {}

func (discard) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

type world struct {
	*fleet
	*rapid.T
	all    []*modeled
	begun  map[string]*modeled // implicit ones, by id
	tokens []session.Implicit
}

// modeled is what the model knows of one session.
type modeled struct {
	id              string
	implicit, keyed bool
	started, last   time.Time
	expires, until  time.Time
	cut, issued     time.Time // issued: the newest of its trusted tokens
	idle            time.Duration
	revoked         time.Time
	knower          *session.Manager // the node that revoked
	early           store.Record     // an earlier state of its record
	current, former session.Token
	formerUntil     time.Time
	lost            []session.Token // secrets that were renewed away
}

func (s *modeled) end() (time.Time, error) {
	if s.idle > 0 && s.last.Add(s.idle).Before(s.expires) {
		return s.last.Add(s.idle), session.ErrIdle
	}
	return s.expires, session.ErrExpired
}

// dead is the answer about the session, nil while it is live.
func (s *modeled) dead(now time.Time) error {
	if !s.revoked.IsZero() {
		return session.ErrRevoked
	}
	if end, err := s.end(); !now.Before(end) {
		return err
	}
	return nil
}

func (w *world) any(t *rapid.T) *modeled {
	if len(w.all) == 0 {
		t.Skip("no session yet")
	}
	return rapid.SampledFrom(w.all).Draw(t, "session")
}

func (w *world) manager(t *rapid.T) *session.Manager {
	if rapid.Bool().Draw(t, "on b") {
		return w.b
	}
	return w.a
}

func minutes(t *rapid.T, most int, name string) time.Duration {
	return time.Duration(rapid.IntRange(1, most).Draw(t, name)) * time.Minute
}

// expect compares an answer with the model's. Of the dead any ErrNotFound will
// do, as the store may have dropped the record already.
func (w *world) expect(t *rapid.T, what string, got, want error) {
	t.Helper()
	dead := errors.Is(want, session.ErrNotFound) || errors.Is(want, session.ErrRevoked)
	switch {
	case dead && errors.Is(got, session.ErrNotFound):
	case want == nil && got != nil, !errors.Is(got, want):
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
}

func (w *world) doStart(t *rapid.T) {
	if len(w.all) > 6 {
		t.Skip("enough")
	}
	d := minutes(t, 200, "duration")
	var idle time.Duration
	if rapid.Bool().Draw(t, "idle?") {
		idle = minutes(t, 60, "idle")
	}
	m := w.manager(t)
	s, err := m.Start(ctx, session.Start{OrganizationID: org, MemberID: member, Duration: d, Idle: idle, Factor: w.proof("p", "t")})
	if d > modelMax {
		w.expect(t, "start", err, session.ErrDuration)
		return
	}
	w.expect(t, "start", err, nil)
	for _, other := range w.all {
		if other.id == s.ID {
			t.Fatal("an id was used again")
		}
	}
	now := w.clock.Now()
	token, _ := m.Token(s)
	w.all = append(w.all, &modeled{
		id: s.ID, started: now, last: now, expires: now.Add(d), idle: idle, current: token, early: w.records(s.ID)[0],
	})
}

// doIssue makes a trusted token that may be shown from now on.
func (w *world) doIssue(t *rapid.T) {
	r := w.trusted(fmt.Sprint("token ", len(w.tokens)))
	r.Until = w.clock.In(minutes(t, int(modelLife/time.Minute), "life"))
	r.MaxLifetime = modelLife
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0: // its own session
	case 1:
		r.Key = []string{"no limit"}
	case 2:
		r.Key, r.Duration = []string{"duration"}, 45*time.Minute
	case 3:
		r.Key, r.Idle = []string{"idle"}, 20*time.Minute
	}
	w.tokens = append(w.tokens, r)
}

func (w *world) doPresent(t *rapid.T) {
	if len(w.tokens) == 0 {
		t.Skip("no token yet")
	}
	r := rapid.SampledFrom(w.tokens).Draw(t, "token")
	m := w.manager(t)
	want := w.modelImplicit(r)
	s, err := m.Implicit(ctx, r)
	w.expect(t, "implicit", err, want)
	if err == nil && s.ID != w.a.ImplicitID(r) {
		t.Fatal("another session")
	}
}

// modelImplicit is what showing a trusted token does.
func (w *world) modelImplicit(r session.Implicit) error {
	now, id := w.clock.Now(), w.a.ImplicitID(r)
	if !now.Before(r.Until) {
		return session.ErrExpired
	}
	s := w.begun[id]
	switch {
	case s == nil:
		s = &modeled{id: id, implicit: true}
		w.begun[id] = s
		w.all = append(w.all, s)
		w.beginImplicit(s, r)
		return nil
	case s.dead(now) == nil && s.keyed && !r.Factor.IssuedAt.After(s.cut):
		return session.ErrRevoked
	case s.dead(now) == nil:
		s.extendBy(r, now)
		return nil
	}
	if dead := s.dead(now); !s.keyed || !s.restarts(r, now) {
		return dead
	}
	w.beginImplicit(s, r)
	return nil
}

// extendBy: a token that ends later extends its session, one that was issued later says what
// holds in it.
func (s *modeled) extendBy(r session.Implicit, now time.Time) {
	if !s.keyed {
		return
	}
	if r.Until.After(s.until) {
		s.until, s.last = r.Until, now
		s.limit(r)
	}
	if r.Factor.IssuedAt.After(s.issued) {
		s.issued, s.last = r.Factor.IssuedAt, now
	}
}

// restarts notes when the session was ended, if by other than its tokens, and
// tells whether the token is from after that.
func (s *modeled) restarts(r session.Implicit, now time.Time) bool {
	end := s.revoked
	if end.IsZero() {
		end, _ = s.end()
	}
	if !s.revoked.IsZero() || !end.Equal(s.until) {
		s.cut = later(s.cut, end)
	}
	return r.Factor.IssuedAt.After(s.cut) && now.After(s.cut)
}

func (w *world) beginImplicit(s *modeled, r session.Implicit) {
	now := w.clock.Now()
	s.keyed, s.started, s.last, s.until, s.idle = len(r.Key) > 0, now, now, r.Until, r.Idle
	s.issued = r.Factor.IssuedAt
	s.revoked, s.knower, s.early = time.Time{}, nil, store.Record{}
	s.limit(r)
}

func (s *modeled) limit(r session.Implicit) {
	s.expires = s.until
	if r.Duration > 0 && s.started.Add(r.Duration).Before(s.expires) {
		s.expires = s.started.Add(r.Duration)
	}
}

func (w *world) doAccess(t *rapid.T) {
	s, m := w.any(t), w.manager(t)
	found, err := m.ByID(ctx, s.id)
	w.expect(t, "by id", err, s.dead(w.clock.Now()))
	if err != nil {
		return
	}
	w.expect(t, "accessed", m.Accessed(ctx, found), nil)
	interval := time.Minute
	if s.idle > 0 {
		interval = min(interval, s.idle/10)
	}
	if now := w.clock.Now(); now.Sub(s.last) >= interval {
		s.last = now
	}
}

func (w *world) doExtend(t *rapid.T) {
	s, m := w.any(t), w.manager(t)
	d := minutes(t, 200, "duration")
	_, err := m.Change(ctx, s.id, func(s *session.Session) error { return s.Extend(w.clock.Now(), d, modelMax) })
	switch dead := s.dead(w.clock.Now()); {
	case dead != nil:
		w.expect(t, "extend", err, dead)
	case s.implicit:
		w.expect(t, "extend", err, session.ErrImplicit)
	case d > modelMax:
		w.expect(t, "extend", err, session.ErrDuration)
	default:
		w.expect(t, "extend", err, nil)
		expires := w.clock.In(d)
		if most := s.started.Add(modelMax); expires.After(most) {
			expires = most
		}
		if !expires.Equal(s.expires) {
			s.expires, s.last = expires, w.clock.Now()
		}
	}
}

func (w *world) doAttach(t *rapid.T) {
	s, m := w.any(t), w.manager(t)
	_, err := m.Attach(ctx, s.id, w.proof("p", rapid.StringMatching("[a-d]").Draw(t, "token id")))
	w.expect(t, "attach", err, s.dead(w.clock.Now()))
	if err == nil {
		s.last = w.clock.Now()
	}
}

func (w *world) doRenew(t *rapid.T) {
	s, m := w.any(t), w.manager(t)
	renewed, err := m.Renew(ctx, s.id)
	switch dead := s.dead(w.clock.Now()); {
	case dead != nil:
		w.expect(t, "renew", err, dead)
	case s.implicit:
		w.expect(t, "renew", err, session.ErrImplicit)
	default:
		w.expect(t, "renew", err, nil)
		s.lost = append(s.lost, s.former)
		s.former, s.formerUntil = s.current, w.clock.In(session.GracePeriod)
		s.current, _ = m.Token(renewed)
		s.last = w.clock.Now()
	}
}

func (w *world) doRevoke(t *rapid.T) {
	s, m := w.any(t), w.manager(t)
	_, err := m.Revoke(ctx, s.id)
	now := w.clock.Now()
	if s.dead(now) != nil {
		w.expect(t, "revoke", err, session.ErrNotFound)
		if s.revoked.IsZero() && w.records(s.id)[0].Exists() {
			s.revoked, s.knower = now, m // ended by itself, and now for good
		}
		return
	}
	w.expect(t, "revoke", err, nil)
	s.revoked, s.knower = now, m
}

func (w *world) doWait(t *rapid.T) {
	w.clock.Advance(time.Duration(rapid.IntRange(1, 1200).Draw(t, "seconds")) * time.Second)
}

// doFailover lets the store fall back to an earlier state of a revoked session.
// The node that revoked it meets it first.
func (w *world) doFailover(t *rapid.T) {
	s := w.any(t)
	if s.revoked.IsZero() || !s.early.Exists() || !w.clock.Now().Before(s.expires) {
		t.Skip("nothing to fall back to")
	}
	w.fallBack(s.id, s.early)
	_, err := s.knower.ByID(ctx, s.id)
	w.expect(t, "after a failover", err, session.ErrRevoked)
}

// check is what holds after every step.
func (w *world) check(t *rapid.T) {
	now := w.clock.Now()
	for _, s := range w.all {
		for name, m := range map[string]*session.Manager{"a": w.a, "b": w.b} {
			found, err := m.ByID(ctx, s.id)
			w.expect(t, "node "+name, err, s.dead(now))
			if !s.revoked.IsZero() && w.records(s.id)[0].Exists() && !errors.Is(err, session.ErrRevoked) {
				t.Fatalf("node %s: %v of a session whose tombstone stands", name, err)
			}
			if err == nil {
				w.checkLive(t, s, m, found)
			}
		}
		w.checkRecord(t, s)
	}
}

func (w *world) checkLive(t *rapid.T, s *modeled, m *session.Manager, found session.Session) {
	if !found.ExpiresAt.Equal(s.expires) || !found.LastAccessedAt.Equal(s.last) || !found.StartedAt.Equal(s.started) {
		t.Fatalf("session is %+v, want %+v", found, s)
	}
	if s.implicit {
		return
	}
	if found.ExpiresAt.After(found.StartedAt.Add(modelMax)) {
		t.Fatal("beyond the absolute end")
	}
	now := w.clock.Now()
	if !found.Holds(s.current, now) {
		t.Fatal("the current token is not good")
	}
	if got, want := found.Holds(s.former, now), now.Before(s.formerUntil); got != want {
		t.Fatalf("the former token is good: %v, want %v", got, want)
	}
	for _, token := range s.lost {
		if found.Holds(token, now) {
			t.Fatal("a token of long ago is good")
		}
	}
}

// checkRecord: the store's time-to-live never passes the absolute end.
func (w *world) checkRecord(t *rapid.T, s *modeled) {
	most := s.started.Add(modelMax)
	if s.implicit {
		most = later(s.until, later(later(s.expires, s.revoked), s.cut).Add(modelLife))
	}
	for _, r := range w.records(s.id) {
		if r.Exists() && (r.ExpiresAt.IsZero() || r.ExpiresAt.After(most)) {
			t.Fatalf("record %s lives until %s, absolute end is %s", r.Key, r.ExpiresAt, most)
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
