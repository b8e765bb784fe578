package session

import (
	"hash/maphash"
	"sync"
	"time"
)

// revocationShards spreads the lock that every request passes.
const revocationShards = 32

// Revocations are the revocations that one node knows of, each kept until its
// session could not be alive any more in any store. A node obeys its own at once,
// whether or not the store took them, and whatever the store says later. One
// Revocations serves all Managers of a process and outlives their reloads. It is
// never full: to forget a revocation is to undo it.
type Revocations struct {
	now    func() time.Time
	seed   maphash.Seed
	shards [revocationShards]revocationShard
}

type revocationShard struct {
	mu      sync.RWMutex
	entries map[string]revocation
	sweepAt int // at this many entries, look for those past their end
}

// revocation is one entry.
type revocation struct {
	at      time.Time // what started after that is another session
	until   time.Time
	pending time.Time // one that the store has yet to take; zero: none
}

// latest is when the session was revoked, as far as this node knows.
func (e revocation) latest() time.Time { return later(e.at, e.pending) }

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

// begin notes a revocation that is about to be written, and answers what was
// known before.
func (r *Revocations) begin(id string, at, until time.Time) (before revocation) {
	r.put(id, func(e revocation) revocation {
		before = e
		e.pending, e.until = later(e.pending, at), later(e.until, until)
		return e
	})
	return before
}

// confirm notes that the store holds the session as revoked.
func (r *Revocations) confirm(s Session, until time.Time) {
	if e, ok := r.find(s.ID); ok && e.pending.IsZero() && !e.at.Before(s.RevokedAt) {
		return
	}
	r.put(s.ID, func(e revocation) revocation {
		if e.pending.IsZero() {
			until = later(e.until, until)
		}
		return revocation{at: later(e.at, s.RevokedAt), until: until}
	})
}

// settle notes that a pending revocation needs no writing: the store has no such
// session. One that starts after it is another.
func (r *Revocations) settle(id string) {
	r.put(id, func(e revocation) revocation {
		return revocation{at: e.latest(), until: e.until}
	})
}

// cancel takes back what was begun, when there turned out to be no session.
func (r *Revocations) cancel(id string, before revocation) {
	shard := r.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if before == (revocation{}) {
		delete(shard.entries, id)
		return
	}
	shard.entries[id] = before
}

func (r *Revocations) put(id string, change func(revocation) revocation) {
	shard := r.shard(id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if shard.entries == nil {
		shard.entries = map[string]revocation{}
	}
	shard.sweep(r.now())
	shard.entries[id] = change(shard.entries[id])
}

// sweep drops what has ended, whenever the shard has doubled since the last time.
func (s *revocationShard) sweep(now time.Time) {
	if len(s.entries) < s.sweepAt {
		return
	}
	for id, e := range s.entries {
		if now.After(e.until) {
			delete(s.entries, id)
		}
	}
	s.sweepAt = max(2*len(s.entries), 64)
}
