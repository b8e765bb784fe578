package session

import (
	"context"
	"errors"
	"time"
)

// unknownEnd is for how long a revocation is kept whose session could not be read.
const unknownEnd = 366 * 24 * time.Hour

// Revoke ends a session for good and answers it as it was. It returns nil only
// when the store has confirmed. On a fault this node obeys the revocation all the
// same, and writes it when it next meets the session; trying again is safe and
// tells whether it has been. A session that is no longer live is ErrNotFound.
func (m *Manager) Revoke(ctx context.Context, id string) (Session, error) {
	if !ValidID(id) {
		return Session{}, ErrNotFound
	}
	now := millis(m.now())
	before := m.revocations.begin(id, now, now.Add(unknownEnd))
	var ended Session
	var dead error
	_, err := m.swap(ctx, id, func(found Session) (Session, bool, error) {
		ended, dead = found, m.dead(found, !before.pending.IsZero())
		return m.buried(found, now)
	})
	switch {
	case err != nil:
		return Session{}, err
	case ended.Version == 0:
		m.revocations.cancel(id, before)
	}
	if dead != nil {
		return Session{}, dead
	}
	ended.RevokedAt, ended.secrets = later(now, ended.StartedAt), nil
	return ended, nil
}

// dead tells whether a revocation comes too late. One that was begun before and
// not confirmed does not: its caller is back to hear of it.
func (m *Manager) dead(found Session, pending bool) error {
	switch {
	case found.Version == 0:
		return ErrNotFound
	case !found.RevokedAt.IsZero() && pending:
		return nil
	case found.Live(m.now()) != nil:
		return ErrNotFound
	}
	return nil
}

// buried is the decision to end a session. One that has ended by itself is
// buried too: a use that another node has yet to write must not bring it back.
func (m *Manager) buried(found Session, at time.Time) (Session, bool, error) {
	switch {
	case found.Version == 0:
		return Session{}, false, nil
	case !found.RevokedAt.IsZero():
		m.revocations.confirm(found, m.absoluteEnd(found))
		return found, false, nil
	}
	return found.tombstone(at), true, nil
}

// rebury writes a revocation that this node knows of and the store does not. If
// that fails too, the node goes on to obey it and tries again at the next sight.
func (m *Manager) rebury(ctx context.Context, id string) {
	_, _ = m.swap(ctx, id, func(found Session) (Session, bool, error) {
		e, ok := m.revocations.find(id)
		switch {
		case !ok || found.Version != 0 && !e.covers(found):
			return Session{}, false, nil
		case found.Version == 0:
			m.revocations.settle(id)
		}
		return m.buried(found, e.latest())
	})
}

// RevokeAll ends several sessions, as List named them. Those that have ended
// meanwhile are as good as revoked. The error joins the faults; the sessions it
// answers are those that were ended.
func (m *Manager) RevokeAll(ctx context.Context, sessions []Session) ([]Session, error) {
	var ended []Session
	var faults []error
	for _, s := range sessions {
		switch s, err := m.Revoke(ctx, s.ID); {
		case err == nil:
			ended = append(ended, s)
		case !errors.Is(err, ErrNotFound):
			faults = append(faults, err)
		}
	}
	return ended, errors.Join(faults...)
}
