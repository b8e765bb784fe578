package fleet_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/fleet"
	"github.com/attestgate/caddy-attest/store/memory"
)

// lose empties the store, as FLUSHALL does: nothing tells of it.
func lose(t *testing.T, s store.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		records, err := s.Get(t.Context(), "ring", "key:"+name)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(t.Context(), "ring", store.Op{Key: "key:" + name, Expect: records[0].Version}); err != nil {
			t.Fatal(err)
		}
	}
}

func key(t *testing.T, s *fleet.Store, name string) []byte {
	t.Helper()
	k, err := s.Key(t.Context(), name, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A store that comes back empty split a fleet: the keys were only in the memory of
// those that ran, and whoever started next made others.
func TestKeysThatTheStoreLostAreWrittenBack(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	a, b := fleet.New(backend), fleet.New(backend)
	id, index := key(t, a, "id"), key(t, a, "index")
	key(t, b, "id")
	lose(t, backend, "id", "index")
	for _, node := range []*fleet.Store{a, b} {
		if err := node.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	third := fleet.New(backend)
	if !bytes.Equal(key(t, third, "id"), id) || !bytes.Equal(key(t, third, "index"), index) {
		t.Error("a node that starts later has other keys")
	}
}

func TestConflictEndsAllReadingAndWriting(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	a := fleet.New(backend)
	key(t, a, "id")
	lose(t, backend, "id")
	key(t, fleet.New(backend), "id") // a node that started before a wrote back
	var conflict *fleet.ConflictError
	if err := a.Refresh(t.Context()); !errors.As(err, &conflict) || conflict.Name != "id" {
		t.Fatalf("refresh: %v", err)
	}
	_, get := a.Get(t.Context(), "s:x", "s")
	_, list := a.List(t.Context(), "tag")
	for what, err := range map[string]error{
		"get": get, "list": list,
		"apply": a.Apply(t.Context(), "s:x", store.Op{Key: "s", Value: []byte("x")}),
		"touch": a.Touch(t.Context(), "s:x", "s", time.Time{}),
	} {
		if !errors.Is(err, store.ErrUnavailable) || !errors.As(err, &conflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRefreshMakesNoKey(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	a := fleet.New(backend)
	if err := a.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Key(t.Context(), "id", iotest.ErrReader(errors.New("no randomness"))); err == nil {
		t.Error("there was a key already")
	}
}

func TestConcerns(t *testing.T) {
	s := fleet.New(memory.New(nil))
	for _, row := range []struct {
		event store.Event
		want  bool
	}{
		{store.Event{Flush: true}, true},
		{store.Event{Ref: store.Ref{Partition: "ring", Key: "key:id"}}, true},
		{store.Event{Ref: store.Ref{Partition: "s:x", Key: "s"}}, false},
	} {
		if got := s.Concerns(row.event); got != row.want {
			t.Errorf("%+v: %v", row.event, got)
		}
	}
}

// founding makes a node of a fleet that waits for others.
func founding(b fleet.Backend, wait time.Duration) *fleet.Store {
	s := fleet.New(b)
	s.Founding = wait
	return s
}

// Keys that a store has lost are those of the nodes that run, also for a node that
// starts before they have written them back.
func TestNodeThatStartsOnAnEmptiedStoreWaitsForTheOthers(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	a := fleet.New(backend)
	id, index := key(t, a, "id"), key(t, a, "index")
	lose(t, backend, "id", "index")
	watching := make(chan struct{})
	go func() {
		_ = backend.Watch(t.Context(), func(e store.Event) {
			switch {
			case e.Flush:
				close(watching)
			case a.Concerns(e):
				go func() { _ = a.Refresh(t.Context()) }()
			}
		})
	}()
	<-watching
	later := founding(backend, time.Minute)
	if !bytes.Equal(key(t, later, "index"), index) || !bytes.Equal(key(t, later, "id"), id) {
		t.Error("it has other keys")
	}
}

func TestFirstNodesOfAFleetMakeKeysTogetherAndWaitOnce(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	const wait = 200 * time.Millisecond
	began := time.Now()
	keys := make([]string, 8)
	var nodes sync.WaitGroup
	for i := range keys {
		nodes.Go(func() {
			s := founding(backend, wait)
			keys[i] = string(key(t, s, "index")) + string(key(t, s, "id"))
		})
	}
	nodes.Wait()
	if took := time.Since(began); took < wait || took > 10*wait {
		t.Errorf("it took %s", took)
	}
	if slices.Sort(keys); keys[0] != keys[7] {
		t.Error("they have different keys")
	}
	began = time.Now()
	if key(t, founding(backend, time.Minute), "id"); time.Since(began) > 10*time.Second {
		t.Error("a node that finds keys waits")
	}
}

func TestFoundingEndsWithItsContext(t *testing.T) {
	backend := memory.New(nil)
	defer backend.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := founding(backend, time.Minute).Key(ctx, "id", rand.Reader); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
