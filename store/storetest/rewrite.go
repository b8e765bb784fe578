package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var rewriteCases = map[string]func(*subject){
	"rewrite/changes the bytes alone":      rewriteChangesBytes,
	"rewrite/of what has no end":           rewriteEndless,
	"rewrite/of a blind record":            rewriteBlind,
	"rewrite/keeps what Touch set":         rewriteKeepsTouched,
	"rewrite/keeps the end":                rewriteKeepsEnd,
	"rewrite/refuses other bytes":          rewriteRefusesOther,
	"rewrite/refuses what is gone":         rewriteRefusesGone,
	"rewrite/is not told":                  rewriteIsNotTold,
	"rewrite/never loses a change":         rewriteNeverLoses,
	"rewrite/limits":                       rewriteLimits,
	"scan/of nothing":                      scanNothing,
	"scan/names every record":              scanNamesAll,
	"scan/names partitions and keys apart": scanNamesApart,
	"scan/while records come and go":       scanWhileChanging,
	"scan/ends with the error of fn":       scanEnds,
	"scan/ends with its context":           scanEndsWithContext,
}

// rewriter is the store's ability; without it the case is skipped.
func (s *subject) rewriter() store.Rewriter {
	s.Helper()
	r, ok := s.Store.(store.Rewriter)
	if !ok {
		s.Skip("the store is no Rewriter")
	}
	return r
}

func (s *subject) rewrite(key, old, new string) error {
	s.Helper()
	return s.rewriter().Rewrite(s.Context(), here(key), []byte(old), []byte(new))
}

func (s *subject) mustRewrite(key, old, new string) {
	s.Helper()
	if err := s.rewrite(key, old, new); err != nil {
		s.Fatalf("Rewrite: %v", err)
	}
}

func rewriteChangesBytes(s *subject) {
	s.rewriter()
	op := s.idle("a")
	op.Tags = []string{"m:one", "m:two"}
	s.mustApply(op, put("b", "beside", 0))
	s.mustRewrite("a", "mortal", "longer than it was")
	s.holds("a", "longer than it was", 1)
	if r := s.get("a"); !r.ExpiresAt.Equal(op.ExpiresAt) {
		s.Errorf("it ends at %v, want %v", r.ExpiresAt, op.ExpiresAt)
	}
	s.holds("b", "beside", 1)
	s.names("m:one", here("a"))
	s.names("m:two", here("a"))
	s.mustRewrite("a", "longer than it was", "s")
	s.refused(store.ErrConflict, put("a", "x", 0))
	op.Value, op.Expect = []byte("next"), 1
	s.mustApply(op)
	s.holds("a", "next", 2)
	s.clock.Advance(time.Hour)
	s.absent("a")
	s.holds("b", "beside", 1)
}

func rewriteEndless(s *subject) {
	s.rewriter()
	s.mustApply(put("a", "1", 0), put("b", "1", 0))
	s.mustRewrite("a", "1", "2")
	s.clock.Advance(10000 * time.Hour)
	s.holds("a", "2", 1)
	if r := s.get("a"); !r.ExpiresAt.IsZero() {
		s.Errorf("it ends at %v", r.ExpiresAt)
	}
}

func rewriteBlind(s *subject) {
	s.rewriter()
	op := s.idle("access")
	op.Blind = true
	s.mustApply(op)
	s.mustRewrite("access", "mortal", "anew")
	s.holds("access", "anew", 0)
	s.mustApply(op)
	s.holds("access", "mortal", 0)
	if err := s.rewrite("access", "anew", "again"); !errors.Is(err, store.ErrConflict) {
		s.Errorf("over a later blind write: %v", err)
	}
}

func rewriteKeepsTouched(s *subject) {
	s.rewriter()
	s.mustApply(s.idle("a"))
	s.touch("a", s.clock.In(10*time.Hour))
	s.mustRewrite("a", "mortal", "anew")
	s.clock.Advance(10*time.Hour - slack)
	s.holds("a", "anew", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

// rewriteKeepsEnd: no Touch moves a record that was rewritten past its end.
func rewriteKeepsEnd(s *subject) {
	s.rewriter()
	s.mustApply(s.idle("a"))
	s.mustRewrite("a", "mortal", "anew")
	s.touch("a", time.Time{})
	s.clock.Advance(60*time.Hour - slack)
	s.holds("a", "anew", 1)
	s.clock.Advance(slack)
	s.absent("a")
}

func rewriteRefusesOther(s *subject) {
	s.rewriter()
	s.mustApply(put("a", "value", 0))
	for _, other := range []string{"v", "valu", "value ", "VALUE", "\x00value", "other"} {
		if err := s.rewrite("a", other, "new"); !errors.Is(err, store.ErrConflict) {
			s.Errorf("Rewrite of %q: %v, want %v", other, err, store.ErrConflict)
		}
	}
	s.holds("a", "value", 1)
}

func rewriteRefusesGone(s *subject) {
	s.rewriter()
	s.mustApply(put("deleted", "mortal", 0), s.mortal("expired", 0, time.Hour))
	s.mustApply(store.Op{Key: "deleted", Expect: 1})
	s.clock.Advance(time.Hour)
	for _, key := range []string{"never", "deleted", "expired"} {
		if err := s.rewrite(key, "mortal", "new"); !errors.Is(err, store.ErrConflict) {
			s.Errorf("Rewrite of one %s: %v, want %v", key, err, store.ErrConflict)
		}
		s.absent(key)
	}
}

// rewriteIsNotTold compares with a record that was written with the other: a late report of
// that is of both.
func rewriteIsNotTold(s *subject) {
	s.rewriter()
	s.mustApply(put("beside", "1", 0), put("a", "1", 0))
	w := watching(s, s.Store)
	s.mustRewrite("a", "1", "2")
	s.mustApply(put("last", "1", 0))
	w.await(func(events []store.Event) bool { return told(events, here("last")) > 0 })
	events := w.all()
	if n, late := told(events, here("a")), told(events, here("beside")); n > late {
		s.Errorf("told %d times of a record that did not change, and %d times of the one beside it", n, late)
	}
}

// rewriteNeverLoses counts in a record while it is rewritten all the time, with
// zeros before the number that mean nothing.
func rewriteNeverLoses(s *subject) {
	r := s.rewriter()
	const counters, each = 4, 25
	var left, rewritten atomic.Int32
	left.Store(counters)
	s.inParallel(2*counters, func(worker int) error {
		if worker < counters {
			defer left.Add(-1)
			return s.count(partition, "n", each)
		}
		for left.Load() > 0 {
			value := s.get("n").Value
			if len(value) == 0 {
				continue
			}
			n, err := strconv.Atoi(string(value))
			if err != nil {
				return err
			}
			err = r.Rewrite(context.Background(), here("n"), value, fmt.Appendf(nil, "%08d", n))
			if err == nil {
				rewritten.Add(1)
			} else if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
		return nil
	})
	got := s.get("n")
	if n, err := strconv.Atoi(string(got.Value)); err != nil || n != counters*each || got.Version != counters*each {
		s.Errorf("%q version %d, want %d (rewritten %d times)", got.Value, got.Version, counters*each, rewritten.Load())
	}
}

func rewriteLimits(s *subject) {
	r := s.rewriter()
	s.mustApply(put("a", "1", 0))
	for _, bad := range badNames {
		for _, ref := range []store.Ref{{Partition: bad, Key: "a"}, {Partition: partition, Key: bad}} {
			if err := r.Rewrite(s.Context(), ref, []byte("1"), []byte("2")); !errors.Is(err, store.ErrName) {
				s.Errorf("%q: %v, want %v", ref, err, store.ErrName)
			}
		}
	}
	for old, new := range map[string]string{"": "2", "1": ""} {
		if err := s.rewrite("a", old, new); !errors.Is(err, store.ErrOp) {
			s.Errorf("%q for %q: %v, want %v", new, old, err, store.ErrOp)
		}
	}
	if err := s.rewrite("a", "1", strings.Repeat("v", store.MaxValue+1)); !errors.Is(err, store.ErrTooLarge) {
		s.Errorf("too much: %v, want %v", err, store.ErrTooLarge)
	}
	s.holds("a", "1", 1)
	s.mustRewrite("a", "1", strings.Repeat("v", largest))
	s.holds("a", strings.Repeat("v", largest), 1)
}

// scan counts how often each record is named.
func (s *subject) scan(during func(n int)) map[store.Ref]int {
	s.Helper()
	seen := map[store.Ref]int{}
	running := false
	err := s.rewriter().Scan(s.Context(), func(ref store.Ref) error {
		if running {
			s.Error("fn is called while it runs")
		}
		running = true
		seen[ref]++
		during(len(seen))
		running = false
		return nil
	})
	if err != nil {
		s.Fatalf("Scan: %v", err)
	}
	return seen
}

func scanNothing(s *subject) {
	s.rewriter()
	s.mustApply(put("a", "1", 0))
	s.mustApply(store.Op{Key: "a", Expect: 1})
	if seen := s.scan(func(int) {}); len(seen) > 0 {
		s.Errorf("an empty store names %v", seen)
	}
}

// many writes records of so many partitions, as many of each as one Apply can.
func (s *subject) many(partitions int) (refs []store.Ref) {
	s.Helper()
	for p := range partitions {
		ops := make([]store.Op, store.MaxOps)
		for i := range ops {
			ops[i] = tagged(fmt.Sprintf("k%d", i), 0, "m:one")
			refs = append(refs, store.Ref{Partition: partitionOf(p), Key: ops[i].Key})
		}
		if err := s.Apply(s.Context(), partitionOf(p), ops...); err != nil {
			s.Fatal(err)
		}
	}
	return refs
}

func scanNamesAll(s *subject) {
	s.rewriter()
	refs := s.many(40)
	blind := store.Op{Key: "access", Value: []byte("x"), Blind: true}
	s.mustApply(blind, s.idle("idle"))
	refs = append(refs, here("access"), here("idle"))
	seen := s.scan(func(int) {})
	for _, ref := range refs {
		if seen[ref] == 0 {
			s.Fatalf("%v is not named", ref)
		}
	}
	if len(seen) != len(refs) {
		s.Errorf("it names %d records of %d", len(seen), len(refs))
	}
}

func scanNamesApart(s *subject) {
	s.rewriter()
	want := []store.Ref{{Partition: "a:b", Key: "c"}, {Partition: "a", Key: "b:c"}, {Partition: "a:b:c", Key: "c"}, {Partition: "a", Key: "a"}}
	for _, ref := range want {
		if err := s.Apply(s.Context(), ref.Partition, put(ref.Key, "x", 0)); err != nil {
			s.Fatal(err)
		}
	}
	seen := s.scan(func(int) {})
	for _, ref := range want {
		if seen[ref] == 0 {
			s.Errorf("%v is not named: %v", ref, seen)
		}
	}
}

// scanWhileChanging deletes half of the records and makes others while the scan
// goes on: each of the other half is named.
func scanWhileChanging(s *subject) {
	s.rewriter()
	refs := s.many(20)
	kept, gone := refs[:len(refs)/2], refs[len(refs)/2:]
	seen := s.scan(func(n int) {
		if n > len(gone) {
			return
		}
		ref := gone[n-1]
		err := s.Apply(s.Context(), ref.Partition, store.Op{Key: ref.Key, Expect: 1}, put(fmt.Sprintf("new%d", n), "x", 0))
		if err != nil {
			s.Fatal(err)
		}
	})
	for _, ref := range kept {
		if seen[ref] == 0 {
			s.Fatalf("%v was there all the time and is not named", ref)
		}
	}
}

func scanEnds(s *subject) {
	r := s.rewriter()
	s.many(2)
	calls := 0
	err := r.Scan(s.Context(), func(store.Ref) error {
		calls++
		return io.ErrUnexpectedEOF
	})
	if err != io.ErrUnexpectedEOF || calls != 1 {
		s.Errorf("Scan: %v after %d calls", err, calls)
	}
}

func scanEndsWithContext(s *subject) {
	r := s.rewriter()
	s.many(20)
	ctx, cancel := context.WithCancel(s.Context())
	defer cancel()
	err := r.Scan(ctx, func(store.Ref) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		s.Errorf("Scan: %v, want %v", err, context.Canceled)
	}
}
