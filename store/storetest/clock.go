package storetest

import (
	"sync"
	"time"
)

// A Clock stands still until it is advanced. It begins at the present, so that
// a server with a clock of its own agrees with it.
type Clock struct {
	mu        sync.Mutex
	now       time.Time
	onAdvance []func(time.Duration)
}

// NewClock makes a clock that shows the present, to the millisecond.
func NewClock() *Clock {
	return &Clock{now: time.Now().Truncate(time.Millisecond).UTC()}
}

// Now is what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// In is the time d from now.
func (c *Clock) In(d time.Duration) time.Time { return c.Now().Add(d) }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	hooks := c.onAdvance
	c.mu.Unlock()
	for _, hook := range hooks {
		hook(d)
	}
}

// OnAdvance makes every later Advance call fn with the time that passed. It is
// for a backend that expires records by a clock of its own.
func (c *Clock) OnAdvance(fn func(time.Duration)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onAdvance = append(c.onAdvance, fn)
}
