package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
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
	// Now is the clock. Default: time.Now.
	Now func() time.Time
	// Random spreads out the writers that collide. Default: crypto/rand.
	Random io.Reader
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
		pause, err := u.pause(most)
		if err != nil {
			return err
		}
		if u.Now().Add(pause).After(end) {
			break
		}
		if err := waitOrEnd(ctx, pause); err != nil {
			return err
		}
		most = min(2*most, lastPause)
	}
	return fmt.Errorf("%w: other writers were first in up to %d attempts within %s", ErrBusy, u.Tries, u.Within)
}

// pause is any up to most.
func (u Updater) pause(most time.Duration) (time.Duration, error) {
	var random [4]byte
	if _, err := io.ReadFull(u.Random, random[:]); err != nil {
		return 0, fmt.Errorf("store: random bytes: %w", err)
	}
	return time.Duration(uint64(most) * uint64(binary.BigEndian.Uint32(random[:])) / math.MaxUint32), nil
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
		u.Random = rand.Reader
	}
	return u
}

func waitOrEnd(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() // both may be ready
	case <-ctx.Done():
		return ctx.Err()
	}
}
