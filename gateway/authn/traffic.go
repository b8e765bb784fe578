package authn

import (
	"sync"
	"time"
)

// Traffic counts, for each profile and minute of the last hour, the requests that were
// admitted and refused. Make it with NewTraffic; it is safe for concurrent use.
type Traffic struct {
	mu       sync.Mutex
	profiles map[string]*[minutes]minuteCount
	now      func() time.Time
}

const minutes = 60

type minuteCount struct {
	minute            int64 // since 1970
	admitted, refused int
}

// NewTraffic makes one that has counted nothing.
func NewTraffic(now func() time.Time) *Traffic {
	return &Traffic{profiles: map[string]*[minutes]minuteCount{}, now: now}
}

// count counts one request. Profiles come from the configuration, so that there are
// few of them.
func (t *Traffic) count(d Decided) {
	if d.Observed || d.Door != "proxy" && d.Code == "" {
		return // a call of the API is of no profile
	}
	minute := t.now().Unix() / 60
	t.mu.Lock()
	defer t.mu.Unlock()
	ring := t.profiles[d.Profile]
	if ring == nil {
		ring = new([minutes]minuteCount)
		t.profiles[d.Profile] = ring
	}
	c := &ring[minute%minutes]
	if c.minute != minute {
		*c = minuteCount{minute: minute}
	}
	if d.Code != "" {
		c.refused++
	} else if !d.Anonymous {
		c.admitted++
	}
}

// A Minute is how many requests were admitted and refused in it.
type Minute struct {
	At                time.Time
	Admitted, Refused int
}

// LastHour answers the last 60 minutes of each profile, the oldest first.
func (t *Traffic) LastHour() map[string][]Minute {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.now().Unix() / 60
	hours := make(map[string][]Minute, len(t.profiles))
	for profile, ring := range t.profiles {
		for minute := last - minutes + 1; minute <= last; minute++ {
			m := Minute{At: time.Unix(minute*60, 0)}
			if c := ring[minute%minutes]; c.minute == minute {
				m.Admitted, m.Refused = c.admitted, c.refused
			}
			hours[profile] = append(hours[profile], m)
		}
	}
	return hours
}

// Decide tells of a request that was admitted or refused.
func (a *Authenticator) Decide(d Decided) {
	a.Traffic.count(d)
	a.Observers.Decided(d)
}
