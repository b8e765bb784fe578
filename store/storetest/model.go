package storetest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/store"
)

var modelCases = map[string]func(*subject){
	"model": modelTest,
}

// modelBudget bounds the model test: a hundred rounds where the store is fast, as
// many as there is time for where it is not.
const modelBudget = 5 * time.Second

// modelTest does random things to the store and to a model of thirty lines, and
// compares everything that can be seen of both after each.
func modelTest(s *subject) {
	round, failed, begin := 0, false, time.Now()
	rapid.Check(s, func(t *rapid.T) {
		if !failed && time.Since(begin) > modelBudget {
			return
		}
		defer func() { failed = failed || t.Failed() }()
		round++
		m := &model{t: t, s: s, clock: s.clock, round: round, records: map[store.Ref]*modelRecord{}}
		t.Repeat(map[string]func(*rapid.T){
			"apply":   m.apply,
			"touch":   m.touch,
			"advance": m.advance,
			"":        m.check,
		})
	})
}

type modelRecord struct {
	value          string
	version        uint64
	expires, until time.Time
	tags           []string
}

type model struct {
	t       *rapid.T
	s       *subject
	clock   *Clock
	round   int
	records map[store.Ref]*modelRecord
}

// ref draws one of a few names. Those of every round are new; a key is written
// blind or never.
func (m *model) ref(t *rapid.T, partition string) store.Ref {
	key := rapid.SampledFrom([]string{"a", "b", "blind"}).Draw(t, "key")
	return store.Ref{Partition: partition, Key: key}
}

func (m *model) partition(t *rapid.T) string {
	return fmt.Sprintf("r%d:%d", m.round, rapid.IntRange(0, 1).Draw(t, "partition"))
}

func (m *model) tag(n int) string { return fmt.Sprintf("r%d:tag%d", m.round, n) }

func (m *model) live(ref store.Ref) *modelRecord {
	r := m.records[ref]
	if r == nil || !r.until.IsZero() && !m.clock.Now().Before(r.until) {
		return nil
	}
	return r
}

func (m *model) drawEnd(t *rapid.T, label string) time.Time {
	hours := rapid.IntRange(-2, 30).Draw(t, label)
	if hours < 0 {
		return time.Time{}
	}
	return m.clock.In(time.Duration(hours) * time.Hour)
}

func (m *model) drawOp(t *rapid.T, ref store.Ref) store.Op {
	op := store.Op{Key: ref.Key, Blind: ref.Key == "blind"}
	if !op.Blind {
		op.Expect = m.drawExpect(t, ref)
	}
	if rapid.IntRange(0, 3).Draw(t, "delete") > 0 {
		op.Value = []byte(rapid.StringN(1, 8, -1).Draw(t, "value"))
		op.ExpiresAt, op.Until = m.drawEnd(t, "expires"), m.drawEnd(t, "until")
		for n := range rapid.IntRange(0, 2).Draw(t, "tags") {
			op.Tags = append(op.Tags, m.tag(n))
		}
	}
	return op
}

// drawExpect is mostly right.
func (m *model) drawExpect(t *rapid.T, ref store.Ref) uint64 {
	var right uint64
	if r := m.live(ref); r != nil {
		right = r.version
	}
	if rapid.IntRange(0, 4).Draw(t, "right") > 0 {
		return right
	}
	return uint64(rapid.IntRange(0, 4).Draw(t, "expect"))
}

func (m *model) apply(t *rapid.T) {
	partition := m.partition(t)
	ops := map[store.Ref]store.Op{}
	conflict := false
	for range rapid.IntRange(1, 3).Draw(t, "ops") {
		ref := m.ref(t, partition)
		op := m.drawOp(t, ref)
		ops[ref] = op
	}
	for ref, op := range ops {
		r := m.live(ref)
		conflict = conflict || !op.Blind && (r == nil) != (op.Expect == 0) || !op.Blind && r != nil && r.version != op.Expect
	}
	err := m.s.Apply(m.s.Context(), partition, slices.Collect(maps.Values(ops))...)
	if conflict != errors.Is(err, store.ErrConflict) || !conflict && err != nil {
		t.Fatalf("Apply answered %v, conflict is %t", err, conflict)
	}
	if !conflict {
		m.put(ops)
	}
}

func (m *model) put(ops map[store.Ref]store.Op) {
	for ref, op := range ops {
		delete(m.records, ref)
		if op.Value == nil {
			continue
		}
		r := &modelRecord{value: string(op.Value), expires: op.ExpiresAt, until: op.End(), tags: op.Tags}
		if !op.Blind {
			r.version = op.Expect + 1
		}
		m.records[ref] = r
	}
}

func (m *model) touch(t *rapid.T) {
	ref := m.ref(t, m.partition(t))
	until := m.drawEnd(t, "until")
	if err := m.s.Touch(m.s.Context(), ref.Partition, ref.Key, until); err != nil {
		t.Fatal(err)
	}
	if r := m.live(ref); r != nil {
		r.until = store.Sooner(until, r.expires)
	}
}

func (m *model) advance(t *rapid.T) {
	m.clock.Advance(time.Duration(rapid.IntRange(1, 10).Draw(t, "hours")) * time.Hour)
}

func (m *model) check(t *rapid.T) {
	for p := range 2 {
		partition := fmt.Sprintf("r%d:%d", m.round, p)
		records, err := m.s.Get(m.s.Context(), partition, "a", "b", "blind")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			m.same(t, r, m.live(store.Ref{Partition: partition, Key: r.Key}))
		}
	}
	for n := range 2 {
		m.checkTag(t, m.tag(n))
	}
}

func (m *model) same(t *rapid.T, got store.Record, want *modelRecord) {
	if want == nil {
		want = &modelRecord{}
	}
	if string(got.Value) != want.value || got.Version != want.version || !got.ExpiresAt.Equal(want.expires) {
		t.Fatalf("%s is %q version %d until %v, want %q version %d until %v",
			got.Key, got.Value, got.Version, got.ExpiresAt, want.value, want.version, want.expires)
	}
}

func (m *model) checkTag(t *rapid.T, tag string) {
	refs, err := m.s.List(m.s.Context(), tag)
	if err != nil {
		t.Fatal(err)
	}
	for ref := range m.records {
		if r := m.live(ref); r != nil && slices.Contains(r.tags, tag) && !slices.Contains(refs, ref) {
			t.Fatalf("%s does not name %v", tag, ref)
		}
	}
}
