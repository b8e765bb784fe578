package mint

import "time"

// Status is how a ring stands, for health checks and for people.
type Status struct {
	// Keys are those that are published.
	Keys []KeyStatus
	// Denied are the kids that an emergency took out.
	Denied []string
	// RefreshedAt is when this node last read the ring from the store with success.
	RefreshedAt time.Time
	// Err is why it could not since; nil if it could.
	Err error
}

// KeyStatus is how one key stands. A time is zero where it has not come.
type KeyStatus struct {
	ID, Algorithm string
	// State is "next", "active" or "retired".
	State                               string
	PublishedAt, ActivatedAt, RetiredAt time.Time
}

// Status tells how the ring stands. It does not wait for the store.
func (r *Ring) Status() Status {
	held, h := r.current.Load().keys, r.health.Load()
	s := Status{Denied: held.denied, RefreshedAt: h.refreshedAt, Err: h.err}
	for _, k := range held.list {
		s.Keys = append(s.Keys, KeyStatus{
			ID: k.public.ID, Algorithm: k.public.Algorithm, State: string(k.state),
			PublishedAt: k.publishedAt, ActivatedAt: k.activatedAt, RetiredAt: k.retiredAt,
		})
	}
	return s
}

// health is how the last look at the store went.
type health struct {
	refreshedAt time.Time
	err         error
}

func (r *Ring) noteHealth(err error) {
	h := health{err: err}
	if err == nil {
		h.refreshedAt = r.now()
	} else if before := r.health.Load(); before != nil {
		h.refreshedAt = before.refreshedAt
	}
	r.health.Store(&h)
}
