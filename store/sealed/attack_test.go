package sealed_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/sealed"
	"github.com/attestgate/caddy-attest/store/storetest"
)

// attack is a sealed store with two records, a and b, in partitions p and q, each
// at version 2, and what an attacker has copied of it.
type attack struct {
	*testing.T
	inner  *memory.Store
	sealed store.Store
	clock  *storetest.Clock
	former store.Record // p/a at version 1
	alarms []store.Ref
}

func newAttack(t *testing.T) *attack {
	a := &attack{T: t, clock: storetest.NewClock()}
	a.inner = memory.New(a.clock.Now)
	t.Cleanup(func() { a.inner.Close() })
	s, err := sealed.New(a.inner, [][]byte{secretOne}, sealed.Options{
		Now:   a.clock.Now,
		Fault: func(ref store.Ref) { a.alarms = append(a.alarms, ref) },
	})
	if err != nil {
		t.Fatal(err)
	}
	a.sealed = s
	for v := range uint64(2) {
		for _, partition := range []string{"p", "q"} {
			if err := s.Apply(t.Context(), partition, a.mortal("a", v), a.mortal("b", v)); err != nil {
				t.Fatal(err)
			}
		}
		if v == 0 {
			a.former = a.stored("p", "a")
		}
	}
	return a
}

func (a *attack) mortal(key string, expect uint64) store.Op {
	o := op(key, "the value of "+key, expect)
	o.ExpiresAt = a.clock.In(time.Hour)
	return o
}

func (a *attack) stored(partition, key string) store.Record {
	a.Helper()
	records, err := a.inner.Get(a.Context(), partition, key)
	if err != nil || !records[0].Exists() {
		a.Fatalf("%s/%s: %v", partition, key, err)
	}
	return records[0]
}

// place puts bytes into the inner store as p/a, at the version after expect.
func (a *attack) place(value []byte, expect uint64, end time.Time) {
	a.Helper()
	o := store.Op{Key: "a", Value: value, Expect: expect, ExpiresAt: end}
	if err := a.inner.Apply(a.Context(), "p", o); err != nil {
		a.Fatal(err)
	}
}

// remove takes p/a away, so that it can be placed at any version from 1.
func (a *attack) remove() {
	a.Helper()
	if err := a.inner.Apply(a.Context(), "p", store.Op{Key: "a", Expect: a.stored("p", "a").Version}); err != nil {
		a.Fatal(err)
	}
}

// placeAt puts bytes into the inner store as p/a at that very version.
func (a *attack) placeAt(value []byte, version uint64, end time.Time) {
	a.Helper()
	a.remove()
	for v := range version {
		a.place(value, v, end)
	}
}

// attacks are what somebody who writes the inner store can do to p/a.
var attacks = map[string]struct {
	attack func(a *attack)
	reason string
}{
	"forged from nothing": {func(a *attack) {
		a.placeAt(bytes.Repeat([]byte{1}, 100), 2, a.clock.In(time.Hour))
	}, "unknown secret"},
	"forged under the right head": {func(a *attack) {
		r := a.stored("p", "a")
		a.placeAt(append(r.Value[:21:21], make([]byte, 60)...), 2, r.ExpiresAt)
	}, "forged"},
	"sealed by another secret": {func(a *attack) {
		s := seal(a.T, a.inner, sealed.Options{Now: a.clock.Now}, secretTwo)
		if err := s.Apply(a.Context(), "p", a.mortal("a", 2)); err != nil {
			a.Fatal(err)
		}
	}, "unknown secret"},
	"sealed by another secret, key id of ours": {func(a *attack) {
		ours := a.stored("p", "a")
		s := seal(a.T, a.inner, sealed.Options{Now: a.clock.Now}, secretTwo)
		if err := s.Apply(a.Context(), "p", a.mortal("a", 2)); err != nil {
			a.Fatal(err)
		}
		theirs := a.stored("p", "a")
		a.placeAt(append(ours.Value[:9:9], theirs.Value[9:]...), 3, theirs.ExpiresAt)
	}, "forged"},
	"swapped between keys": {func(a *attack) {
		r := a.stored("p", "b")
		a.placeAt(r.Value, 2, r.ExpiresAt)
	}, "forged"},
	"swapped between partitions": {func(a *attack) {
		r := a.stored("q", "a")
		a.placeAt(r.Value, 2, r.ExpiresAt)
	}, "forged"},
	"former version as the next": {func(a *attack) {
		a.place(a.former.Value, 2, a.former.ExpiresAt)
	}, "forged"},
	"former version as the present one": {func(a *attack) {
		a.placeAt(a.former.Value, 2, a.former.ExpiresAt)
	}, "forged"},
	"versioned as blind": {func(a *attack) {
		a.remove()
		o := store.Op{Key: "a", Value: a.former.Value, Blind: true, ExpiresAt: a.former.ExpiresAt}
		if err := a.inner.Apply(a.Context(), "p", o); err != nil {
			a.Fatal(err)
		}
	}, "forged"},
	"extended": {func(a *attack) {
		r := a.stored("p", "a")
		a.placeAt(append(r.Value, 0), 2, r.ExpiresAt)
	}, "forged"},
	"doubled": {func(a *attack) {
		r := a.stored("p", "a")
		a.placeAt(append(r.Value, r.Value...), 2, r.ExpiresAt)
	}, "forged"},
	"end moved later": {func(a *attack) {
		r := a.stored("p", "a")
		a.placeAt(r.Value, 2, r.ExpiresAt.Add(time.Hour))
	}, "end moved"},
	"end taken away": {func(a *attack) {
		a.placeAt(a.stored("p", "a").Value, 2, time.Time{})
	}, "end moved"},
	"end moved sooner": {func(a *attack) {
		r := a.stored("p", "a")
		a.placeAt(r.Value, 2, r.ExpiresAt.Add(-time.Minute))
	}, "end moved"},
	"newer format": {func(a *attack) {
		r := a.stored("p", "a")
		r.Value[0] = 2
		a.placeAt(r.Value, 2, r.ExpiresAt)
	}, "newer format"},
	"format zero": {func(a *attack) {
		r := a.stored("p", "a")
		r.Value[0] = 0
		a.placeAt(r.Value, 2, r.ExpiresAt)
	}, "malformed"},
}

func TestAttacksAreFaultsWithAnAlarm(t *testing.T) {
	for name, row := range attacks {
		t.Run(name, func(t *testing.T) {
			a := newAttack(t)
			row.attack(a)
			wantBroken(t, a.sealed, "a", row.reason)
			if want := (store.Ref{Partition: "p", Key: "a"}); len(a.alarms) != 1 || a.alarms[0] != want {
				t.Errorf("alarms %v, want one of p/a", a.alarms)
			}
			// What is beside it goes on, and what is broken cannot be written over
			// as if it were absent.
			if r := get(t, a.sealed, "b"); string(r.Value) != "the value of b" {
				t.Errorf("b is %q", r.Value)
			}
			err := a.sealed.Apply(t.Context(), "p", a.mortal("a", 0))
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("created over the broken record: %v", err)
			}
		})
	}
}

// Every cut and every flipped bit is noticed.
func TestTruncatedAndFlipped(t *testing.T) {
	a := newAttack(t)
	r := a.stored("p", "a")
	for n := 1; n < len(r.Value); n++ {
		a.placeAt(r.Value[:n], 2, r.ExpiresAt)
		if _, err := a.sealed.Get(t.Context(), "p", "a"); !errors.Is(err, sealed.ErrBroken) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	for bit := range 8 * len(r.Value) {
		flipped := bytes.Clone(r.Value)
		flipped[bit/8] ^= 1 << (bit % 8)
		a.placeAt(flipped, 2, r.ExpiresAt)
		if _, err := a.sealed.Get(t.Context(), "p", "a"); !errors.Is(err, sealed.ErrBroken) {
			t.Errorf("bit %d flipped: %v", bit, err)
		}
	}
	a.placeAt(r.Value, 2, r.ExpiresAt)
	if got := get(t, a.sealed, "a"); string(got.Value) != "the value of a" {
		t.Errorf("put back, it is %q", got.Value)
	}
}

// Replay: a whole record put back under its own name and version opens, which
// nothing that is kept in the record can prevent. But who has seen a newer
// version cannot be made to write over it, and who writes over it is not undone.
func TestReplayedAtItsOwnVersionLosesEveryRace(t *testing.T) {
	a := newAttack(t)
	seen := get(t, a.sealed, "a")
	a.placeAt(a.former.Value, 1, a.former.ExpiresAt)
	if r := get(t, a.sealed, "a"); r.Version != 1 {
		t.Fatalf("the replayed record has version %d", r.Version)
	}
	err := a.sealed.Apply(t.Context(), "p", op("a", "next", seen.Version))
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("written over the replayed record: %v", err)
	}
}

// A former record that is put back for ever ends when it was to end.
func TestReplayedRecordStillEnds(t *testing.T) {
	a := newAttack(t)
	a.clock.Advance(time.Hour)
	still := a.clock.Now().Add(-time.Hour)
	inner := memory.New(func() time.Time { return still })
	defer inner.Close()
	o := store.Op{Key: "a", Value: a.former.Value, ExpiresAt: a.former.ExpiresAt}
	if err := inner.Apply(t.Context(), "p", o); err != nil {
		t.Fatal(err)
	}
	s := seal(t, inner, sealed.Options{Now: a.clock.Now})
	if r := get(t, s, "a"); r.Exists() {
		t.Errorf("it is %q after its end", r.Value)
	}
}

// FuzzOpen: whatever the store answers, it is the record that was written or a
// fault.
func FuzzOpen(f *testing.F) {
	clock := storetest.NewClock()
	inner := memory.New(clock.Now)
	s, err := sealed.New(inner, [][]byte{secretOne}, sealed.Options{
		Now:  clock.Now,
		Rand: strings.NewReader("twelve bytes"), // every fuzzing process makes the same record
	})
	if err != nil {
		f.Fatal(err)
	}
	if err := s.Apply(f.Context(), "p", op("a", "value", 0)); err != nil {
		f.Fatal(err)
	}
	records, _ := inner.Get(f.Context(), "p", "a")
	genuine := records[0].Value
	f.Add(genuine, uint64(0))
	f.Add(genuine, uint64(1))
	f.Add(genuine[:40], uint64(0))
	f.Add([]byte{}, uint64(0))
	f.Add([]byte{1}, uint64(0))
	f.Fuzz(func(t *testing.T, value []byte, expect uint64) {
		if len(value) == 0 || expect > 3 {
			return
		}
		inner := memory.New(clock.Now)
		defer inner.Close()
		for v := range expect + 1 {
			if err := inner.Apply(t.Context(), "p", store.Op{Key: "a", Value: value, Expect: v}); err != nil {
				t.Skip()
			}
		}
		s, err := sealed.New(inner, [][]byte{secretOne}, sealed.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		records, err := s.Get(t.Context(), "p", "a")
		if good := bytes.Equal(value, genuine) && expect == 0; good != (err == nil) {
			t.Fatalf("genuine is %t, yet: %v, %v", good, records, err)
		}
	})
}
