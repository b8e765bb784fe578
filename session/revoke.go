package session

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// parallelism is how many sessions of a member are read or revoked at a time.
const parallelism = 64

// Revoke ends a session for good and answers it as it was. It returns nil only
// when the store has confirmed. The revocation is noted before anything is read: on
// a fault this node enforces it all the same, and writes it when it can (see
// WritePending); trying again is safe and tells whether it has been. A session that
// is no longer live is ErrNotFound.
func (m *Manager) Revoke(ctx context.Context, id string) (Session, error) {
	return m.RevokeIf(ctx, id, nil)
}

// RevokeIf is Revoke for a caller who may not end every session: where may refuses
// the session that was read, the revocation is withdrawn and the answer is may's
// error. While nothing can be read it is enforced here.
func (m *Manager) RevokeIf(ctx context.Context, id string, may func(Session) error) (Session, error) {
	if !ValidID(id) {
		return Session{}, ErrNotFound
	}
	now := millis(m.now())
	before := m.revocations.note(id, now, now.Add(m.maxDuration), may)
	var was Session
	var refused error
	_, err := m.update(ctx, id, func(found Session) (Session, bool, error) {
		was, refused = found, m.refuseRevocation(found, !before.pending.IsZero(), may)
		if errors.As(refused, new(*notAllowedError)) {
			m.revocations.withdraw(found)
			return found, false, nil
		}
		return m.revocationOf(found, now)
	})
	var notAllowed *notAllowedError
	switch {
	case err != nil:
		return Session{}, err
	case errors.As(refused, &notAllowed):
		return Session{}, notAllowed.err
	case was.Version == 0:
		m.revocations.restore(id, before)
	}
	if refused != nil {
		return Session{}, refused
	}
	was.RevokedAt, was.secrets = laterOf(now, was.StartedAt), nil
	return was, nil
}

// notAllowedError reports a revocation that its caller may not make.
type notAllowedError struct{ err error }

func (e *notAllowedError) Error() string { return e.err.Error() }

// refuseRevocation tells whether a revocation is not the caller's to make or comes
// too late. One that was begun before and not confirmed does not: its caller is
// back to hear of it.
func (m *Manager) refuseRevocation(found Session, pending bool, may func(Session) error) error {
	if found.Version == 0 {
		return ErrNotFound
	}
	if may != nil {
		if err := may(found); err != nil {
			return &notAllowedError{err}
		}
	}
	switch {
	case !found.RevokedAt.IsZero() && pending:
		return nil
	case found.Live(m.now()) != nil:
		return ErrNotFound
	}
	return nil
}

// revocationOf is the decision to end a session. One that has ended by itself is
// made a tombstone too: a use that another node has yet to write must not bring it
// back.
func (m *Manager) revocationOf(found Session, at time.Time) (Session, bool, error) {
	switch {
	case found.Version == 0:
		return Session{}, false, nil
	case !found.RevokedAt.IsZero():
		m.revocations.confirmWritten(found, m.absoluteEnd(found))
		return found, false, nil
	}
	return found.tombstone(at), true, nil
}

// refuse is the decision about a session that is not live. A revocation that the
// store has lost is written again.
func (m *Manager) refuse(found Session, err error) (Session, bool, error) {
	if !errors.Is(err, ErrRevoked) {
		return Session{}, false, err
	}
	e, _ := m.revocations.find(found.ID)
	tombstone, write, _ := m.revocationOf(found, e.latest())
	return tombstone, write, err
}

// writeRevocation writes a revocation that this node knows of and the store does
// not, or withdraws it where the session shows that its caller may not end it. If
// the store fails, the node goes on enforcing it and tries again later.
func (m *Manager) writeRevocation(ctx context.Context, id string) error {
	_, err := m.update(ctx, id, func(found Session) (Session, bool, error) {
		e, ok := m.revocations.find(id)
		switch {
		case !ok || found.Version != 0 && !e.covers(found):
			return Session{}, false, nil
		case found.Version == 0:
			m.revocations.markAbsent(id)
		case e.refuses(found):
			m.revocations.withdraw(found)
			return Session{}, false, nil
		}
		return m.revocationOf(found, e.latest())
	})
	return err
}

// WritePending writes the revocations that the store has not taken yet. It is to be
// called when the store may serve again, and now and then. The error joins the
// faults; what failed is tried again at the next call.
func (m *Manager) WritePending(ctx context.Context) error {
	var all faults
	for _, id := range m.revocations.pendingIDs() {
		if err := m.writeRevocation(ctx, id); err != nil {
			all.add(err)
		}
	}
	return all.err()
}

// RevokeAll ends several sessions, as List named them, many at a time. Those that
// have ended meanwhile count as revoked. The error joins the faults; the
// sessions it answers are those that were ended.
func (m *Manager) RevokeAll(ctx context.Context, sessions []Session) ([]Session, error) {
	ended := make([]Session, len(sessions))
	var all faults
	var group errgroup.Group
	group.SetLimit(parallelism)
	for i, s := range sessions {
		group.Go(func() error {
			switch s, err := m.Revoke(ctx, s.ID); {
			case err == nil:
				ended[i] = s
			case !errors.Is(err, ErrNotFound):
				all.add(err)
			}
			return nil
		})
	}
	_ = group.Wait()
	return slices.DeleteFunc(ended, func(s Session) bool { return s.ID == "" }), all.err()
}

// faults collects errors of several goroutines.
type faults struct {
	mu   sync.Mutex
	list []error
}

func (f *faults) add(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, err)
}

func (f *faults) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return errors.Join(f.list...)
}
