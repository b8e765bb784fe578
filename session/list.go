package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/attestgate/caddy-attest/store"
)

// DefaultPerMember is how many ordinary sessions a member has at most where the
// configuration does not say.
const DefaultPerMember = 200

// maxEndedAtOnce is how many sessions one sign-in ends at most, however many there
// are: a cap that was lowered must not make a sign-in slow.
const maxEndedAtOnce = 10

// List finds the live sessions of a member, oldest first, implicit ones among
// them. Where some could not be read, it answers the others beside the error, so
// that one broken record does not shield the rest from being revoked.
func (m *Manager) List(ctx context.Context, organizationID, memberID string) ([]Session, error) {
	refs, err := m.store.List(ctx, m.memberTag(organizationID, memberID))
	if err != nil {
		return nil, fmt.Errorf("session: list: %w", err)
	}
	found, err := m.readAll(ctx, refs)
	// The listing is a hint: only the record says whose session it is.
	live := slices.DeleteFunc(found, func(s Session) bool {
		return s.OrganizationID != organizationID || s.MemberID != memberID
	})
	slices.SortFunc(live, func(a, b Session) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return live, err
}

// readAll reads live sessions, many at a time. What has ended is left as the zero
// Session.
func (m *Manager) readAll(ctx context.Context, refs []store.Ref) ([]Session, error) {
	found := make([]Session, len(refs))
	var all faults
	var group errgroup.Group
	group.SetLimit(parallelism)
	for i, ref := range refs {
		id, ok := idOf(ref.Partition)
		if !ok {
			continue
		}
		group.Go(func() error {
			s, err := m.ByID(ctx, id)
			if err == nil {
				found[i] = s
			} else if !isEnd(err) {
				all.add(err)
			}
			return nil
		})
	}
	_ = group.Wait()
	return found, all.err()
}

// isEnd tells an answer about a session from a fault.
func isEnd(err error) bool { return errors.Is(err, ErrNotFound) || errors.Is(err, ErrRevoked) }

// Trim ends the oldest ordinary sessions of a member where there are more than
// Config.PerMember, ten at most, and answers those it ended. It is to be called after
// Start, with the id of the session that was started: that is never ended, also where
// the clock of this node is behind. Implicit sessions are neither counted nor ended:
// they would take their tokens with them.
func (m *Manager) Trim(ctx context.Context, organizationID, memberID, started string) ([]Session, error) {
	if m.perMember < 0 {
		return nil, nil
	}
	// Names are never too few, so that most sign-ins read no other session.
	refs, err := m.store.List(ctx, m.memberTag(organizationID, memberID))
	if err != nil || len(refs) <= m.perMember {
		return nil, err
	}
	sessions, err := m.List(ctx, organizationID, memberID)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(sessions, func(s Session) bool { return s.Implicit || s.ID == started })
	surplus := min(len(others)+1-m.perMember, maxEndedAtOnce)
	if surplus <= 0 {
		return nil, nil
	}
	return m.RevokeAll(ctx, others[:min(surplus, len(others))])
}
