package sealed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/memory"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
	"github.com/attestgate/caddy-attest/store/sealed"
)

// resealBackends are the stores whose records can be resealed, by the time now and
// as they are run.
var resealBackends = map[string]func(t *testing.T) backend{
	"memory": func(*testing.T) backend { return memory.New(nil) },
	"bolt": func(t *testing.T) backend {
		s, err := bolt.Open(filepath.Join(t.TempDir(), "sessions.db"), bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	},
	"redis": func(t *testing.T) backend {
		return openRedis(t, redis.Config{Addresses: []string{redistest.Start(t).Addr}})
	},
	"redis cluster": func(t *testing.T) backend {
		return openRedis(t, redis.Config{Addresses: redistest.StartCluster(t, 3, 0).Addresses(), Cluster: true})
	},
}

func openRedis(t *testing.T, config redis.Config) backend {
	t.Helper()
	config.Timeout = 10 * time.Second // other tests keep the machine busy
	s, err := redis.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func onEach(t *testing.T, test func(t *testing.T, inner backend)) {
	for name, open := range resealBackends {
		t.Run(name, func(t *testing.T) {
			inner := open(t)
			t.Cleanup(func() { inner.Close() })
			test(t, inner)
		})
	}
}

func reseal(t *testing.T, s owner) sealed.Resealed {
	t.Helper()
	done, err := s.Reseal(t.Context())
	if err != nil {
		t.Fatalf("Reseal: %v", err)
	}
	return done
}

// wantDone compares what must be. A store may name a record twice.
func wantDone(t *testing.T, got sealed.Resealed, seen, rewritten, broken int) {
	t.Helper()
	if got.Seen < seen || got.Rewritten != rewritten || got.Broken < broken || broken == 0 && got.Broken > 0 {
		t.Errorf("Reseal did %+v, want %d seen, %d rewritten, %d broken", got, seen, rewritten, broken)
	}
}

// populate fills partitions with records of every kind: with and without an end,
// blind, tagged, of several versions.
func populate(t *testing.T, s store.Store, partitions int) map[store.Ref]store.Op {
	t.Helper()
	ops := map[store.Ref]store.Op{}
	end := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	for p := range partitions {
		partition := fmt.Sprintf("s:%d", p)
		batch := []store.Op{
			{Key: "endless", Value: []byte("endless"), Tags: []string{"m:one"}},
			{Key: "mortal", Value: []byte("mortal"), ExpiresAt: end, Tags: []string{"m:one", "m:two"}},
			{Key: "idle", Value: []byte("idle"), ExpiresAt: end, Until: end.Add(-time.Minute)},
			{Key: "access", Value: []byte("access"), Blind: true, ExpiresAt: end},
		}
		for v := range uint64(3) {
			for i := range batch {
				if !batch[i].Blind {
					batch[i].Expect = v
				}
			}
			if err := s.Apply(t.Context(), partition, batch...); err != nil {
				t.Fatal(err)
			}
		}
		for _, op := range batch {
			ops[store.Ref{Partition: partition, Key: op.Key}] = op
		}
	}
	return ops
}

// wantAll fails the test unless every record is as it was written.
func wantAll(t *testing.T, s store.Store, ops map[store.Ref]store.Op) {
	t.Helper()
	tagged := 0
	for ref, op := range ops {
		records, err := s.Get(t.Context(), ref.Partition, ref.Key)
		if err != nil {
			t.Fatal(err)
		}
		version := op.Expect + 1
		if op.Blind {
			version = 0
		}
		r := records[0]
		if !bytes.Equal(r.Value, op.Value) || r.Version != version || !r.ExpiresAt.Equal(op.ExpiresAt) {
			t.Fatalf("%v is %q version %d until %v, want %+v", ref, r.Value, r.Version, r.ExpiresAt, op)
		}
		if len(op.Tags) > 0 {
			tagged++
		}
	}
	refs, err := s.List(t.Context(), "m:one")
	if err != nil || len(refs) != tagged {
		t.Errorf("the tag names %d records, want %d; %v", len(refs), tagged, err)
	}
}

// A secret is rotated to the end: after Reseal the former one opens nothing that
// the new one does not, and can go.
func TestResealEndsTheRotation(t *testing.T) {
	onEach(t, func(t *testing.T, inner backend) {
		ops := populate(t, seal(t, inner, sealed.Options{}), 50)
		both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
		wantDone(t, reseal(t, both), len(ops), len(ops), 0)
		wantDone(t, reseal(t, both), len(ops), 0, 0)

		after := seal(t, inner, sealed.Options{}, secretTwo)
		wantAll(t, after, ops)
		wantDone(t, reseal(t, after), len(ops), 0, 0)
		wantBrokenIn(t, seal(t, inner, sealed.Options{}), "s:0", "endless")
	})
}

func wantBrokenIn(t *testing.T, s store.Store, partition, key string) {
	t.Helper()
	if _, err := s.Get(t.Context(), partition, key); !errors.Is(err, sealed.ErrBroken) {
		t.Errorf("%s/%s opens without the secret that sealed it: %v", partition, key, err)
	}
}

// What is sealed with the first secret already is not touched.
func TestResealRewritesOnlyWhatNeedsIt(t *testing.T) {
	onEach(t, func(t *testing.T, inner backend) {
		apply(t, seal(t, inner, sealed.Options{}), op("old", "1", 0), op("renewed", "1", 0))
		both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
		apply(t, both, op("renewed", "2", 1), op("new", "1", 0))
		before := get(t, inner, "new").Value
		wantDone(t, reseal(t, both), 3, 1, 0)
		if !bytes.Equal(before, get(t, inner, "new").Value) {
			t.Error("a record under the first secret was rewritten")
		}
	})
}

// The store's own time-to-live stays where Touch has moved it.
func TestResealKeepsTheTimeToLive(t *testing.T) {
	now := time.Now()
	inner := memory.New(func() time.Time { return now })
	defer inner.Close()
	idle := op("idle", "1", 0)
	idle.ExpiresAt, idle.Until = now.Add(time.Hour), now.Add(time.Minute)
	apply(t, seal(t, inner, sealed.Options{}), idle)
	if err := inner.Touch(t.Context(), "p", "idle", now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
	wantDone(t, reseal(t, both), 1, 1, 0)
	now = now.Add(2*time.Minute - time.Millisecond)
	if r := get(t, both, "idle"); !r.Exists() {
		t.Error("it went before its time")
	}
	now = now.Add(time.Millisecond)
	if r := get(t, both, "idle"); r.Exists() {
		t.Error("it stays for ever")
	}
}

func TestResealKeepsTheTimeToLiveOfRedis(t *testing.T) {
	server := redistest.Start(t)
	inner := openRedis(t, redis.Config{Addresses: []string{server.Addr}})
	defer inner.Close()
	idle := op("idle", "1", 0)
	idle.ExpiresAt, idle.Until = time.Now().Add(time.Hour), time.Now().Add(time.Minute)
	apply(t, seal(t, inner, sealed.Options{}), idle, op("endless", "1", 0))
	ends := func() string {
		return server.CLI("eval", "return redis.call('PTTL',KEYS[1])+redis.call('TIME')[1]*1000", "1", "attest:r:{p}idle")
	}
	before, _ := strconv.Atoi(ends())
	wantDone(t, reseal(t, seal(t, inner, sealed.Options{}, secretTwo, secretOne)), 2, 2, 0)
	if after, _ := strconv.Atoi(ends()); before == 0 || after < before-1000 || after > before+1000 {
		t.Errorf("it ended at %d, now at %d", before, after)
	}
	if left := server.CLI("pttl", "attest:r:{p}endless"); left != "-1" {
		t.Errorf("what had no end has %s ms", left)
	}
}

// Beside writers that have the former secret first, the new one first, and other
// Reseals, no change is lost and nothing is left unreadable.
func TestResealBesideWriters(t *testing.T) {
	onEach(t, func(t *testing.T, inner backend) {
		const counters, each = 4, 30
		former := seal(t, inner, sealed.Options{}, secretOne, secretTwo)
		both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
		apply(t, former, op("n0", "0", 0), op("n1", "0", 0))
		var counting atomic.Int32
		counting.Store(counters)
		var work sync.WaitGroup
		for i := range counters {
			s := []owner{former, both}[i/2]
			work.Go(func() {
				defer counting.Add(-1)
				count(t, s, fmt.Sprint("n", i%2), each)
			})
		}
		for range 2 {
			work.Go(func() { resealWhile(t, both, &counting) })
		}
		work.Wait()
		reseal(t, both)
		after := seal(t, inner, sealed.Options{}, secretTwo)
		for i := range 2 {
			want := counters / 2 * each
			if r := get(t, after, fmt.Sprint("n", i)); string(r.Value) != fmt.Sprint(want) || r.Version != uint64(want)+1 {
				t.Errorf("counted to %s, version %d, want %d", r.Value, r.Version, want)
			}
		}
	})
}

// resealWhile reseals again and again. A record that is changed all the time may
// stay for a later pass.
func resealWhile(t *testing.T, s owner, counting *atomic.Int32) {
	for counting.Load() > 0 {
		if done, err := s.Reseal(context.Background()); done.Broken > 0 || err != nil && !errors.Is(err, store.ErrBusy) {
			t.Errorf("Reseal: %+v, %v", done, err)
			return
		}
	}
}

// count raises the number in p/key n times.
func count(t *testing.T, s store.Store, key string, n int) {
	for range n {
		err := store.Update(context.Background(), func(ctx context.Context) error {
			records, err := s.Get(ctx, "p", key)
			if err != nil {
				return err
			}
			value, _ := strconv.Atoi(string(records[0].Value))
			return s.Apply(ctx, "p", op(key, fmt.Sprint(value+1), records[0].Version))
		})
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// What does not open is reported, counted and left as it is; the rest is resealed.
func TestResealLeavesWhatDoesNotOpen(t *testing.T) {
	inner := memory.New(nil)
	defer inner.Close()
	apply(t, seal(t, inner, sealed.Options{}), op("good", "1", 0), op("moved", "1", 0))
	moved := get(t, inner, "moved").Value
	apply(t, inner, op("forged", "somebody wrote this", 0), store.Op{Key: "copied", Value: moved})
	alarms := make(chan store.Ref, 10)
	both := seal(t, inner, sealed.Options{Fault: func(ref store.Ref) { alarms <- ref }}, secretTwo, secretOne)
	for _, rewritten := range []int{2, 0} {
		wantDone(t, reseal(t, both), 4, rewritten, 2)
		if len(alarms) != 2 {
			t.Fatalf("%d alarms, want 2", len(alarms))
		}
		for range 2 {
			if ref := <-alarms; ref.Partition != "p" || ref.Key != "forged" && ref.Key != "copied" {
				t.Errorf("alarm of %v", ref)
			}
		}
	}
	if got := get(t, inner, "copied").Value; !bytes.Equal(got, moved) {
		t.Error("a record that does not open was touched")
	}
	if got := get(t, inner, "forged").Value; string(got) != "somebody wrote this" {
		t.Error("a forged record was touched")
	}
}

func TestResealOfAStoreThatCannot(t *testing.T) {
	type plain struct{ store.Store }
	s, err := sealed.New(plain{memory.New(nil)}, [][]byte{secretOne}, sealed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if done, err := s.Reseal(t.Context()); !errors.Is(err, errors.ErrUnsupported) || done != (sealed.Resealed{}) {
		t.Errorf("Reseal: %+v, %v, want %v", done, err, errors.ErrUnsupported)
	}
}

// spoiled is a store with one fault.
type spoiled struct {
	*memory.Store
	get     func(key string) error
	rewrite func(key string) error
	calls   atomic.Int32
}

func (s *spoiled) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if s.get != nil && s.get(keys[0]) != nil {
		return nil, s.get(keys[0])
	}
	return s.Store.Get(ctx, partition, keys...)
}

func (s *spoiled) Rewrite(ctx context.Context, ref store.Ref, old, new []byte) error {
	s.calls.Add(1)
	if s.rewrite != nil && s.rewrite(ref.Key) != nil {
		return s.rewrite(ref.Key)
	}
	return s.Store.Rewrite(ctx, ref, old, new)
}

var errSpoiled = errors.New("spoiled")

func only(key string, err error) func(string) error {
	return func(k string) error {
		if k == key {
			return err
		}
		return nil
	}
}

func always(err error) func(string) error { return func(string) error { return err } }

func TestResealFaults(t *testing.T) {
	for name, row := range map[string]struct {
		get, rewrite func(string) error
		want         error
		rewritten    int // at least
		calls        int // at most
	}{
		"one that cannot be read":    {get: only("k7", errSpoiled), want: errSpoiled, rewritten: 499, calls: 499},
		"one that cannot be written": {rewrite: only("k7", errSpoiled), want: errSpoiled, rewritten: 499, calls: 500},
		"one that never rests":       {rewrite: only("k7", store.ErrConflict), want: store.ErrBusy, rewritten: 499, calls: 507},
		"none can be written":        {rewrite: always(errSpoiled), want: errSpoiled, calls: 100},
		"the store is full":          {rewrite: always(store.ErrFull), want: store.ErrFull, calls: 40},
		"the store is closed":        {get: always(store.ErrClosed), want: store.ErrClosed},
	} {
		t.Run(name, func(t *testing.T) {
			inner := &spoiled{Store: memory.New(nil)}
			former := seal(t, inner, sealed.Options{})
			defer inner.Close()
			for i := range 500 {
				apply(t, former, op(fmt.Sprint("k", i), "1", 0))
			}
			inner.get, inner.rewrite = row.get, row.rewrite
			both := seal(t, inner, sealed.Options{}, secretTwo, secretOne)
			done, err := both.Reseal(t.Context())
			if !errors.Is(err, row.want) || done.Rewritten < row.rewritten || int(inner.calls.Load()) > row.calls {
				t.Errorf("Reseal: %+v, %v after %d writes; want %v, %d rewritten and at most %d writes",
					done, err, inner.calls.Load(), row.want, row.rewritten, row.calls)
			}
			inner.get, inner.rewrite = nil, nil
			wantDone(t, reseal(t, both), 500, 500-done.Rewritten, 0)
		})
	}
}

func TestResealEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	inner := &spoiled{Store: memory.New(nil)}
	defer inner.Close()
	former := seal(t, inner, sealed.Options{})
	for i := range 500 {
		apply(t, former, op(fmt.Sprint("k", i), "1", 0))
	}
	inner.rewrite = func(string) error {
		cancel()
		return nil
	}
	done, err := seal(t, inner, sealed.Options{}, secretTwo, secretOne).Reseal(ctx)
	if !errors.Is(err, context.Canceled) || done.Rewritten > 100 {
		t.Errorf("Reseal: %+v, %v, want %v", done, err, context.Canceled)
	}
}

func ExampleStore_Reseal() {
	former := []byte("the secret of last year, thirty-two bytes")
	secret := []byte("the secret of this year, thirty-two bytes")
	inner := memory.New(nil)
	defer inner.Close()
	ctx := context.Background()
	s, _ := sealed.New(inner, [][]byte{former}, sealed.Options{})
	_ = s.Apply(ctx, "ring", store.Op{Key: "key", Value: []byte("made once")})

	s, _ = sealed.New(inner, [][]byte{secret, former}, sealed.Options{})
	done, err := s.Reseal(ctx)
	fmt.Printf("%+v %v\n", done, err)

	s, _ = sealed.New(inner, [][]byte{secret}, sealed.Options{})
	records, err := s.Get(ctx, "ring", "key")
	fmt.Printf("%s %v\n", records[0].Value, err)
	// Output:
	// {Seen:1 Rewritten:1 Broken:0} <nil>
	// made once <nil>
}
