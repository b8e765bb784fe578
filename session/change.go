package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
)

// errForbidden reports a change function that touched what no change may.
var errForbidden = errors.New("session: change of what never changes")

// Change lets change alter a live session and writes it, if nobody else changed
// it meanwhile; otherwise change is called again with what stands there now. So
// it may be called several times and must have no other effect. It may set
// ExpiresAt (see Session.Extend), Idle, Factors and Overlay, and use
// Manager.RenewToken. Whatever is written counts as a use of the session; where
// nothing is, the use is for Accessed to note. An error of change's is returned as it is and nothing is
// written; nor is it when nothing changed.
func (m *Manager) Change(ctx context.Context, id string, change func(*Session) error) (Session, error) {
	return m.update(ctx, id, func(found Session) (Session, bool, error) {
		if found.Version == 0 {
			return Session{}, false, ErrNotFound
		}
		if err := m.Check(found); err != nil {
			return m.refuse(found, err)
		}
		return m.applyChange(found, change)
	})
}

func (m *Manager) applyChange(found Session, change func(*Session) error) (Session, bool, error) {
	before, err := found.encode()
	if err != nil {
		return Session{}, false, err
	}
	next := found
	if err := change(&next); err != nil {
		return Session{}, false, err
	}
	if err := m.checkChange(&next, found); err != nil {
		return Session{}, false, err
	}
	after, err := next.encode()
	if err != nil {
		return Session{}, false, err
	}
	return next, !bytes.Equal(before, after), nil
}

// checkChange holds a changed session to what must stay true of it whoever changes it.
func (m *Manager) checkChange(next *Session, found Session) error {
	if next.ID != found.ID || next.OrganizationID != found.OrganizationID || next.MemberID != found.MemberID ||
		next.Implicit != found.Implicit || !next.StartedAt.Equal(found.StartedAt) || !next.SignedInAt.Equal(found.SignedInAt) || next.Version != found.Version ||
		!next.RevokedAt.Equal(found.RevokedAt) || !next.TokenUntil.Equal(found.TokenUntil) {
		return errForbidden
	}
	if next.ExpiresAt.After(m.latestEnd(found)) || next.Idle < 0 {
		return fmt.Errorf("%w: beyond the session's absolute end", ErrDuration)
	}
	if len(next.Factors) > MaxFactors {
		return fmt.Errorf("%w: %d", ErrFactors, len(next.Factors))
	}
	next.ExpiresAt = millis(next.ExpiresAt)
	next.Idle = next.Idle.Truncate(time.Millisecond)
	next.LastAccessedAt = found.LastAccessedAt
	return nil
}

// latestEnd is the end that no change may move the session beyond. A session that
// already lasts longer, since the maximum was lowered, keeps its end.
func (m *Manager) latestEnd(s Session) time.Time {
	if s.Implicit {
		return s.ExpiresAt
	}
	return laterOf(s.ExpiresAt, s.SignedInAt.Add(m.maxDuration))
}

// Attach adds a factor to a live session. One of the same profile and token id
// is refreshed instead. Its proof is as old as its token says: showing it again
// does not make its proof more recent. A session full of other profiles' factors is ErrFactors.
//
// The further changes come first and may refuse: that the factor resolves to the
// session's own member and organization is theirs to check.
func (m *Manager) Attach(ctx context.Context, id string, f Factor, changes ...func(*Session) error) (Session, error) {
	return m.Change(ctx, id, func(s *Session) error {
		for _, change := range changes {
			if err := change(s); err != nil {
				return err
			}
		}
		return s.Attach(f, m.now())
	})
}

// RenewToken gives the session a new secret, for use inside Change. The former
// one is good for another GracePeriod, and one from before that no longer. An
// implicit session has no token: ErrImplicit.
func (m *Manager) RenewToken(s *Session) error {
	if s.secrets == nil {
		return fmt.Errorf("%w: it has no token", ErrImplicit)
	}
	current, err := newSecret(m.random)
	if err != nil {
		return err
	}
	s.secrets = &secrets{
		current:     current,
		former:      s.secrets.current,
		formerUntil: millis(m.now().Add(GracePeriod)),
	}
	return nil
}

// Renew is RenewToken by itself. It is for cookies, where the new token reaches
// its bearer for certain; callers of an API keep the one they have.
func (m *Manager) Renew(ctx context.Context, id string) (Session, error) {
	return m.Change(ctx, id, m.RenewToken)
}
