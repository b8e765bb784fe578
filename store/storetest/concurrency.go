package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

var concurrencyCases = map[string]func(*subject){
	"concurrent/no lost update":      concurrentNoLostUpdate,
	"concurrent/nobody is starved":   concurrentUpdates,
	"concurrent/one creator":         concurrentOneCreator,
	"concurrent/reads see one state": concurrentOneState,
	"concurrent/always named":        concurrentAlwaysNamed,
	"concurrent/one key is made":     concurrentOneKey,
	"concurrent/touch and apply":     concurrentTouch,
}

const workers = 16

func partitionOf(worker int) string { return "s:" + strconv.Itoa(worker) }

// inParallel runs the function in n goroutines and fails the test if one fails.
func (s *subject) inParallel(n int, work func(worker int) error) {
	s.Helper()
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = work(i) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		s.Fatal(err)
	}
}

// count raises the number in a record n times.
func (s *subject) count(partition, key string, n int) error {
	for range n {
		err := store.Update(context.Background(), func(ctx context.Context) error {
			return s.increment(ctx, partition, key)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *subject) increment(ctx context.Context, partition, key string) error {
	records, err := s.Get(ctx, partition, key)
	if err != nil {
		return err
	}
	value := 0
	if records[0].Exists() {
		if value, err = strconv.Atoi(string(records[0].Value)); err != nil {
			return err
		}
	}
	return s.Apply(ctx, partition, put(key, strconv.Itoa(value+1), records[0].Version))
}

// concurrentUpdates has more writers of one record than a gateway ever lets at it:
// each gets its turn.
func concurrentUpdates(s *subject) {
	const many = 64
	s.inParallel(many, func(int) error { return s.count(partition, "n", 1) })
	s.holds("n", strconv.Itoa(many), many)
}

func concurrentNoLostUpdate(s *subject) {
	const each = 10
	s.inParallel(workers, func(int) error { return s.count(partition, "n", each) })
	s.holds("n", strconv.Itoa(workers*each), workers*each)
}

func concurrentOneCreator(s *subject) {
	for round := range 10 {
		key := fmt.Sprintf("k%d", round)
		var winners atomic.Int32
		var value atomic.Value
		s.inParallel(workers, func(worker int) error {
			mine := strconv.Itoa(worker)
			err := s.Apply(context.Background(), partition, put(key, mine, 0))
			if errors.Is(err, store.ErrConflict) {
				return nil
			}
			winners.Add(1)
			value.Store(mine)
			return err
		})
		if n := winners.Load(); n != 1 {
			s.Fatalf("%d created the record, want 1", n)
		}
		s.holds(key, value.Load().(string), 1)
	}
}

// concurrentOneState has a writer that changes two records together, for as long as
// readers read both; they must never see one changed without the other.
func concurrentOneState(s *subject) {
	const readers, reads = 4, 50
	var reading sync.WaitGroup
	var left atomic.Int32
	left.Store(readers)
	torn := make(chan string, readers)
	for range readers {
		reading.Go(func() {
			defer left.Add(-1)
			for range reads {
				records, err := s.Get(context.Background(), partition, "a", "b")
				if err != nil || string(records[0].Value) != string(records[1].Value) ||
					records[0].Version != records[1].Version {
					torn <- fmt.Sprint(records, err)
					return
				}
			}
		})
	}
	for v := uint64(0); left.Load() > 0; v++ {
		s.mustApply(put("a", fmt.Sprint(v), v), put("b", fmt.Sprint(v), v))
	}
	reading.Wait()
	close(torn)
	for what := range torn {
		s.Error(what)
	}
}

// concurrentAlwaysNamed lists a tag again and again while records come, change
// and go: whatever was written and is not being deleted must be named.
func concurrentAlwaysNamed(s *subject) {
	s.inParallel(8, func(worker int) error {
		p := partitionOf(worker)
		for range 20 {
			if err := s.Apply(context.Background(), p, tagged("a", 0, "m:one")); err != nil {
				return err
			}
			refs, err := s.List(context.Background(), "m:one")
			if err != nil {
				return err
			}
			if !contains(refs, store.Ref{Partition: p, Key: "a"}) {
				return fmt.Errorf("%s is not named after it was written", p)
			}
			if err := s.Apply(context.Background(), p, store.Op{Key: "a", Expect: 1}); err != nil {
				return err
			}
		}
		return nil
	})
}

func contains(refs []store.Ref, ref store.Ref) bool {
	for _, r := range refs {
		if r == ref {
			return true
		}
	}
	return false
}

func concurrentOneKey(s *subject) {
	keys := make([]string, workers)
	s.inParallel(workers, func(worker int) error {
		key, err := store.Key(context.Background(), s.Store, "id", rand.Reader)
		keys[worker] = string(key)
		return err
	})
	for _, key := range keys {
		if key != keys[0] || len(key) != store.KeyBytes {
			s.Fatal("two makers ended with different keys")
		}
	}
}

func concurrentTouch(s *subject) {
	s.inParallel(8, func(worker int) error {
		p := partitionOf(worker % 2)
		if worker < 2 {
			return s.count(p, "a", 50)
		}
		for i := range 50 {
			until := s.clock.In(time.Hour + time.Duration(i)*time.Second)
			if err := s.Touch(context.Background(), p, "a", until); err != nil {
				return err
			}
		}
		return nil
	})
	for worker := range 2 {
		if r := s.getIn(partitionOf(worker), "a"); string(r.Value) != "50" || r.Version != 50 {
			s.Errorf("%s is %q version %d, want 50", partitionOf(worker), r.Value, r.Version)
		}
	}
}
