package storetest

import "github.com/attestgate/caddy-attest/store"

var casCases = map[string]func(*subject){
	"apply/creates once":                  casCreatesOnce,
	"apply/counts versions":               casCountsVersions,
	"apply/refuses a stale version":       casRefusesStale,
	"apply/deletes":                       casDeletes,
	"apply/deleting nothing":              casDeletingNothing,
	"apply/begins anew after a delete":    casBeginsAnew,
	"apply/all or none":                   casAllOrNone,
	"apply/none also of what came before": casNoneOfEarlier,
	"apply/blind":                         casBlind,
	"apply/blind only with the rest":      casBlindWithRest,
	"apply/blind delete":                  casBlindDelete,
	"apply/no ops":                        func(s *subject) { s.mustApply() },
}

func casCreatesOnce(s *subject) {
	s.mustApply(put("a", "first", 0))
	s.refused(store.ErrConflict, put("a", "second", 0))
	s.holds("a", "first", 1)
}

func casCountsVersions(s *subject) {
	for v := range uint64(300) {
		s.mustApply(put("a", "v", v))
	}
	s.holds("a", "v", 300)
}

func casRefusesStale(s *subject) {
	s.refused(store.ErrConflict, put("a", "x", 1))
	s.mustApply(put("a", "1", 0))
	s.mustApply(put("a", "2", 1))
	for _, stale := range []uint64{0, 1, 3, 1 << 40} {
		s.refused(store.ErrConflict, put("a", "x", stale))
	}
	s.holds("a", "2", 2)
}

func casDeletes(s *subject) {
	s.mustApply(put("a", "1", 0))
	s.refused(store.ErrConflict, store.Op{Key: "a"})
	s.refused(store.ErrConflict, store.Op{Key: "a", Expect: 2})
	s.holds("a", "1", 1)
	s.mustApply(store.Op{Key: "a", Expect: 1})
	s.absent("a")
}

func casDeletingNothing(s *subject) {
	s.mustApply(store.Op{Key: "a"})
	s.refused(store.ErrConflict, store.Op{Key: "a", Expect: 1})
	s.absent("a")
}

func casBeginsAnew(s *subject) {
	s.mustApply(put("a", "1", 0))
	s.mustApply(put("a", "2", 1))
	s.mustApply(store.Op{Key: "a", Expect: 2})
	s.refused(store.ErrConflict, put("a", "3", 2))
	s.mustApply(put("a", "3", 0))
	s.holds("a", "3", 1)
}

func casAllOrNone(s *subject) {
	s.mustApply(put("a", "1", 0), put("b", "1", 0))
	s.mustApply(put("a", "2", 1), store.Op{Key: "b", Expect: 1}, put("c", "1", 0))
	s.holds("a", "2", 2)
	s.absent("b")
	s.holds("c", "1", 1)
}

func casNoneOfEarlier(s *subject) {
	s.mustApply(put("a", "1", 0), put("b", "1", 0))
	tagged := put("a", "2", 1)
	tagged.Tags = []string{"m:new"}
	s.refused(store.ErrConflict, tagged, store.Op{Key: "b", Expect: 1}, put("new", "1", 0), put("c", "1", 7))
	s.holds("a", "1", 1)
	s.holds("b", "1", 1)
	s.absent("c")
	s.absent("new")
}

func casBlind(s *subject) {
	for _, value := range []string{"1", "2", "3"} {
		s.mustApply(store.Op{Key: "access", Value: []byte(value), Blind: true})
		s.holds("access", value, 0)
	}
	// It exists, though its version is that of what does not.
	s.refused(store.ErrConflict, put("access", "x", 0))
	s.holds("access", "3", 0)
}

func casBlindWithRest(s *subject) {
	s.mustApply(put("a", "1", 0))
	blind := store.Op{Key: "access", Value: []byte("x"), Blind: true}
	s.refused(store.ErrConflict, blind, put("a", "2", 7))
	s.absent("access")
	s.mustApply(blind, put("a", "2", 1))
	s.holds("access", "x", 0)
	s.holds("a", "2", 2)
}

func casBlindDelete(s *subject) {
	s.mustApply(store.Op{Key: "access", Blind: true})
	s.mustApply(store.Op{Key: "access", Value: []byte("x"), Blind: true})
	s.mustApply(store.Op{Key: "access", Blind: true})
	s.absent("access")
}
