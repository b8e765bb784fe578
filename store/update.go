package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Update reads, decides and writes records as one change: it calls attempt until
// that no longer answers an [ErrConflict], with the bounds and pauses of the zero
// [Updater].
//
//	err := store.Update(ctx, func(ctx context.Context) error {
//		records, err := s.Get(ctx, partition, key)
//		if err != nil {
//			return err
//		}
//		return s.Apply(ctx, partition, changed(records[0]))
//	})
func Update(ctx context.Context, attempt func(context.Context) error) error {
	return Updater{}.Update(ctx, attempt)
}

// An Updater bounds an optimistic change: how often and how long it is begun anew
// while other writers are first. The zero value is a good choice.
type Updater struct {
	// Tries is how often the change is attempted. Default: 100.
	Tries int
	// Within is how long after the first attempt the last one may begin.
	// Default: 5 s.
	Within time.Duration
	// Now tells the time. Default: time.Now.
	Now func() time.Time
	// Random answers a number in [0, 1), by which the writers that collide spread
	// out. It decides nothing else. Default: math/rand.
	Random func() float64
}

// The pauses between attempts are random, up to a bound that doubles from the
// first to the last of these ("full jitter"): each collision has one winner, so
// those who lost must not meet again at the same moment.
const (
	firstPause = time.Millisecond
	lastPause  = 64 * time.Millisecond
)

// Update calls attempt, again after a pause while it answers an ErrConflict. Each
// attempt reads anew, and so may run several times: it has no effect besides its
// Apply. Any other answer, nil included, is returned as it is. The error is an
// ErrBusy where the bounds are reached, and that of ctx where it ends between two
// attempts.
func (u Updater) Update(ctx context.Context, attempt func(context.Context) error) error {
	u = u.withDefaults()
	end := u.Now().Add(u.Within)
	most := firstPause
	for range u.Tries {
		if err := attempt(ctx); !errors.Is(err, ErrConflict) {
			return err
		}
		pause := time.Duration(u.Random() * float64(most))
		if u.Now().Add(pause).After(end) {
			break
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
		most = min(2*most, lastPause)
	}
	return fmt.Errorf("%w: other writers were first in up to %d attempts within %s", ErrBusy, u.Tries, u.Within)
}

func (u Updater) withDefaults() Updater {
	if u.Tries <= 0 {
		u.Tries = 100
	}
	if u.Within <= 0 {
		u.Within = 5 * time.Second
	}
	if u.Now == nil {
		u.Now = time.Now
	}
	if u.Random == nil {
		u.Random = rand.Float64
	}
	return u
}

func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
