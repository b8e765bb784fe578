package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
)

// defaultLifetime is how long a trusted token is taken to live at most where
// Implicit.MaxLifetime does not say. Erring upwards costs a small record.
const defaultLifetime = 30 * 24 * time.Hour

// Implicit is a verified trusted token and whose it is, as far as the session
// that it stands for needs to know.
type Implicit struct {
	// Profile, Issuer, OrganizationID and MemberID are part of the session's id, with
	// Digest or Key.
	Profile, Issuer          string
	OrganizationID, MemberID string
	// Digest is the SHA-256 of the token. Without Key it decides which session the
	// token stands for: its own.
	Digest [32]byte
	// Key holds the values of the profile's `session_key`. Tokens with the same
	// values stand for the same session, and a newer one moves its end.
	Key []string
	// Until is when the token ceases to be a credential.
	Until time.Time
	// TokenEnd is when no configuration takes the token any more: a revocation is
	// remembered until then, also where a reload allows the token longer than Until.
	// Default: Until.
	TokenEnd time.Time
	// MaxLifetime is the longest time from the token's iat to Until that the profile allows
	// any token. With Key, the end of a session is remembered for as long. Default: 30
	// days.
	MaxLifetime time.Duration
	// Duration and Idle are the limits of the profile's own `session` block. Zero:
	// none but Until.
	Duration, Idle time.Duration
	// New tells that the token is likely to be shown for the first time: its session is then
	// made without a look whether there is one. It changes nothing but the calls that it takes.
	New bool
	// Factor is the proof that the token is. What has ended is started again only by one
	// with an IssuedAt.
	Factor Factor
}

func (r Implicit) check(now time.Time) error {
	switch {
	case r.Profile == "" || r.OrganizationID == "" || r.MemberID == "":
		return errNoMember
	case r.Duration < 0 || r.Idle < 0:
		return fmt.Errorf("%w: negative", ErrDuration)
	case !now.Before(r.Until):
		return ErrExpired
	}
	return nil
}

// Implicit finds the session that a trusted token stands for, or makes it. All
// who ask at once get the same one. A session that was revoked stays revoked for
// its token (ErrRevoked), and one that has come to the limits of its profile
// stays ended (ErrExpired, ErrIdle); with a Key, a token issued later than that
// starts it anew, and those issued before stay refused.
func (m *Manager) Implicit(ctx context.Context, r Implicit) (Session, error) {
	if err := r.check(m.now()); err != nil {
		return Session{}, err
	}
	id := m.ImplicitID(r)
	s, err := m.flights.Do(ctx, id+string(r.Digest[:]), func(ctx context.Context) (Session, error) {
		return m.findOrBegin(ctx, id, r)
	})
	if err != nil {
		return Session{}, err
	}
	// Whoever joined a look that was under way may have come after a revocation
	// that it did not see.
	if err := m.Check(s); err != nil {
		return Session{}, err
	}
	return s, nil
}

func (m *Manager) findOrBegin(ctx context.Context, id string, r Implicit) (Session, error) {
	if e, ok := m.revocations.find(id); ok && !e.pending.IsZero() {
		_ = m.writeRevocation(ctx, id)
	}
	if r.New && len(r.Key) == 0 {
		if s, err := m.begin(ctx, id, r); !errors.Is(err, store.ErrConflict) {
			return s, err
		}
	}
	return m.update(ctx, id, func(found Session) (Session, bool, error) {
		return m.implicit(id, r, found)
	})
}

// begin makes a session without looking first; store.ErrConflict where there is one.
func (m *Manager) begin(ctx context.Context, id string, r Implicit) (Session, error) {
	s, _, err := m.beginImplicit(id, r, m.now())
	if err != nil {
		return Session{}, err
	}
	return m.write(ctx, s)
}

func (m *Manager) implicit(id string, r Implicit, found Session) (Session, bool, error) {
	now := m.now()
	if found.Version == 0 {
		return m.beginImplicit(id, r, now)
	}
	if !found.Implicit || found.OrganizationID != r.OrganizationID || found.MemberID != r.MemberID {
		return Session{}, false, ErrMismatch
	}
	dead := m.Check(found)
	notBefore, settled := m.notBefore(found, now)
	switch {
	case dead == nil && r.issuedBefore(notBefore):
		return Session{}, false, ErrRevoked
	case dead == nil:
		next, newer := found.extendedBy(r, now)
		return next, newer, nil
	case found.keyed && settled && !r.issuedBefore(notBefore) && millis(now).After(notBefore):
		return r.session(id, found.Version, notBefore, now), true, nil
	}
	return m.refuse(found, dead)
}

// beginImplicit begins a session where the store has none. If this node knows
// of a revocation all the same, the store has lost it, and gets it back.
func (m *Manager) beginImplicit(id string, r Implicit, now time.Time) (Session, bool, error) {
	e, revoked := m.revocations.find(id)
	s := r.session(id, 0, e.at, now)
	if revoked && (!s.keyed || !e.pending.IsZero() || r.issuedBefore(e.at) || !millis(now).After(e.at)) {
		return s.tombstone(e.latest()), true, nil
	}
	return s, true, nil
}

// notBefore is the latest moment at which the session of a key was ended by other
// than its tokens' end: revoked, or at a limit of the profile's. Tokens issued until
// then cannot start it anew, nor extend one that a later token started. A new session
// must start after it too, so that StartedAt tells the two apart. It is not settled
// while a revocation is yet to be written.
func (m *Manager) notBefore(s Session, now time.Time) (notBefore time.Time, settled bool) {
	e, _ := m.revocations.find(s.ID)
	notBefore = laterOf(laterOf(s.notBefore, s.RevokedAt), e.at)
	if end := s.EndsAt(); s.RevokedAt.IsZero() && !end.Equal(s.TokenUntil) && !now.Before(end) {
		notBefore = laterOf(notBefore, end)
	}
	return notBefore, e.pending.IsZero()
}

// Takes tells whether a trusted token issued at that time stands for this
// implicit session: not if the session was ended since, and a later token has
// begun it anew. Who remembers which session a token has must ask it each time.
func (s Session) Takes(issuedAt time.Time) bool {
	return s.Implicit && (s.notBefore.IsZero() || issuedAt.After(s.notBefore))
}

// issuedBefore tells whether the token was issued until the session was ended. One
// that does not say when is taken to have been.
func (r Implicit) issuedBefore(notBefore time.Time) bool {
	return len(r.Key) > 0 && !notBefore.IsZero() && !r.Factor.IssuedAt.After(notBefore)
}

// session is the session that the token begins now.
func (r Implicit) session(id string, version uint64, notBefore, now time.Time) Session {
	s := Session{
		ID:             id,
		OrganizationID: r.OrganizationID,
		MemberID:       r.MemberID,
		Implicit:       true,
		SignedInAt:     millis(now),
		StartedAt:      millis(now),
		LastAccessedAt: millis(now),
		Idle:           r.Idle.Truncate(time.Millisecond),
		Factors:        []Factor{r.Factor.receivedAt(now)},
		Version:        version,
		keyed:          len(r.Key) > 0,
	}
	if s.keyed {
		s.life, s.notBefore = r.lifetime(), notBefore
	}
	s.setEnd(r)
	return s
}

func (r Implicit) lifetime() time.Duration {
	if r.MaxLifetime > 0 {
		return r.MaxLifetime.Truncate(time.Millisecond)
	}
	return defaultLifetime
}

// setEnd lets the session end with the token, or at the profile's limit.
func (s *Session) setEnd(r Implicit) {
	s.TokenUntil = millis(r.Until)
	s.tokenEnd = laterOf(s.tokenEnd, laterOf(s.TokenUntil, millis(r.TokenEnd)))
	s.ExpiresAt = s.TokenUntil
	if r.Duration > 0 {
		s.ExpiresAt = earlierOf(s.ExpiresAt, millis(s.StartedAt.Add(r.Duration)))
	}
}

// extendedBy is the live session as another of its tokens leaves it: it ends with that token
// where that is later, and the token that was issued last says what holds.
func (s Session) extendedBy(r Implicit, now time.Time) (Session, bool) {
	longer := millis(r.Until).After(s.TokenUntil)
	newer := r.Factor.receivedAt(now).IssuedAt.Compare(s.lastIssued(r.Factor.Profile))
	if !s.keyed || !longer && newer <= 0 {
		return s, false
	}
	if longer {
		s.setEnd(r)
		s.life = max(s.life, r.lifetime())
	}
	if newer >= 0 {
		s.Factors = slices.Clone(s.Factors)
		s.replaceFactor(r.Factor, now)
	}
	return s, true
}

// lastIssued is when the newest token of a profile was issued, zero where the session has none.
func (s Session) lastIssued(profile string) (issued time.Time) {
	for _, f := range s.Factors {
		if f.Profile == profile {
			issued = laterOf(issued, f.IssuedAt)
		}
	}
	return issued
}

// replaceFactor puts a newer proof of the same kind in the place of the former one.
func (s *Session) replaceFactor(f Factor, now time.Time) {
	i := s.factorIndex(f.Profile, f.TokenID)
	if i < 0 {
		i = slices.IndexFunc(s.Factors, func(old Factor) bool { return old.Profile == f.Profile })
	}
	if i < 0 {
		s.Factors = append(s.Factors, f.receivedAt(now))
		return
	}
	s.Factors[i].TokenID = f.TokenID
	s.Factors[i].refresh(f, now)
}

// tombstone is what is left of a session once it is revoked: whose it was, when,
// and for how long that must be remembered.
func (s Session) tombstone(at time.Time) Session {
	s.RevokedAt = laterOf(millis(at), s.StartedAt)
	s.secrets, s.Factors, s.Overlay = nil, nil, claims.Overlay{}
	return s
}
