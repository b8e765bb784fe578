package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// read finds a session whatever its state; absent is ErrNotFound.
func (m *Manager) read(ctx context.Context, id string) (Session, error) {
	if !ValidID(id) {
		return Session{}, ErrNotFound
	}
	records, err := m.store.Get(ctx, partition(id), keySession, keyAccess)
	if err != nil {
		return Session{}, fmt.Errorf("session: read: %w", err)
	}
	if !records[0].Exists() {
		return Session{}, ErrNotFound
	}
	return decodeSession(id, records[0], records[1])
}

// write stores a session over the version it was read at, 0 for a new one, and
// answers it as it now stands.
func (m *Manager) write(ctx context.Context, s Session) (Session, error) {
	s.LastAccessedAt = laterOf(s.LastAccessedAt, millis(m.now()))
	value, err := s.encode()
	if err != nil {
		return Session{}, err
	}
	ops := []store.Op{{
		Key:       keySession,
		Expect:    s.Version,
		Value:     value,
		ExpiresAt: s.recordExpiry(),
		Until:     s.storeExpiry(m.now()),
	}}
	if s.RevokedAt.IsZero() {
		ops[0].Tags = []string{m.memberTag(s.OrganizationID, s.MemberID)}
	} else {
		ops = append(ops, store.Op{Key: keyAccess, Blind: true})
	}
	if err := m.store.Apply(ctx, partition(s.ID), ops...); err != nil {
		return Session{}, fmt.Errorf("session: write: %w", err)
	}
	if !s.RevokedAt.IsZero() {
		m.revocations.confirmWritten(s, m.absoluteEnd(s))
	}
	s.Version++
	return s, nil
}

// absoluteEnd is when no store can show the session alive any more, not even one
// that has fallen back to an earlier state of it.
func (m *Manager) absoluteEnd(s Session) time.Time {
	end := s.recordExpiry()
	if s.Implicit {
		return end
	}
	return laterOf(end, s.StartedAt.Add(m.maxDuration))
}

// recordExpiry is when the record may be forgotten. An ordinary session has nothing
// to tell once it has ended. An implicit one must be remembered, ended or
// revoked, for as long as a token is good that would start it again: the tokens
// seen, and where newer ones go on with it also those issued before its end that
// were never shown.
func (s Session) recordExpiry() time.Time {
	end := laterOf(s.ExpiresAt, laterOf(s.TokenUntil, s.tokenEnd))
	if notBefore := s.latestNotBefore(); s.keyed && !notBefore.IsZero() {
		end = laterOf(end, notBefore.Add(s.life))
	}
	return end
}

// latestNotBefore is the latest moment at which the session was or may yet be ended by
// other than its tokens' end.
func (s Session) latestNotBefore() time.Time {
	switch {
	case !s.RevokedAt.IsZero():
		return laterOf(s.notBefore, s.RevokedAt)
	case s.Idle > 0 || s.ExpiresAt.Before(s.TokenUntil):
		return laterOf(s.notBefore, s.ExpiresAt)
	}
	return s.notBefore
}

// storeExpiry is when the store may let an idle session go, zero where it must
// not: never before the session is idle by the record, since the store's clock
// and ours may differ and uses are written late.
func (s Session) storeExpiry(now time.Time) time.Time {
	if s.Idle == 0 || s.Implicit || !s.RevokedAt.IsZero() {
		return time.Time{}
	}
	return now.Add(s.Idle + time.Minute)
}

// A decision is what a change makes of a session that was read, with found.Version
// 0 where there is none. It answers the session as it shall be and whether that
// must be written. With an error and something to write, that is written first.
type decision func(found Session) (next Session, write bool, err error)

// update reads a session, decides, and writes what was decided if the session is
// still the one that was read; otherwise it begins anew. The changes of one session
// take turns on this node. The error is a store.ErrBusy where other nodes were
// first again and again.
func (m *Manager) update(ctx context.Context, id string, decide decision) (updated Session, err error) {
	release, err := m.turns.take(ctx, id)
	if err != nil {
		return Session{}, err
	}
	defer release()
	err = store.Update(ctx, func(ctx context.Context) error {
		updated, err = m.attempt(ctx, id, decide)
		return err
	})
	return updated, err
}

func (m *Manager) attempt(ctx context.Context, id string, decide decision) (Session, error) {
	found, err := m.read(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Session{}, err
	}
	next, write, refused := decide(found)
	if !write {
		return next, refused
	}
	written, err := m.write(ctx, next)
	if refused != nil && !errors.Is(err, store.ErrConflict) {
		return Session{}, refused
	}
	return written, err
}
