package session

import (
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

// Session is one sign-in as it was read. It is a value: change it only inside
// [Manager.Change], and do not write to its slices anywhere else, since copies
// share them. It can be printed; the secret of its token is not shown.
type Session struct {
	// ID is unique for ever, `session-` and 128 bits.
	ID string
	// OrganizationID and MemberID say whose session it is. They never change.
	OrganizationID, MemberID string
	// Implicit tells that the session stands for a trusted token and has none of
	// its own.
	Implicit bool
	// SignedInAt is when the member signed in: when the session began, or the one that
	// it was exchanged for, or that one's predecessor. No chain of exchanges and
	// extensions lasts longer than the maximum from here.
	SignedInAt time.Time
	// StartedAt is when the session began, to the millisecond like all times here.
	StartedAt time.Time
	// LastAccessedAt is when it was last used, as far as that has been written; see
	// Manager.Accessed.
	LastAccessedAt time.Time
	// ExpiresAt is when it ends, used or not.
	ExpiresAt time.Time
	// Idle is how long it may go unused. Zero: as long as it lasts.
	Idle time.Duration
	// Factors are the proofs it rests on, in the order in which they came. Which of
	// them count at a given moment and place is for the caller to say.
	Factors []Factor
	// Overlay is what callers changed about its claims.
	Overlay claims.Overlay
	// RevokedAt is when it was ended on purpose; zero while it was not.
	RevokedAt time.Time
	// TokenUntil is, for an implicit session, when the newest trusted token it
	// stands for ceases to be a credential.
	TokenUntil time.Time
	// Version counts the changes from 1. LastAccessedAt is outside of it.
	Version uint64

	secrets   *secrets      // nil for an implicit session
	keyed     bool          // an implicit session that newer tokens go on with
	life      time.Duration // of such a session: the longest life its tokens may have
	tokenEnd  time.Time     // of an implicit session: when no configuration takes its tokens any more
	notBefore time.Time     // of a keyed one: tokens issued until then belong to a session that was ended
	unknown   map[string]any
}

// Live tells whether the session may be used at the given moment: nil,
// ErrRevoked, ErrExpired or ErrIdle. A copy that is not fresh may be idle only
// because later uses were not written into it: read the session again before
// relying on an ErrIdle.
func (s Session) Live(now time.Time) error {
	switch {
	case !s.RevokedAt.IsZero():
		return ErrRevoked
	case !now.Before(s.ExpiresAt):
		return ErrExpired
	case s.Idle > 0 && !now.Before(s.LastAccessedAt.Add(s.Idle)):
		return ErrIdle
	}
	return nil
}

// EndsAt is when the session ends if it is not used again.
func (s Session) EndsAt() time.Time {
	if s.Idle > 0 {
		return earlierOf(s.ExpiresAt, s.LastAccessedAt.Add(s.Idle))
	}
	return s.ExpiresAt
}

// Extend lets the session end d from now, which may be sooner than before. A d
// that is not positive or above most is ErrDuration; an end that would be more
// than most after SignedInAt is cut to that. The end of an implicit session is its
// token's: ErrImplicit.
func (s *Session) Extend(now time.Time, d, most time.Duration) error {
	if s.Implicit {
		return fmt.Errorf("%w: its end cannot be moved", ErrImplicit)
	}
	if err := checkDuration(d, most); err != nil {
		return err
	}
	s.ExpiresAt = millis(earlierOf(now.Add(d), s.SignedInAt.Add(most)))
	return nil
}

func checkDuration(d, most time.Duration) error {
	if d <= 0 || d > most {
		return fmt.Errorf("%w: %s is not between 0 and %s", ErrDuration, d, most)
	}
	return nil
}

func earlierOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// millis cuts off what a record would not keep, so that a session that was just
// written and the same one read back are equal.
func millis(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Millisecond)
}
