package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

// MaxFactors is how many factors a session holds at most. When a profile brings
// one more, its own oldest proof is dropped.
const MaxFactors = 16

// Factor is one proof that a session rests on.
type Factor struct {
	// Profile is the name of the profile under which the token was verified.
	Profile string
	// Type says what kind of proof it is, as the profile's `factor` names it.
	Type string
	// TokenID and Issuer name the trusted token within its profile.
	TokenID, Issuer string
	// ProvedAt is when the member gave the proof to the issuer, never when we received
	// it. Zero where the token does not say: then it meets no age.
	ProvedAt time.Time
	// IssuedAt is when the token was issued, at the latest when we received it. A factor
	// does not count after a revocation at or after it. In factors recorded before it
	// was kept it is CreatedAt.
	IssuedAt time.Time
	// Email is the covered address that the token asserted, EmailVerified whether the
	// token said that it is verified. Both are empty in factors recorded before they
	// were kept: such a factor asserts no address.
	Email         string
	EmailVerified bool
	// Claims are what was kept of the token for claim templates, by their paths. They
	// are not changed.
	Claims claims.Object
	// CreatedAt is when the factor came to the session, UpdatedAt when it was last
	// shown. Both are set here.
	CreatedAt, UpdatedAt time.Time

	unknown map[string]any
}

// ProvedWithin tells whether the proof was given within d before now. One that does not
// say when was not.
func (f Factor) ProvedWithin(d time.Duration, now time.Time) bool {
	return !f.ProvedAt.IsZero() && now.Before(f.ProvedAt.Add(d))
}

// Factor is the factor of that profile and token id, if the session has it.
func (s Session) Factor(profile, tokenID string) (Factor, bool) {
	i := s.factorIndex(profile, tokenID)
	if i < 0 {
		return Factor{}, false
	}
	return s.Factors[i], true
}

func (s Session) factorIndex(profile, tokenID string) int {
	return slices.IndexFunc(s.Factors, func(f Factor) bool {
		return f.Profile == profile && f.TokenID == tokenID
	})
}

// Attach adds a factor, or refreshes the one with the same profile and token id;
// for use inside Manager.Change, where what it leads to can be judged before it
// is written. A session full of other profiles' factors is ErrFactors.
func (s *Session) Attach(f Factor, now time.Time) error {
	if i := s.factorIndex(f.Profile, f.TokenID); i >= 0 {
		s.Factors[i].refresh(f, now)
		return nil
	}
	if len(s.Factors) >= MaxFactors && !s.dropOldest(f.Profile) {
		return fmt.Errorf("%w: %d", ErrFactors, len(s.Factors))
	}
	s.Factors = append(s.Factors, f.receivedAt(now))
	return nil
}

// receivedAt is the factor as it comes to a session now. A time to come would pass an
// age for longer than it may, and outlive a revocation, so now is the latest.
func (f Factor) receivedAt(now time.Time) Factor {
	f.ProvedAt = millis(earlierOf(f.ProvedAt, now))
	f.IssuedAt = millis(earlierOf(f.IssuedAt, now))
	f.CreatedAt, f.UpdatedAt = millis(now), millis(now)
	return f
}

// refresh notes that the proof was shown again. That does not make its proof more recent: only a
// laterOf proof of which the token itself speaks does.
func (f *Factor) refresh(again Factor, now time.Time) {
	again = again.receivedAt(now)
	f.Type, f.Issuer = again.Type, again.Issuer
	f.Email, f.EmailVerified, f.Claims = again.Email, again.EmailVerified, again.Claims
	f.ProvedAt, f.IssuedAt = laterOf(f.ProvedAt, again.ProvedAt), laterOf(f.IssuedAt, again.IssuedAt)
	f.UpdatedAt = laterOf(f.UpdatedAt, again.UpdatedAt)
}

// dropOldest removes the oldest proof of a profile and tells whether there was
// one. Other profiles' proofs are never dropped: many of one kind must not
// push out another.
func (s *Session) dropOldest(profile string) bool {
	oldest := -1
	for i, f := range s.Factors {
		if f.Profile == profile && (oldest < 0 || f.ProvedAt.Before(s.Factors[oldest].ProvedAt)) {
			oldest = i
		}
	}
	if oldest < 0 {
		return false
	}
	s.Factors = slices.Delete(s.Factors, oldest, oldest+1)
	return true
}
