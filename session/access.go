package session

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

const (
	// maxAccessInterval is how old a written LastAccessedAt may be while the session
	// is in use.
	maxAccessInterval = time.Minute
	// accessRetry is how long after a write that failed the next is tried, so that a
	// store in trouble is not asked again by every request.
	accessRetry = time.Second
	// maxAccesses bounds what a node remembers of its own writes.
	maxAccesses = 1 << 14
)

// accessInterval is the least time between two writes of LastAccessedAt.
func (s Session) accessInterval() time.Duration {
	if s.Idle > 0 {
		return min(maxAccessInterval, s.Idle/10)
	}
	return maxAccessInterval
}

// AccessDue tells, as far as this copy of the session knows, whether Accessed
// would have something to write.
func (s Session) AccessDue(now time.Time) bool {
	return now.Sub(s.LastAccessedAt) >= s.accessInterval()
}

// UsedAt is the session as it is when it is used at that moment.
func (s Session) UsedAt(now time.Time) Session {
	s.LastAccessedAt = laterOf(s.LastAccessedAt, millis(now))
	return s
}

// Accessed notes that the session was used just now. It writes at most every
// minute, or tenth of Idle if that is less, also when it is given the same copy
// of the session again and again. The write is blind: the last one wins, no
// version changes and no event is sent. A session that is not live is not
// touched, and the answer says why.
func (m *Manager) Accessed(ctx context.Context, s Session) error {
	now := m.now()
	if !s.AccessDue(now) {
		return nil
	}
	if err := m.Check(s); err != nil {
		return err
	}
	if !m.accesses.claimWrite(s.ID, now, s.accessInterval()) {
		return nil
	}
	if err := m.writeAccess(ctx, s, now); err != nil {
		m.accesses.postponeWrite(s.ID, now, accessRetry)
		return fmt.Errorf("session: access: %w", err)
	}
	return nil
}

func (m *Manager) writeAccess(ctx context.Context, s Session, now time.Time) error {
	value, err := record.Encode(format, accessRecord{Accessed: store.Millis(now)})
	if err != nil {
		return err
	}
	until := s.storeExpiry(now)
	if !until.IsZero() { // first, so that no session is lost of which an access is written
		if err := m.store.Touch(ctx, partition(s.ID), keySession, until); err != nil {
			return err
		}
	}
	return m.store.Apply(ctx, partition(s.ID), store.Op{
		Key: keyAccess, Blind: true, Value: value, ExpiresAt: s.ExpiresAt, Until: until,
	})
}

// accesses is what this node has written lately, by session: when the next write
// is due. Its zero value is ready.
type accesses struct {
	mu  sync.Mutex
	due map[string]time.Time
}

// claimWrite tells one of all callers that the write is theirs to make.
func (a *accesses) claimWrite(id string, now time.Time, interval time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if due, ok := a.due[id]; ok && now.Before(due) && due.Sub(now) <= maxAccessInterval {
		return false
	}
	a.set(id, now, interval)
	return true
}

// postponeWrite lets the next write be due after a wait, because this one failed.
func (a *accesses) postponeWrite(id string, now time.Time, wait time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.set(id, now, wait)
}

func (a *accesses) set(id string, now time.Time, wait time.Duration) {
	if a.due == nil {
		a.due = map[string]time.Time{}
	}
	if len(a.due) >= maxAccesses {
		a.pruneDue(now)
	}
	a.due[id] = now.Add(wait)
}

// pruneDue drops what is due anyway, and if that is nothing, everything: forgetting
// costs a write too many and no more.
func (a *accesses) pruneDue(now time.Time) {
	for id, due := range a.due {
		if !now.Before(due) {
			delete(a.due, id)
		}
	}
	if len(a.due) >= maxAccesses {
		clear(a.due)
	}
}
