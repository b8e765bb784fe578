package storetest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var limitCases = map[string]func(*subject){
	"limits/names refused":   limitNamesRefused,
	"limits/names allowed":   limitNamesAllowed,
	"limits/value":           limitValue,
	"limits/ops":             limitOps,
	"limits/tags":            limitTags,
	"limits/senseless ops":   limitSenseless,
	"limits/sizes add up":    limitSizesAddUp,
	"limits/a refusal is it": limitRefusalChangesNothing,
}

var badNames = []string{
	"", " ", "a b", "a/b", "a\\b", "{a}", "a}", "ä", "a\x00", "a\nb", "a\r\nSET x y", "a*", "a?", "a[b]",
	"a,b", "a;b", "a'b", "a\"b", "a%2f", "a#b", "a@b", "a|b", "\xff", strings.Repeat("n", store.MaxName+1),
}

func limitNamesRefused(s *subject) {
	ctx := s.Context()
	for _, bad := range badNames {
		_, get := s.Get(ctx, bad, "a")
		_, getKey := s.Get(ctx, partition, "a", bad)
		_, list := s.List(ctx, bad)
		for call, err := range map[string]error{
			"Get partition":   get,
			"Get key":         getKey,
			"List":            list,
			"Apply partition": s.Apply(ctx, bad, put("a", "x", 0)),
			"Apply key":       s.Apply(ctx, partition, put("a", "x", 0), put(bad, "x", 0)),
			"Apply tag":       s.Apply(ctx, partition, tagged("a", 0, "fine", bad)),
			"Touch partition": s.Touch(ctx, bad, "a", s.clock.In(time.Hour)),
			"Touch key":       s.Touch(ctx, partition, bad, s.clock.In(time.Hour)),
		} {
			if !errors.Is(err, store.ErrName) {
				s.Errorf("%s %q: %v, want %v", call, bad, err, store.ErrName)
			}
		}
	}
	s.absent("a")
}

func limitNamesAllowed(s *subject) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:._~=-"
	long := strings.Repeat("n", store.MaxName)
	for _, name := range []string{alphabet, long, ":", "-", "..", "~=", "0"} {
		if err := s.Apply(s.Context(), name, tagged(name, 0, name)); err != nil {
			s.Fatalf("%q: %v", name, err)
		}
		if r := s.getIn(name, name); string(r.Value) != "tagged" {
			s.Errorf("%q holds %q", name, r.Value)
		}
		s.names(name, store.Ref{Partition: name, Key: name})
	}
}

// largest is a value of which every store takes one, also one that needs some of
// the memory for itself.
const largest = store.MaxValue - 256

func limitValue(s *subject) {
	full := strings.Repeat("v", largest)
	s.mustApply(put("a", full, 0))
	s.holds("a", full, 1)
	s.refused(store.ErrTooLarge, put("a", strings.Repeat("v", store.MaxValue+1), 1))
	s.holds("a", full, 1)
}

func limitOps(s *subject) {
	ops := make([]store.Op, store.MaxOps)
	for i := range ops {
		ops[i] = put(fmt.Sprintf("k%d", i), "x", 0)
	}
	s.refused(store.ErrTooLarge, append(ops, put("more", "x", 0))...)
	s.absent("k0")
	s.mustApply(ops...)
	s.holds(fmt.Sprintf("k%d", store.MaxOps-1), "x", 1)
}

func limitTags(s *subject) {
	tags := make([]string, store.MaxTags+1)
	for i := range tags {
		tags[i] = fmt.Sprintf("t:%d", i)
	}
	s.refused(store.ErrTooLarge, tagged("a", 0, tags...))
	s.mustApply(tagged("a", 0, tags[:store.MaxTags]...))
	s.names("t:0", here("a"))
}

func limitSenseless(s *subject) {
	s.refused(store.ErrOp, store.Op{Key: "a", Value: []byte{}})
	s.refused(store.ErrOp, put("a", "1", 0), put("b", "1", 0), put("a", "2", 1))
	s.refused(store.ErrOp, store.Op{Key: "a", Value: []byte("x"), Blind: true, Expect: 1})
	s.absent("a")
	s.absent("b")
}

// limitSizesAddUp has an Apply of several large values.
func limitSizesAddUp(s *subject) {
	full := strings.Repeat("v", largest)
	s.mustApply(put("a", full, 0), put("b", full, 0), put("c", full, 0))
	s.holds("b", full, 1)
}

func limitRefusalChangesNothing(s *subject) {
	s.mustApply(put("a", "1", 0))
	s.refused(store.ErrName, put("a", "2", 1), put("b b", "1", 0))
	s.refused(store.ErrOp, put("a", "2", 1), store.Op{Key: "b", Value: []byte{}})
	s.holds("a", "1", 1)
}
