package storetest

import (
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var expiryCases = map[string]func(*subject){
	"expiry/at the end":                 expiryAtTheEnd,
	"expiry/until comes first":          expiryUntilFirst,
	"expiry/until never extends":        expiryUntilNeverExtends,
	"expiry/is told to the millisecond": expiryIsTold,
	"expiry/expired is absent":          expiryIsAbsent,
	"expiry/written dead":               expiryWrittenDead,
	"expiry/a write sets it anew":       expirySetAnew,
	"expiry/of one record alone":        expiryOfOneAlone,
	"expiry/of a blind record":          expiryOfBlind,
}

// slack is how long before its end a record is looked at: a server with a clock
// of its own does not stand still while a case runs.
const slack = 5 * time.Minute

// mortal is a record that ends d from now.
func (s *subject) mortal(key string, expect uint64, d time.Duration) store.Op {
	op := put(key, "mortal", expect)
	op.ExpiresAt = s.clock.In(d)
	return op
}

func expiryAtTheEnd(s *subject) {
	s.mustApply(s.mortal("a", 0, time.Hour))
	s.clock.Advance(time.Hour - slack)
	s.holds("a", "mortal", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

func expiryUntilFirst(s *subject) {
	op := s.mortal("a", 0, time.Hour)
	op.Until = s.clock.In(slack)
	s.mustApply(op)
	if r := s.get("a"); !r.ExpiresAt.Equal(op.ExpiresAt) {
		s.Errorf("ExpiresAt %v, want %v", r.ExpiresAt, op.ExpiresAt)
	}
	s.clock.Advance(slack)
	s.absent("a")
}

func expiryUntilNeverExtends(s *subject) {
	op := s.mortal("a", 0, slack)
	op.Until = s.clock.In(time.Hour)
	s.mustApply(op)
	s.clock.Advance(slack)
	s.absent("a")
}

func expiryIsTold(s *subject) {
	op := put("a", "x", 0)
	op.ExpiresAt = s.clock.In(time.Hour + 1700*time.Microsecond)
	s.mustApply(op)
	if want, r := s.clock.In(time.Hour+time.Millisecond), s.get("a"); !r.ExpiresAt.Equal(want) {
		s.Errorf("ExpiresAt %v, want %v", r.ExpiresAt, want)
	}
	s.mustApply(put("b", "x", 0))
	if r := s.get("b"); !r.ExpiresAt.IsZero() {
		s.Errorf("ExpiresAt %v of a record without end", r.ExpiresAt)
	}
}

func expiryIsAbsent(s *subject) {
	s.mustApply(s.mortal("a", 0, time.Hour))
	s.mustApply(s.mortal("a", 1, time.Hour))
	s.clock.Advance(time.Hour)
	s.refused(store.ErrConflict, put("a", "x", 2))
	s.mustApply(put("a", "new", 0))
	s.holds("a", "new", 1)
}

func expiryWrittenDead(s *subject) {
	s.mustApply(put("a", "1", 0))
	s.mustApply(s.mortal("a", 1, -time.Second))
	s.absent("a")
	s.mustApply(s.mortal("b", 0, 0))
	s.absent("b")
}

func expirySetAnew(s *subject) {
	op := s.mortal("a", 0, time.Hour)
	op.Until = s.clock.In(slack)
	s.mustApply(op)
	s.mustApply(s.mortal("a", 1, 3*time.Hour))
	s.clock.Advance(2 * time.Hour)
	s.holds("a", "mortal", 2)
	s.mustApply(put("a", "immortal", 2))
	s.clock.Advance(1000 * time.Hour)
	s.holds("a", "immortal", 3)
}

func expiryOfOneAlone(s *subject) {
	s.mustApply(s.mortal("a", 0, slack), s.mortal("b", 0, time.Hour))
	s.clock.Advance(slack)
	s.absent("a")
	s.holds("b", "mortal", 1)
}

func expiryOfBlind(s *subject) {
	op := s.mortal("access", 0, slack)
	op.Blind = true
	s.mustApply(op)
	s.holds("access", "mortal", 0)
	s.clock.Advance(slack)
	s.absent("access")
}
