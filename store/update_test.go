package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// conflicts answers n conflicts and then last; it counts its calls.
func conflicts(n int, last error, calls *int) func(context.Context) error {
	return func(context.Context) error {
		if *calls++; *calls <= n {
			return fmt.Errorf("written: %w", store.ErrConflict)
		}
		return last
	}
}

func TestUpdateBeginsAnewOnlyAfterAConflict(t *testing.T) {
	fault := errors.New("fault")
	for _, last := range []error{nil, fault, store.ErrBusy, store.ErrUnavailable} {
		calls := 0
		if err := store.Update(t.Context(), conflicts(3, last, &calls)); err != last || calls != 4 {
			t.Errorf("%v after %d calls, want %v after 4", err, calls, last)
		}
	}
}

func TestUpdateEndsBusyAfterItsTries(t *testing.T) {
	calls := 0
	err := store.Updater{Tries: 5}.Update(t.Context(), conflicts(1000, nil, &calls))
	if !errors.Is(err, store.ErrBusy) || errors.Is(err, store.ErrConflict) || calls != 5 {
		t.Errorf("%v after %d calls, want busy after 5", err, calls)
	}
}

// ones is randomness that makes every pause as long as it may be.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0xFF
	}
	return len(p), nil
}

// The pauses grow to their bound and end with the time allowed, not with a
// deadline within an attempt: an attempt that is under way is not an outage.
func TestUpdateEndsBusyAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, calls := time.Now(), 0
		var begun []time.Duration
		u := store.Updater{Tries: 1000, Within: time.Second, Random: ones{}}
		err := u.Update(t.Context(), func(ctx context.Context) error {
			if _, bounded := ctx.Deadline(); bounded {
				t.Error("the attempt has a deadline that its caller did not set")
			}
			begun = append(begun, time.Since(began))
			return conflicts(1000, nil, &calls)(ctx)
		})
		if !errors.Is(err, store.ErrBusy) || time.Since(began) > time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		for i, want := range []time.Duration{0, 1, 3, 7, 15, 31, 63, 127, 191, 255} {
			if begun[i] != want*time.Millisecond {
				t.Errorf("attempt %d began after %s, want %s", i+1, begun[i], want*time.Millisecond)
			}
		}
	})
}

func TestUpdateEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	err := store.Update(ctx, func(ctx context.Context) error {
		cancel()
		return conflicts(1000, nil, &calls)(ctx)
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%v after %d calls", err, calls)
	}
}
