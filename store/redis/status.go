package redis

import (
	"maps"
	"slices"
	"time"
)

// Status is how the store stands at this moment.
type Status struct {
	// Down are the servers that do not answer, by address; those of a Sentinel's
	// primary by the primary's name.
	Down []string
	// Watching is how many Watches are connected, as store.Connectivity defines it.
	Watching int
}

// Status reports how the store stands, without asking anybody.
func (s *Store) Status() Status {
	s.mu.Lock()
	asked, links := slices.Collect(maps.Keys(s.breakers)), slices.Collect(maps.Keys(s.links))
	s.mu.Unlock()
	var status Status
	for _, l := range links {
		if now := time.Now(); l.lastConnected(now).Equal(now) {
			status.Watching++
		}
	}
	for _, b := range asked {
		if b.isDown() {
			status.Down = append(status.Down, s.addressOf(b.client))
		}
	}
	return status
}

// LastConnected implements store.Connectivity, for all Watches together.
func (s *Store) LastConnected() time.Time {
	s.mu.Lock()
	links := slices.Collect(maps.Keys(s.links))
	s.mu.Unlock()
	var last time.Time
	now := time.Now()
	for i, l := range links {
		if at := l.lastConnected(now); i == 0 || at.Before(last) {
			last = at
		}
	}
	return last
}

func (s *Store) addLink(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[l] = struct{}{}
}

func (s *Store) removeLink(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, l)
}
