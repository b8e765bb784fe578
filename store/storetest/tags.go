package storetest

import (
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var tagCases = map[string]func(*subject){
	"tags/none":                     tagsNone,
	"tags/across partitions":        tagsAcrossPartitions,
	"tags/several of one record":    tagsSeveral,
	"tags/are replaced":             tagsReplaced,
	"tags/of a blind record":        tagsOfBlind,
	"tags/survive a refused change": tagsSurviveRefusal,
	"tags/return after deletion":    tagsReturn,
	"tags/of many":                  tagsOfMany,
	"tags/of one that expired":      tagsOfExpired,
}

// names fails the test unless List answers all of the refs, each once, and
// nothing that never had the tag. What it names besides must be gone or must
// have had the tag once; callers say so by listing it in formerly.
func (s *subject) names(tag string, want ...store.Ref) {
	s.Helper()
	s.namesOr(tag, nil, want...)
}

func (s *subject) namesOr(tag string, formerly []store.Ref, want ...store.Ref) {
	s.Helper()
	got, err := s.List(s.Context(), tag)
	if err != nil {
		s.Fatalf("List: %v", err)
	}
	seen := map[store.Ref]bool{}
	for _, ref := range got {
		if seen[ref] {
			s.Errorf("List names %v twice", ref)
		}
		seen[ref] = true
		if !slices.Contains(want, ref) && !slices.Contains(formerly, ref) {
			s.Errorf("List names %v, which never had the tag", ref)
		}
	}
	for _, ref := range want {
		if !seen[ref] {
			s.Errorf("List does not name %v", ref)
		}
	}
}

func tagged(key string, expect uint64, tags ...string) store.Op {
	op := put(key, "tagged", expect)
	op.Tags = tags
	return op
}

func here(key string) store.Ref { return store.Ref{Partition: partition, Key: key} }

func tagsNone(s *subject) {
	s.mustApply(put("a", "1", 0))
	s.names("m:one")
}

func tagsAcrossPartitions(s *subject) {
	var want []store.Ref
	for i := range 5 {
		ref := store.Ref{Partition: fmt.Sprintf("s:%d", i), Key: "session"}
		if err := s.Apply(s.Context(), ref.Partition, tagged(ref.Key, 0, "m:one")); err != nil {
			s.Fatal(err)
		}
		want = append(want, ref)
	}
	s.mustApply(tagged("other", 0, "m:two"))
	s.names("m:one", want...)
}

func tagsSeveral(s *subject) {
	s.mustApply(tagged("a", 0, "m:one", "o:one", "m:one"), tagged("b", 0, "o:one"))
	s.names("m:one", here("a"))
	s.names("o:one", here("a"), here("b"))
}

func tagsReplaced(s *subject) {
	s.mustApply(tagged("a", 0, "one", "both"))
	s.mustApply(tagged("a", 1, "two", "both"))
	s.names("two", here("a"))
	s.names("both", here("a"))
	s.namesOr("one", []store.Ref{here("a")})
}

func tagsOfBlind(s *subject) {
	op := tagged("access", 0, "m:one")
	op.Blind = true
	s.mustApply(op)
	s.mustApply(op)
	s.names("m:one", here("access"))
}

func tagsSurviveRefusal(s *subject) {
	s.mustApply(tagged("a", 0, "one"))
	s.refused(store.ErrConflict, tagged("a", 0, "two"))
	s.refused(store.ErrConflict, store.Op{Key: "a", Expect: 2})
	s.names("one", here("a"))
	s.namesOr("two", []store.Ref{here("a")})
}

func tagsReturn(s *subject) {
	s.mustApply(tagged("a", 0, "one"))
	s.mustApply(store.Op{Key: "a", Expect: 1})
	s.namesOr("one", []store.Ref{here("a")})
	s.mustApply(tagged("a", 0, "one"))
	s.names("one", here("a"))
}

func tagsOfMany(s *subject) {
	var want []store.Ref
	for i := range 500 {
		p := fmt.Sprintf("s:%d", i)
		if err := s.Apply(s.Context(), p, tagged("session", 0, "m:one")); err != nil {
			s.Fatal(err)
		}
		want = append(want, store.Ref{Partition: p, Key: "session"})
	}
	s.names("m:one", want...)
}

func tagsOfExpired(s *subject) {
	short, long := s.mortal("short", 0, time.Hour), s.mortal("long", 0, 20*time.Hour)
	short.Tags, long.Tags = []string{"one"}, []string{"one"}
	s.mustApply(short, long, tagged("ever", 0, "one"))
	s.clock.Advance(time.Hour)
	s.namesOr("one", []store.Ref{here("short")}, here("long"), here("ever"))
	s.clock.Advance(20 * time.Hour)
	s.namesOr("one", []store.Ref{here("short"), here("long")}, here("ever"))
}
