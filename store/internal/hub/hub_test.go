package hub_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

func changed(h *hub.Hub, key string, blind bool) {
	h.Changed("p", []store.Op{{Key: key, Blind: blind}})
}

func TestJoinedIsToldUntilItLeaves(t *testing.T) {
	h := hub.New()
	var told []string
	w, err := h.Join(func(e store.Event) { told = append(told, e.Key) })
	if err != nil {
		t.Fatal(err)
	}
	changed(h, "a", false)
	changed(h, "blind", true)
	w.Flush()
	h.Leave(w)
	changed(h, "b", false)
	w.Send(store.Event{Ref: store.Ref{Key: "c"}})
	w.Flush()
	if len(told) != 2 || told[0] != "a" || told[1] != "" {
		t.Errorf("told of %q, want a and a Flush", told)
	}
}

// Changes that race with the beginning of a Watch are reported after its Flush or not
// at all.
func TestWatchIsFlushedFirst(t *testing.T) {
	h := hub.New()
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		for ctx.Err() == nil {
			changed(h, "a", false)
		}
	})
	for range 100 {
		watching, stop := context.WithCancel(t.Context())
		events := 0
		err := h.Watch(watching, func(e store.Event) {
			if events == 0 && !e.Flush {
				t.Error("told of a change before the Flush")
			}
			if events++; events == 3 {
				stop()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Watch returned %v", err)
		}
	}
	cancel()
	wg.Wait()
}

func TestClosed(t *testing.T) {
	h := hub.New()
	ended := make(chan error)
	flushed := make(chan struct{}, 1)
	go func() {
		ended <- h.Watch(context.Background(), func(store.Event) { flushed <- struct{}{} })
	}()
	<-flushed
	h.Close()
	h.Close()
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("Watch returned %v, want %v", err, store.ErrClosed)
	}
	if _, err := h.Join(func(store.Event) {}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Join: %v, want %v", err, store.ErrClosed)
	}
	if err := h.Watch(context.Background(), func(store.Event) {}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Watch: %v, want %v", err, store.ErrClosed)
	}
}
