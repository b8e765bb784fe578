package memory

import (
	"container/heap"

	"github.com/attestgate/caddy-attest/store"
)

// sweepPerApply is how many expired records one Apply removes beside its own
// work: more than it adds, so that the store never holds many that are dead.
const sweepPerApply = 2 * store.MaxOps

// Sweep removes what has expired and reports how many records that were. Every
// Apply sweeps a little; a store that is only read can be swept by hand.
func (s *Store) Sweep() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeExpired(len(s.due))
}

func (s *Store) removeExpired(most int) int {
	now := store.Millis(s.now())
	for n := range most {
		if len(s.due) == 0 || s.due[0].until > now {
			return n
		}
		s.removeEntry(s.due[0].ref)
	}
	return most
}

// Len is how many records the store holds, expired ones that have not been
// swept included.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

// queue is a heap of the entries that will expire, the soonest first. Each entry
// knows its place, so that one that is rewritten often is in it once.
type queue []*entry

func (q *queue) add(e *entry) {
	e.index = -1
	if e.until != 0 {
		heap.Push(q, e)
	}
}

func (q *queue) discard(e *entry) {
	if e.index >= 0 {
		heap.Remove(q, e.index)
	}
}

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].until < q[j].until }

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push implements heap.Interface.
func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	e.index = -1
	return e
}
