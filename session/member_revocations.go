package session

import (
	"sync"
	"time"
)

// maxMemberRevocations bounds what callers can make a node remember with ids that
// nobody has read.
const maxMemberRevocations = 100_000

// A MemberRevocation is one of all sessions of a member that the store has not taken
// yet.
type MemberRevocation struct {
	// Organization and Member are as the caller named them; Organization may be empty.
	Organization, Member string
	// At is when it was asked for.
	At time.Time
}

// memberRevocations are noted before anything is read. Until the store has taken one,
// this node accepts no session of the member, whenever it started; see CoversMember.
type memberRevocations struct {
	mu      sync.RWMutex
	pending map[memberName]time.Time
	named   map[string]int // how many of them name a member
}

type memberName struct{ organization, member string }

// NoteMember notes the revocation of all sessions of a member, to be obeyed by this
// node from now on. Where too many are noted it is not: then the store alone decides.
func (r *Revocations) NoteMember(organization, member string) {
	m := &r.members
	m.mu.Lock()
	defer m.mu.Unlock()
	name := memberName{organization, member}
	if _, noted := m.pending[name]; noted || len(m.pending) >= maxMemberRevocations {
		return
	}
	if m.pending == nil {
		m.pending, m.named = map[memberName]time.Time{}, map[string]int{}
	}
	m.pending[name] = r.now()
	m.named[member]++
}

// SettleMember forgets a revocation: the store has taken it, or it was not the
// caller's to make.
func (r *Revocations) SettleMember(organization, member string) {
	m := &r.members
	m.mu.Lock()
	defer m.mu.Unlock()
	name := memberName{organization, member}
	if _, noted := m.pending[name]; !noted {
		return
	}
	delete(m.pending, name)
	if m.named[member]--; m.named[member] == 0 {
		delete(m.named, member)
	}
}

// PendingMembers are the revocations that the store has yet to take.
func (r *Revocations) PendingMembers() []MemberRevocation {
	r.members.mu.RLock()
	defer r.members.mu.RUnlock()
	list := make([]MemberRevocation, 0, len(r.members.pending))
	for name, at := range r.members.pending {
		list = append(list, MemberRevocation{name.organization, name.member, at})
	}
	return list
}

// CoversMember tells whether a revocation of all sessions of the member is pending.
// Member ids are unique, so the organization, which may be named by its slug, does
// not matter.
func (r *Revocations) CoversMember(id string) bool {
	r.members.mu.RLock()
	defer r.members.mu.RUnlock()
	return r.members.named[id] > 0
}
