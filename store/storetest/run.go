package storetest

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/attestgate/caddy-attest/store"
)

// An Open makes an empty store that keeps time by the clock. What must be
// cleaned up besides closing the store, it registers with t.Cleanup.
type Open func(t *testing.T, clock *Clock) store.Store

// Run puts a backend through everything that the contract of package store
// promises. A store that is an io.Closer is closed by it.
func Run(t *testing.T, open func(t *testing.T, clock *Clock) store.Store) {
	for _, group := range []map[string]func(*subject){
		getCases, casCases, expiryCases, touchCases, tagCases, watchCases, rewriteCases,
		limitCases, contextCases, concurrencyCases, fixtureCases, modelCases,
	} {
		for name, test := range group {
			t.Run(name, func(t *testing.T) { test(newSubject(t, open)) })
		}
	}
}

// subject is one store under test.
type subject struct {
	*testing.T
	store.Store
	clock *Clock
}

func newSubject(t *testing.T, open Open) *subject {
	clock := NewClock()
	s := open(t, clock)
	if c, ok := s.(io.Closer); ok {
		t.Cleanup(func() {
			if err := c.Close(); err != nil && !errors.Is(err, store.ErrClosed) {
				t.Errorf("Close: %v", err)
			}
		})
	}
	return &subject{T: t, Store: s, clock: clock}
}

// partition is where most cases keep their records.
const partition = "s:one"

// mustApply fails the test where Apply does.
func (s *subject) mustApply(ops ...store.Op) {
	s.Helper()
	if err := s.Apply(s.Context(), partition, ops...); err != nil {
		s.Fatalf("Apply: %v", err)
	}
}

// refused fails the test unless Apply answers the error.
func (s *subject) refused(want error, ops ...store.Op) {
	s.Helper()
	if err := s.Apply(s.Context(), partition, ops...); !errors.Is(err, want) {
		s.Fatalf("Apply: %v, want %v", err, want)
	}
}

// get reads one record.
func (s *subject) get(key string) store.Record {
	s.Helper()
	return s.getIn(partition, key)
}

func (s *subject) getIn(partition, key string) store.Record {
	s.Helper()
	records, err := s.Get(s.Context(), partition, key)
	if err != nil {
		s.Fatalf("Get %s: %v", key, err)
	}
	if len(records) != 1 || records[0].Key != key {
		s.Fatalf("Get %s answered %d records: %v", key, len(records), records)
	}
	return records[0]
}

// holds fails the test unless the record has the value and version.
func (s *subject) holds(key, value string, version uint64) {
	s.Helper()
	r := s.get(key)
	if !bytes.Equal(r.Value, []byte(value)) || r.Version != version {
		s.Fatalf("%s is %q version %d, want %q version %d", key, r.Value, r.Version, value, version)
	}
}

// absent fails the test if there is such a record.
func (s *subject) absent(key string) {
	s.Helper()
	r := s.get(key)
	if r.Exists() || r.Version != 0 || !r.ExpiresAt.IsZero() {
		s.Fatalf("%s is %q version %d, want no record", key, r.Value, r.Version)
	}
}

// put is an op that writes a record of the version after expect.
func put(key, value string, expect uint64) store.Op {
	return store.Op{Key: key, Value: []byte(value), Expect: expect}
}
