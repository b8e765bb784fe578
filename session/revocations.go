package session

import (
	"hash/maphash"
	"sync"
	"time"
)

// revocationShards spreads the lock that every request passes.
const revocationShards = 32

// Revocations are the revocations that one node knows of, each kept until its
// session could not be alive any more in any store. A node enforces its own at once,
// whether or not the store took them, and whatever the store says later. One
// Revocations serves all Managers of a process and outlives their reloads. Of
// sessions that could be read it is never full, since to forget a revocation is to
// undo it; ids that no read has confirmed are bounded, since callers can make them
// up.
type Revocations struct {
	now     func() time.Time
	seed    maphash.Seed
	shards  [revocationShards]revocationShard
	members memberRevocations
}

type revocationShard struct {
	mu      sync.RWMutex
	entries map[string]revocation
	unread  int // entries whose session no read has shown
	sweepAt int // at this many entries, look for those past their end
}

// maxUnread is how many revocations of one shard may be of ids that no read has
// confirmed: 100,000 in all.
const maxUnread = 100_000 / revocationShards

// revocation is one entry.
type revocation struct {
	at      time.Time // what started after that is another session
	until   time.Time
	pending time.Time // one that the store has yet to take; zero: none
	unread  bool      // no read has shown the session since
	// may refuses what the callers of a pending revocation may not end; nil: nothing.
	may func(Session) error
}

// latest is when the session was revoked, as far as this node knows.
func (e revocation) latest() time.Time { return laterOf(e.at, e.pending) }

// NewRevocations makes an empty set that reads the time from now (nil: time.Now).
func NewRevocations(now func() time.Time) *Revocations {
	if now == nil {
		now = time.Now
	}
	return &Revocations{now: now, seed: maphash.MakeSeed()}
}

// Covers tells whether this session, as old as it is, has been revoked.
func (r *Revocations) Covers(s Session) bool {
	e, ok := r.find(s.ID)
	return ok && e.covers(s)
}

// refuses tells whether the session shows that the pending revocation was not its
// callers' to make.
func (e revocation) refuses(s Session) bool {
	return !e.pending.IsZero() && e.may != nil && e.may(s) != nil
}

// covers: as long as a revocation is pending it covers the session whenever that
// started; by the clock of another node it may be later than now.
func (e revocation) covers(s Session) bool {
	return !e.pending.IsZero() || !s.StartedAt.After(e.at)
}

// Len is how many revocations are kept.
func (r *Revocations) Len() int {
	n := 0
	for i := range r.shards {
		r.shards[i].mu.RLock()
		n += len(r.shards[i].entries)
		r.shards[i].mu.RUnlock()
	}
	return n
}

func (r *Revocations) shard(id string) *revocationShard {
	return &r.shards[maphash.String(r.seed, id)%revocationShards]
}

func (r *Revocations) find(id string) (revocation, bool) {
	shard := r.shard(id)
	shard.mu.RLock()
	e, ok := shard.entries[id]
	shard.mu.RUnlock()
	return e, ok
}

// note notes a revocation that is about to be written, and answers what was
// known before. Where too many ids are noted that nobody has read, it is not: then
// the store alone decides.
func (r *Revocations) note(id string, at, until time.Time, may func(Session) error) (before revocation) {
	r.put(id, func(e revocation) revocation {
		before = e
		e.may = either(e, may)
		e.unread = e.unread || e.at.IsZero()
		e.pending, e.until = laterOf(e.pending, at), laterOf(e.until, until)
		return e
	})
	return before
}

// either allows what the callers of a pending revocation or the next one may end.
func either(pending revocation, may func(Session) error) func(Session) error {
	if pending.pending.IsZero() {
		return may
	}
	first := pending.may
	if first == nil || may == nil {
		return nil
	}
	return func(s Session) error {
		if first(s) == nil {
			return nil
		}
		return may(s)
	}
}

// pendingIDs are the sessions whose revocation the store has yet to take.
func (r *Revocations) pendingIDs() []string {
	var ids []string
	for i := range r.shards {
		shard := &r.shards[i]
		shard.mu.RLock()
		for id, e := range shard.entries {
			if !e.pending.IsZero() {
				ids = append(ids, id)
			}
		}
		shard.mu.RUnlock()
	}
	return ids
}

// withdraw forgets a pending revocation where the session shows that none of its
// callers may make it. What another caller asked for meanwhile stays.
func (r *Revocations) withdraw(found Session) {
	r.put(found.ID, func(e revocation) revocation {
		if e.refuses(found) {
			return revocation{at: e.at, until: e.until}
		}
		return e
	})
}

// confirmWritten notes that the store holds the session as revoked.
func (r *Revocations) confirmWritten(s Session, until time.Time) {
	if e, ok := r.find(s.ID); ok && e.pending.IsZero() && !e.at.Before(s.RevokedAt) {
		return
	}
	r.put(s.ID, func(e revocation) revocation {
		if e.pending.IsZero() {
			until = laterOf(e.until, until)
		}
		return revocation{at: laterOf(e.at, s.RevokedAt), until: until}
	})
}

// markAbsent notes that a pending revocation needs no writing: the store has no such
// session. One that starts after it is another.
func (r *Revocations) markAbsent(id string) {
	r.put(id, func(e revocation) revocation {
		return revocation{at: e.latest(), until: e.until, unread: true}
	})
}

// restore takes back what was begun, when there turned out to be nothing to end.
func (r *Revocations) restore(id string, before revocation) {
	r.put(id, func(revocation) revocation { return before })
}

// put changes an entry. One that says nothing is removed.
func (r *Revocations) put(id string, change func(revocation) revocation) {
	shard := r.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.entries == nil {
		shard.entries = map[string]revocation{}
	}
	shard.sweep(r.now())
	before := shard.entries[id]
	after := change(before)
	switch {
	case after.latest().IsZero():
		shard.remove(id, before)
	case after.unread && !before.unread && shard.unread >= maxUnread:
		return
	default:
		shard.remove(id, before)
		shard.add(id, after)
	}
}

func (s *revocationShard) add(id string, e revocation) {
	s.entries[id] = e
	if e.unread {
		s.unread++
	}
}

func (s *revocationShard) remove(id string, e revocation) {
	delete(s.entries, id)
	if e.unread {
		s.unread--
	}
}

// sweep drops what has ended, whenever the shard has doubled since the last time or
// has no place for another unread id.
func (s *revocationShard) sweep(now time.Time) {
	if len(s.entries) < s.sweepAt && s.unread < maxUnread {
		return
	}
	for id, e := range s.entries {
		if now.After(e.until) {
			s.remove(id, e)
		}
	}
	s.sweepAt = max(2*len(s.entries), 64)
}
