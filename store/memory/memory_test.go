package memory_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		return memory.New(clock.Now)
	})
}

func TestSharedByTwoOwners(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T, clock *storetest.Clock) (a, b store.Store) {
		s := memory.New(clock.Now)
		return s, s
	})
}

func TestListNamesExactlyWhatIsThere(t *testing.T) {
	clock := storetest.NewClock()
	s := memory.New(clock.Now)
	ctx := t.Context()
	apply(t, s, op("a", 0, "old"), op("b", 0, "old"), op("c", 0, "old"))
	apply(t, s, op("a", 1, "new"), store.Op{Key: "b", Expect: 1})
	refs, err := s.List(ctx, "old")
	if err != nil || len(refs) != 1 || refs[0].Key != "c" {
		t.Errorf("old names %v, %v; want c", refs, err)
	}
}

// F32: what has expired is gone, without anyone asking for it.
func TestExpiredRecordsAreSwept(t *testing.T) {
	clock := storetest.NewClock()
	s := memory.New(clock.Now)
	for i := range 1000 {
		o := op(fmt.Sprintf("k%d", i), 0, "m:one")
		o.ExpiresAt = clock.In(time.Minute)
		apply(t, s, o)
	}
	apply(t, s, op("ever", 0))
	clock.Advance(time.Hour)
	for v := range uint64(10) {
		apply(t, s, op("busy", v))
	}
	if n := s.Len(); n != 2 {
		t.Errorf("%d records after ten writes, want 2", n)
	}
}

func TestSweep(t *testing.T) {
	clock := storetest.NewClock()
	s := memory.New(clock.Now)
	for i := range 10 {
		o := op(fmt.Sprintf("k%d", i), 0)
		o.ExpiresAt = clock.In(time.Duration(i+1) * time.Minute)
		apply(t, s, o)
	}
	if err := s.Touch(t.Context(), "p", "k9", clock.In(time.Second)); err != nil {
		t.Fatal(err)
	}
	clock.Advance(4 * time.Minute)
	if n := s.Sweep(); n != 5 || s.Len() != 5 {
		t.Errorf("swept %d, %d left; want 5 and 5", n, s.Len())
	}
	if n := s.Sweep(); n != 0 {
		t.Errorf("swept %d again", n)
	}
}

// F32: a full store refuses new records and never gives up those it has.
func TestBoundedRefusesRatherThanEvicts(t *testing.T) {
	clock := storetest.NewClock()
	s := memory.NewBounded(clock.Now, 2)
	mortal := op("b", 0)
	mortal.ExpiresAt = clock.In(time.Minute)
	apply(t, s, op("a", 0), mortal)
	err := s.Apply(t.Context(), "p", op("a", 1), op("c", 0))
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("third record: %v, want %v", err, store.ErrFull)
	}
	records, err := s.Get(t.Context(), "p", "a", "b", "c")
	if err != nil || records[0].Version != 1 || !records[1].Exists() || records[2].Exists() {
		t.Errorf("after the refusal: %v, %v", records, err)
	}
	apply(t, s, op("a", 1))
	apply(t, s, store.Op{Key: "a", Expect: 2})
	apply(t, s, op("c", 0))
	clock.Advance(time.Minute)
	apply(t, s, op("d", 0))
}

func op(key string, expect uint64, tags ...string) store.Op {
	return store.Op{Key: key, Value: []byte("x"), Expect: expect, Tags: tags}
}

func apply(t *testing.T, s store.Store, ops ...store.Op) {
	t.Helper()
	if err := s.Apply(t.Context(), "p", ops...); err != nil {
		t.Fatal(err)
	}
}

func ExampleNew() {
	s := memory.New(time.Now)
	defer s.Close()
	ctx := context.Background()

	_ = s.Apply(ctx, "s:one", store.Op{Key: "session", Value: []byte("hello")})
	records, _ := s.Get(ctx, "s:one", "session")
	fmt.Printf("%s, version %d\n", records[0].Value, records[0].Version)

	err := s.Apply(ctx, "s:one", store.Op{Key: "session", Value: []byte("too late")})
	fmt.Println(err)
	// Output:
	// hello, version 1
	// store: version conflict
}
