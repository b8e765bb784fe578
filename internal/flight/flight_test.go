package flight_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attestgate/caddy-attest/internal/flight"
)

func TestAllWhoAskMeanwhileShareOneLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, int]
		var looks atomic.Int32
		release := make(chan struct{})
		look := func(context.Context) (int, error) {
			<-release
			return int(looks.Add(1)), nil
		}
		var all sync.WaitGroup
		for _, key := range []string{"a", "b"} {
			for range 50 {
				all.Go(func() {
					if _, err := g.Do(t.Context(), key, look); err != nil {
						t.Error(err)
					}
				})
			}
		}
		synctest.Wait()
		close(release)
		all.Wait()
		if n := looks.Load(); n != 2 {
			t.Errorf("%d looks for two keys", n)
		}
		if n, _ := g.Do(t.Context(), "a", look); n != 3 {
			t.Errorf("the look after is number %d, want a new one", n)
		}
	})
}

// The context of the first caller ends: the others still get the result.
func TestLookOutlivesWhoBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, string]
		release := make(chan struct{})
		look := func(ctx context.Context) (string, error) {
			<-release
			return "answer", ctx.Err()
		}
		first, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := g.Do(first, "a", look); !errors.Is(err, context.Canceled) {
				t.Errorf("the first got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if got, err := g.Do(t.Context(), "a", look); got != "answer" || err != nil {
				t.Errorf("the second got %q, %v", got, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(release)
		all.Wait()
	})
}

func TestLookIsBoundedByTheGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := flight.Group[string, int]{Timeout: time.Minute}
		began := time.Now()
		_, err := g.Do(t.Context(), "a", func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

func TestPanicIsAnErrorAndEndsTheLook(t *testing.T) {
	var g flight.Group[string, int]
	_, err := g.Do(t.Context(), "a", func(context.Context) (int, error) { panic("no such thing") })
	if err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("got %v", err)
	}
	if n, err := g.Do(t.Context(), "a", func(context.Context) (int, error) { return 1, nil }); n != 1 || err != nil {
		t.Errorf("after it: %d, %v", n, err)
	}
}
