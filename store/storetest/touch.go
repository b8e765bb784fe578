package storetest

import (
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var touchCases = map[string]func(*subject){
	"touch/later":                  touchLater,
	"touch/sooner":                 touchSooner,
	"touch/never past the end":     touchNeverPast,
	"touch/zero is the end":        touchZero,
	"touch/of what has no end":     touchEndless,
	"touch/of nothing":             touchNothing,
	"touch/never revives":          touchNeverRevives,
	"touch/into the past":          touchIntoThePast,
	"touch/changes nothing else":   touchChangesNothing,
	"touch/of a blind record":      touchBlind,
	"touch/keeps the record named": touchKeepsNamed,
}

func (s *subject) touch(key string, until time.Time) {
	s.Helper()
	if err := s.Touch(s.Context(), partition, key, until); err != nil {
		s.Fatalf("Touch: %v", err)
	}
}

// idle is a record of sixty hours whose time-to-live is one.
func (s *subject) idle(key string) store.Op {
	op := s.mortal(key, 0, 60*time.Hour)
	op.Until = s.clock.In(time.Hour)
	return op
}

func touchLater(s *subject) {
	s.mustApply(s.idle("a"))
	s.clock.Advance(50 * time.Minute)
	s.touch("a", s.clock.In(time.Hour))
	s.clock.Advance(time.Hour - slack)
	s.holds("a", "mortal", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

func touchSooner(s *subject) {
	s.mustApply(s.idle("a"))
	s.touch("a", s.clock.In(10*time.Minute))
	s.clock.Advance(10 * time.Minute)
	s.absent("a")
}

func touchNeverPast(s *subject) {
	s.mustApply(s.idle("a"))
	s.touch("a", s.clock.In(1000*time.Hour))
	s.clock.Advance(60*time.Hour - slack)
	s.holds("a", "mortal", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

func touchZero(s *subject) {
	s.mustApply(s.idle("a"))
	s.touch("a", time.Time{})
	s.clock.Advance(60*time.Hour - slack)
	s.holds("a", "mortal", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

func touchEndless(s *subject) {
	s.mustApply(put("a", "x", 0), put("b", "x", 0))
	s.touch("a", s.clock.In(time.Hour))
	s.touch("b", s.clock.In(time.Hour))
	s.touch("b", time.Time{})
	s.clock.Advance(time.Hour)
	s.absent("a")
	s.holds("b", "x", 1)
}

func touchNothing(s *subject) {
	s.touch("a", s.clock.In(time.Minute))
	s.absent("a")
	s.mustApply(put("a", "x", 0))
	s.clock.Advance(time.Hour)
	s.holds("a", "x", 1)
}

func touchNeverRevives(s *subject) {
	s.mustApply(s.idle("a"))
	s.clock.Advance(time.Hour)
	s.touch("a", s.clock.In(time.Hour))
	s.absent("a")
	s.mustApply(put("a", "new", 0))
	s.holds("a", "new", 1)
}

func touchIntoThePast(s *subject) {
	s.mustApply(s.idle("a"))
	s.touch("a", s.clock.In(-time.Second))
	s.absent("a")
	s.mustApply(put("a", "new", 0))
}

func touchChangesNothing(s *subject) {
	op := s.idle("a")
	s.mustApply(op)
	s.touch("a", s.clock.In(30*time.Minute))
	r := s.get("a")
	if string(r.Value) != "mortal" || r.Version != 1 || !r.ExpiresAt.Equal(op.ExpiresAt) {
		s.Errorf("after Touch: %q version %d until %v", r.Value, r.Version, r.ExpiresAt)
	}
	s.mustApply(put("a", "changed", 1))
}

func touchBlind(s *subject) {
	op := s.idle("access")
	op.Blind = true
	s.mustApply(op)
	s.touch("access", s.clock.In(10*time.Hour))
	s.clock.Advance(9 * time.Hour)
	s.holds("access", "mortal", 0)
	s.clock.Advance(time.Hour)
	s.absent("access")
}

func touchKeepsNamed(s *subject) {
	op := s.idle("a")
	op.Tags = []string{"m:one"}
	s.mustApply(op)
	s.touch("a", s.clock.In(50*time.Hour))
	s.clock.Advance(40 * time.Hour)
	s.names("m:one", store.Ref{Partition: partition, Key: "a"})
}
