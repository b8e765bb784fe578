package redis

import (
	"maps"
	"slices"
)

// Status is how the store stands at this moment.
type Status struct {
	// Down are the servers that do not answer, by address; those of a Sentinel's
	// primary by the primary's name.
	Down []string
	// Watching is how many Watches are connected.
	Watching int
}

// Status tells how the store stands, without asking anybody.
func (s *Store) Status() Status {
	s.mu.Lock()
	status := Status{Watching: s.watching}
	asked := slices.Collect(maps.Keys(s.breakers))
	s.mu.Unlock()
	for _, b := range asked {
		if b.isDown() {
			status.Down = append(status.Down, s.addressOf(b.client))
		}
	}
	return status
}

func (s *Store) connected(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching += n
}
