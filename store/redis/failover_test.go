package redis_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// writers change records of their own as fast as they are answered, and count.
type writers struct {
	t       *testing.T
	s       store.Store
	stop    context.CancelFunc
	done    sync.WaitGroup
	good    atomic.Int64
	faults  atomic.Int64
	mu      sync.Mutex
	kinds   map[redis.Kind]int
	newest  map[string]uint64 // acknowledged
	lastErr error
}

func writing(t *testing.T, s store.Store, n int) *writers {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &writers{t: t, s: s, stop: cancel, kinds: map[redis.Kind]int{}, newest: map[string]uint64{}}
	for i := range n {
		w.done.Go(func() {
			for name := fmt.Sprintf("s:%d", i); ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
				w.write(name)
			}
		})
	}
	t.Cleanup(w.end)
	return w
}

// write changes two records together, after reading them, as a session and its
// index would be.
func (w *writers) write(name string) {
	records, err := w.s.Get(context.Background(), name, "a", "b")
	if err != nil {
		w.wrapFault(err)
		return
	}
	if records[0].Version != records[1].Version {
		w.t.Errorf("%s: versions %d and %d were written together", name, records[0].Version, records[1].Version)
	}
	v := records[0].Version
	err = w.s.Apply(context.Background(), name, op("a", name, v), op("b", name, v))
	if errors.Is(err, store.ErrConflict) {
		return // with a change of our own that was not answered
	}
	if err != nil {
		w.wrapFault(err)
		return
	}
	w.good.Add(1)
	w.mu.Lock()
	w.newest[name] = v + 1
	w.mu.Unlock()
}

func (w *writers) wrapFault(err error) {
	w.faults.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lastErr = err
	var fault *redis.Error
	if errors.As(err, &fault) {
		w.kinds[fault.Kind]++
	}
}

func (w *writers) end() {
	w.stop()
	w.done.Wait()
}

// F05: the primary is killed under load. Writes go on soon after the Sentinels
// have named another, clients see no READONLY, and what the replica had is there.
func TestSentinelFailover(t *testing.T) {
	group := redistest.StartSentinel(t, 1)
	config := hurried(group.Addresses()...)
	config.Sentinel = group.Name
	s := open(t, config)
	apply(t, s, op("settled", "before", 0))
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	primary := group.Primary()
	eventually(t, "replication", func() bool {
		return group.Servers[1].CLI("exists", config.Prefix+"r:{"+partition+"}settled") == "1"
	})
	w := writing(t, s, 8)
	eventually(t, "good writes", func() bool { return w.good.Load() > 100 })

	primary.Kill()
	killed := time.Now()
	group.AwaitFailover(primary)
	failover := time.Since(killed)
	before := w.good.Load()
	took := eventually(t, "good writes again", func() bool { return w.good.Load() > before })
	if took > 2*time.Second {
		t.Errorf("writes go on %v after the failover, want at most 2 s", took)
	}
	w.end() // nobody writes to its counts any more
	t.Logf("the Sentinels took %v, we %v more; faults: %v", failover, took, w.kinds)
	if n := w.kinds[redis.ReadOnly]; n > 0 {
		t.Errorf("%d READONLY faults", n)
	}
	if r := get(t, s, "settled"); string(r.Value) != "before" {
		t.Errorf("what the replica had is %q", r.Value)
	}
	eventually(t, "a Flush", func() bool { return e.flushes() > 1 })
	apply(t, s, op("heard", "x", 0))
	eventually(t, "a change", func() bool {
		_, ok := e.when(store.Ref{Partition: partition, Key: "heard"})
		return ok
	})
}

// A primary that hangs is left for the one that the Sentinels name instead, also
// by who watches it.
func TestSentinelFailoverOfAHungPrimary(t *testing.T) {
	group := redistest.StartSentinel(t, 1)
	config := hurried(group.Addresses()...)
	config.Sentinel = group.Name
	s := open(t, config)
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	apply(t, s, op("a", "1", 0))
	primary := group.Primary()
	primary.Pause()
	group.AwaitFailover(primary)
	took := eventually(t, "good writes again", func() bool {
		return s.Apply(context.Background(), partition, op("b", "x", 0)) == nil
	})
	if took > 2*time.Second {
		t.Errorf("writes go on %v after the failover, want at most 2 s", took)
	}
	eventually(t, "a Flush", func() bool { return e.flushes() > 1 })
	primary.Resume()
}

// F07: a slot moves from one master to another under load, key by key: nobody
// sees an error, and nothing is lost.
func TestClusterSlotMigration(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	config := fresh(cluster.Addresses()...)
	config.Cluster, config.Timeout = true, 2*time.Second
	s := open(t, config)
	w := writing(t, s, 4)
	eventually(t, "good writes", func() bool { return w.good.Load() > 100 })
	for i := range 4 {
		key := fmt.Sprintf("%sr:{s:%d}a", config.Prefix, i)
		from := cluster.Owner(key)
		to := cluster.Servers[0]
		if to == from {
			to = cluster.Servers[1]
		}
		cluster.Migrate(key, to, func() { time.Sleep(20 * time.Millisecond) })
	}
	before := w.good.Load()
	eventually(t, "good writes again", func() bool { return w.good.Load() > before+100 })
	w.end()
	if n := w.faults.Load(); n > 0 {
		t.Errorf("%d faults, the last: %v", n, w.lastErr)
	}
	for name, version := range w.newest {
		records, err := s.Get(t.Context(), name, "a", "b")
		if err != nil || records[0].Version < version || records[1].Version < version {
			t.Errorf("%s is at version %d, %v; want %d", name, records[0].Version, err, version)
		}
	}
}

// A master of a Cluster that dies takes only its own slots along, and a replica
// brings those back.
func TestClusterMasterDies(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 1)
	config := hurried(cluster.Addresses()...)
	config.Cluster = true
	s := open(t, config)
	e := watch(t, s)
	eventually(t, "the first Flush", func() bool { return e.flushes() > 0 })
	names := map[*redistest.Server]string{}
	for i := 0; len(names) < 3; i++ {
		name := fmt.Sprintf("s:%d", i)
		owner := cluster.Owner(config.Prefix + "r:{" + name + "}a")
		if names[owner] == "" {
			names[owner] = name
			if err := s.Apply(t.Context(), name, op("a", "x", 0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var dead *redistest.Server
	for owner := range names {
		dead = owner
		break
	}
	time.Sleep(500 * time.Millisecond) // replication
	dead.Kill()
	for owner, name := range names {
		if owner == dead {
			continue
		}
		faults := 0
		for range 100 {
			if _, err := s.Get(t.Context(), name, "a"); err != nil {
				faults++
			}
		}
		if faults > 0 {
			t.Errorf("%d of 100 reads from a master that lives fail", faults)
		}
	}
	took := eventually(t, "a replica's promotion", func() bool {
		records, err := s.Get(t.Context(), names[dead], "a")
		return err == nil && records[0].Exists()
	})
	t.Logf("the dead master's slots are back after %v", took)
	eventually(t, "the server's being forgotten or found", func() bool {
		return s.Apply(t.Context(), names[dead], op("b", "x", 0)) == nil
	})
	name := names[dead]
	eventually(t, "a change", func() bool {
		_, ok := e.when(store.Ref{Partition: name, Key: "b"})
		return ok
	})
}
