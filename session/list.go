package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// List finds the live sessions of a member, oldest first, implicit ones among
// them. Where some could not be read, it answers the others beside the error, so
// that one broken record does not shield the rest from being revoked.
func (m *Manager) List(ctx context.Context, organizationID, memberID string) ([]Session, error) {
	refs, err := m.store.List(ctx, m.memberTag(organizationID, memberID))
	if err != nil {
		return nil, fmt.Errorf("session: list: %w", err)
	}
	var live []Session
	var faults []error
	for _, ref := range refs {
		id, ok := idOf(ref.Partition)
		if !ok {
			continue
		}
		// The listing is a hint: only the record says whose session it is.
		switch s, err := m.ByID(ctx, id); {
		case err == nil && s.OrganizationID == organizationID && s.MemberID == memberID:
			live = append(live, s)
		case err != nil && !ended(err):
			faults = append(faults, err)
		}
	}
	slices.SortFunc(live, func(a, b Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return live, errors.Join(faults...)
}

// ended tells an answer about a session from a fault.
func ended(err error) bool { return errors.Is(err, ErrNotFound) || errors.Is(err, ErrRevoked) }

// Trim ends ordinary sessions of a member until at most keep are left, those that
// have not been used for longest first, and answers the ones it ended. Implicit
// sessions are neither counted nor ended: they would only take their tokens with
// them.
func (m *Manager) Trim(ctx context.Context, organizationID, memberID string, keep int) ([]Session, error) {
	sessions, err := m.List(ctx, organizationID, memberID)
	if err != nil {
		return nil, err
	}
	sessions = slices.DeleteFunc(sessions, func(s Session) bool { return s.Implicit })
	if len(sessions) <= keep {
		return nil, nil
	}
	slices.SortStableFunc(sessions, func(a, b Session) int { return a.LastAccessedAt.Compare(b.LastAccessedAt) })
	return m.RevokeAll(ctx, sessions[:len(sessions)-max(keep, 0)])
}
