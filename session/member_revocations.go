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
	mu    sync.RWMutex
	notes map[memberName]memberNote
	named map[string]int // how many of them name a member
}

type memberName struct{ organization, member string }

type memberNote struct {
	at      time.Time
	calls   int  // under way
	pending bool // the store could not take one that has ended
}

// NoteMember notes the revocation of all sessions of a member, to be obeyed by this
// node from now on. Where too many are noted it is not: then the store alone decides.
// settle is to be called once: taken tells that the store has taken it, or that it was
// not the caller's to make; otherwise it stays pending.
func (r *Revocations) NoteMember(organization, member string) (settle func(taken bool)) {
	m, name := &r.members, memberName{organization, member}
	m.mu.Lock()
	defer m.mu.Unlock()
	note, noted := m.notes[name]
	if !noted && len(m.notes) >= maxMemberRevocations {
		return func(bool) {}
	}
	if !noted {
		note.at = r.now()
		m.add(name)
	}
	note.calls++
	m.notes[name] = note
	return func(taken bool) { m.settle(name, taken) }
}

func (m *memberRevocations) add(name memberName) {
	if m.notes == nil {
		m.notes, m.named = map[memberName]memberNote{}, map[string]int{}
	}
	m.named[name.member]++
}

// settle ends one call. What another call could not have taken stays pending.
func (m *memberRevocations) settle(name memberName, taken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	note := m.notes[name]
	note.calls--
	note.pending = note.pending || !taken
	m.notes[name] = note
	m.forget(name)
}

func (m *memberRevocations) forget(name memberName) {
	if note, noted := m.notes[name]; !noted || note.pending || note.calls > 0 {
		return
	}
	delete(m.notes, name)
	if m.named[name.member]--; m.named[name.member] == 0 {
		delete(m.named, name.member)
	}
}

// WrittenMember tells that the store has taken a pending revocation.
func (r *Revocations) WrittenMember(w MemberRevocation) {
	m, name := &r.members, memberName{w.Organization, w.Member}
	m.mu.Lock()
	defer m.mu.Unlock()
	if note, noted := m.notes[name]; noted {
		note.pending = false
		m.notes[name] = note
		m.forget(name)
	}
}

// PendingMembers are the revocations that the store has yet to take.
func (r *Revocations) PendingMembers() []MemberRevocation {
	r.members.mu.RLock()
	defer r.members.mu.RUnlock()
	var list []MemberRevocation
	for name, note := range r.members.notes {
		if note.pending {
			list = append(list, MemberRevocation{name.organization, name.member, note.at})
		}
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
