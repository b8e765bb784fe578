package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// RunShared puts two nodes that are connected to one backend through what the
// contract promises across nodes. Open makes both, empty.
func RunShared(t *testing.T, open func(t *testing.T, clock *Clock) (a, b store.Store)) {
	for name, test := range map[string]func(a, b *subject){
		"shared/written here, read there":   sharedRead,
		"shared/one version for all":        sharedVersion,
		"shared/told there within a second": sharedTold,
		"shared/named there":                sharedNamed,
		"shared/no lost update":             sharedNoLostUpdate,
	} {
		t.Run(name, func(t *testing.T) {
			var b store.Store
			one := newSubject(t, func(t *testing.T, clock *Clock) (a store.Store) {
				a, b = open(t, clock)
				return a
			})
			test(one, newSubject(t, func(*testing.T, *Clock) store.Store { return b }))
		})
	}
}

func sharedRead(a, b *subject) {
	for v := range uint64(100) {
		a.mustApply(put("a", strconv.FormatUint(v, 10), 2*v))
		b.holds("a", strconv.FormatUint(v, 10), 2*v+1)
		b.mustApply(put("a", "back", 2*v+1))
		a.holds("a", "back", 2*v+2)
	}
}

func sharedVersion(a, b *subject) {
	a.mustApply(put("a", "1", 0))
	b.refused(store.ErrConflict, put("a", "2", 0))
	b.mustApply(put("a", "2", 1))
	a.refused(store.ErrConflict, put("a", "3", 1))
	b.mustApply(store.Op{Key: "a", Expect: 2})
	a.absent("a")
}

func sharedTold(a, b *subject) {
	w := watching(b, b.Store)
	for i := range 20 {
		ref := here(fmt.Sprintf("k%d", i))
		a.mustApply(put(ref.Key, "x", 0))
		begin := time.Now()
		if !w.await(func(events []store.Event) bool { return told(events, ref) > 0 }) {
			b.Fatalf("the change of %s was never told", ref.Key)
		}
		if took := time.Since(begin); took > time.Second {
			b.Errorf("told after %v", took)
		}
	}
}

func sharedNamed(a, b *subject) {
	a.mustApply(tagged("a", 0, "m:one"))
	b.mustApply(tagged("b", 0, "m:one"))
	a.names("m:one", here("a"), here("b"))
	b.names("m:one", here("a"), here("b"))
}

func sharedNoLostUpdate(a, b *subject) {
	const each = 10
	a.inParallel(workers, func(worker int) error {
		node := a
		if worker%2 == 1 {
			node = b
		}
		return node.count(partition, "n", each)
	})
	b.holds("n", strconv.Itoa(workers*each), workers*each)
	if err := a.Apply(context.Background(), partition, put("n", "x", 1)); !errors.Is(err, store.ErrConflict) {
		a.Errorf("a stale version is answered with %v", err)
	}
}
