package bolt

import (
	"errors"
	"sync"
)

// A condition is whether a store can still be used. After a panic within bbolt it
// cannot: locks of its may be held for ever, so whoever called it again would wait
// for ever too.
type condition struct {
	once   sync.Once
	broken chan struct{} // closed when it is
	cause  error         // set before
}

func newCondition() *condition { return &condition{broken: make(chan struct{})} }

// guarded is guard that remembers damage.
func (c *condition) guarded(fn func() error) error {
	err := guard(fn)
	if errors.Is(err, ErrDamaged) {
		c.once.Do(func() {
			c.cause = err
			close(c.broken)
		})
	}
	return err
}

// err is the damage, nil while there is none.
func (c *condition) err() error {
	select {
	case <-c.broken:
		return c.cause
	default:
		return nil
	}
}
