package redis_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// hurried is a configuration with the timeout that operators have.
func hurried(addresses ...string) redis.Config {
	config := fresh(addresses...)
	config.Timeout = 0
	return config
}

const partition = "s:one"

func op(key, value string, expect uint64) store.Op {
	return store.Op{Key: key, Value: []byte(value), Expect: expect}
}

func apply(t testing.TB, s store.Store, ops ...store.Op) {
	t.Helper()
	if err := s.Apply(t.Context(), partition, ops...); err != nil {
		t.Fatal(err)
	}
}

func get(t testing.TB, s store.Store, key string) store.Record {
	t.Helper()
	records, err := s.Get(t.Context(), partition, key)
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

// wantKind fails the test unless the error is a fault of that kind.
func wantKind(t testing.TB, what string, err error, want redis.Kind) {
	t.Helper()
	var fault *redis.Error
	if !errors.As(err, &fault) || fault.Kind != want {
		t.Errorf("%s: %v, want a fault of kind %q", what, err, want)
	}
}

// A load reads one record 200 times a second and notes what comes of it.
type load struct {
	t     *testing.T
	s     store.Store
	stop  context.CancelFunc
	done  sync.WaitGroup
	began time.Time

	mu      sync.Mutex
	answers []answer
	jitter  time.Duration // how late the machine wakes a goroutine at worst
}

type answer struct {
	at, took time.Duration
	err      error
}

// loading begins to read p/session, which must be there.
func loading(t *testing.T, s store.Store) *load {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{t: t, s: s, stop: cancel, began: time.Now()}
	l.done.Go(func() {
		for ctx.Err() == nil {
			before := time.Now()
			time.Sleep(5 * time.Millisecond)
			l.late(time.Since(before) - 5*time.Millisecond)
			l.done.Go(l.read)
		}
	})
	t.Cleanup(l.end)
	return l
}

func (l *load) late(by time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.jitter = max(l.jitter, by)
}

func (l *load) lateness() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.jitter
}

func (l *load) read() {
	begin := time.Now()
	records, err := l.s.Get(context.Background(), partition, "session")
	if err == nil && string(records[0].Value) != "session" {
		l.t.Errorf("a read is answered with %q", records[0].Value)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.answers, answer{begin.Sub(l.began), time.Since(begin), err})
}

func (l *load) end() {
	l.stop()
	l.done.Wait()
}

func (l *load) now() time.Duration { return time.Since(l.began) }

// refusals are the faults of reads that began in the span.
func (l *load) refusals(from, to time.Duration) []answer {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []answer
	for _, a := range l.answers {
		if a.err != nil && a.at >= from && a.at < to {
			list = append(list, a)
		}
	}
	return list
}

// firstGood is when the first good read after a moment began.
func (l *load) firstGood(after time.Duration) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.answers {
		if a.err == nil && a.at >= after {
			return a.at, true
		}
	}
	return 0, false
}

// recoversWithin waits for good reads again.
func (l *load) recoversWithin(limit time.Duration) {
	l.t.Helper()
	back := l.now()
	for l.now() < back+30*time.Second {
		time.Sleep(10 * time.Millisecond)
		if at, ok := l.firstGood(back); ok {
			if took := at - back; took > limit+l.lateness() {
				l.t.Errorf("good again after %v, want at most %v", took, limit)
			}
			return
		}
	}
	l.t.Error("never good again")
}

// quick fails the test unless the faults came as fast as a waiting client may
// expect. What the machine itself was late by is not the store's.
func (l *load) quick(faults []answer) {
	l.t.Helper()
	if len(faults) == 0 {
		l.t.Error("there were no faults")
		return
	}
	took := make([]time.Duration, len(faults))
	for i, a := range faults {
		took[i] = a.took
		wantKind(l.t, "a read", a.err, redis.Unreachable)
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	l.t.Logf("%d faults, median %v, p99 %v; the machine was late by %v", len(took), took[len(took)/2], p99, l.lateness())
	if limit := 300*time.Millisecond + l.lateness(); p99 > limit {
		l.t.Errorf("p99 of faults is %v, want at most %v", p99, limit)
	}
}

// F01: a server that is killed is a quick fault, never an absent record, and its
// records are there again as soon as it is.
func TestKilledAndRestarted(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, hurried(server.Addr))
	apply(t, s, op("session", "session", 0))
	l := loading(t, s)
	time.Sleep(200 * time.Millisecond)
	killed := l.now()
	server.Kill()
	time.Sleep(3 * time.Second)
	back := l.now()
	server.Restart()
	l.recoversWithin(time.Second)
	l.end()
	l.quick(l.refusals(killed, back))
}

// F02: a server that hangs costs nobody more than the timeout, soon nobody
// anything, and does not pile up goroutines.
func TestHungServer(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, hurried(server.Addr))
	apply(t, s, op("session", "session", 0))
	l := loading(t, s)
	time.Sleep(200 * time.Millisecond)
	hung := l.now()
	server.Pause()
	for len(s.Status().Down) == 0 && l.now() < hung+10*time.Second {
		time.Sleep(time.Millisecond)
	}
	if took := l.now() - hung; took > time.Second+l.lateness() {
		t.Errorf("the breaker opens after %v, want at most a second", took)
	}
	if down := s.Status().Down; len(down) != 1 || down[0] != server.Addr {
		t.Errorf("down is %v, want %s", down, server.Addr)
	}
	time.Sleep(3 * time.Second)
	if n := runtime.NumGoroutine(); n > 150 {
		t.Errorf("%d goroutines after three seconds", n)
	}
	back := l.now()
	server.Resume()
	l.recoversWithin(time.Second)
	l.end()
	l.quick(l.refusals(hung, back))
	if down := s.Status().Down; len(down) != 0 {
		t.Errorf("down is %v after recovery", down)
	}
}

// F03: a link with half a second of latency is a quick fault too.
func TestSlowLink(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	s := open(t, hurried(proxy.Addr))
	apply(t, s, op("session", "session", 0))
	l := loading(t, s)
	time.Sleep(200 * time.Millisecond)
	slow := l.now()
	proxy.Latency(500 * time.Millisecond)
	time.Sleep(3 * time.Second)
	back := l.now()
	proxy.Restore()
	l.recoversWithin(1500 * time.Millisecond) // what was under way is still slow
	l.end()
	l.quick(l.refusals(slow, back))
}

// A user reads and changes a record of its own, and counts what came of it.
type user struct {
	name            string
	good, faults    int
	changed, unsure uint64
}

// use goes on until ctx ends. The record must never be another's.
func (u *user) use(ctx context.Context, t *testing.T, s store.Store) {
	for ctx.Err() == nil {
		time.Sleep(5 * time.Millisecond)
		records, err := s.Get(context.Background(), u.name, "a")
		if err != nil {
			u.faults++
			continue
		}
		u.good++
		if r := records[0]; r.Exists() && string(r.Value) != u.name {
			t.Errorf("%s is answered with %q", u.name, r.Value)
			return
		}
		err = s.Apply(context.Background(), u.name, op("a", u.name, records[0].Version))
		switch {
		case err == nil:
			u.changed++
		case !errors.Is(err, store.ErrConflict):
			u.unsure++
		}
	}
}

// flap spoils a link for a quarter of the time, in three ways.
func flap(ctx context.Context, proxy *redistest.Proxy) {
	for n := 0; ctx.Err() == nil; n++ {
		time.Sleep(150 * time.Millisecond)
		proxy.Reset()
		time.Sleep(150 * time.Millisecond)
		if n%2 == 0 {
			proxy.Cut()
		} else {
			proxy.Blackhole()
		}
		time.Sleep(100 * time.Millisecond)
		proxy.Restore()
	}
}

// F04: on a link that breaks all the time nobody is ever answered with what is
// another's, nothing that was acknowledged is lost or done twice, and there are
// not many more faults than the link has.
func TestFlappingLink(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	config := hurried(proxy.Addr)
	s := open(t, config)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var all sync.WaitGroup
	users := make([]user, 64)
	for i := range users {
		users[i].name = fmt.Sprintf("s:%d", i)
		all.Go(func() { users[i].use(ctx, t, s) })
	}
	flap(ctx, proxy)
	all.Wait()

	config.Addresses, config.Timeout = []string{server.Addr}, unhurried
	direct := open(t, config)
	good, faults := 0, 0
	for _, u := range users {
		good, faults = good+u.good, faults+u.faults
		records, err := direct.Get(t.Context(), u.name, "a")
		if err != nil {
			t.Fatal(err)
		}
		if v := records[0].Version; v < u.changed || v > u.changed+u.unsure {
			t.Errorf("%s is at version %d after %d acknowledged and %d uncertain changes", u.name, v, u.changed, u.unsure)
		}
	}
	t.Logf("%d good reads, %d faults", good, faults)
	if faults == 0 || good < faults {
		t.Errorf("%d good reads and %d faults on a link that is bad for a quarter of the time", good, faults)
	}
}

// F08: a server that is full refuses what is new and nothing else.
func TestFullServer(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "4mb", "--maxmemory-policy", "noeviction")
	s := open(t, fresh(server.Addr))
	apply(t, s, op("session", "session", 0), op("old", "old", 0))
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		err = s.Apply(t.Context(), fmt.Sprintf("s:%d", i), op("a", strings.Repeat("x", 50_000), 0))
	}
	wantKind(t, "Apply", err, redis.Full)
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("Apply: %v, want %v", err, store.ErrFull)
	}
	server.CLI("config", "set", "maxmemory", "1mb") // what it has is more, for certain
	if r := get(t, s, "session"); string(r.Value) != "session" {
		t.Errorf("a session reads %q", r.Value)
	}
	tagged := op("new", "new", 0)
	tagged.Tags = []string{"m:one"}
	if err := s.Apply(t.Context(), partition, op("session", "changed", 1), tagged); !errors.Is(err, store.ErrFull) {
		t.Errorf("Apply: %v, want %v", err, store.ErrFull)
	}
	if r := get(t, s, "session"); r.Version != 1 || get(t, s, "new").Exists() {
		t.Errorf("half of a refused Apply was done: version %d", r.Version)
	}
	apply(t, s, store.Op{Key: "old", Expect: 1}) // takes no room
	if down := s.Status().Down; len(down) != 0 {
		t.Errorf("a full server counts as down: %v", down)
	}
	server.CLI("config", "set", "maxmemory", "0")
	apply(t, s, op("session", "changed", 1))
}

// F10: a server that comes back empty holds nothing, and everything can begin
// anew.
func TestRestartedEmpty(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes")
	s := open(t, fresh(server.Addr))
	apply(t, s, op("session", "session", 0))
	server.Kill()
	server.Wipe()
	server.Restart()
	server.Ready()
	if r := get(t, s, "session"); r.Exists() {
		t.Errorf("it holds %q", r.Value)
	}
	apply(t, s, op("session", "session", 0))
}

// F05, the store's part of it: what the server answers while its role changes.
func TestReplicaTakesNoWrites(t *testing.T) {
	server, other := redistest.Start(t), redistest.Start(t)
	s := open(t, fresh(server.Addr))
	apply(t, s, op("session", "session", 0))
	other.Kill() // a primary that is away, so that nothing is replicated
	port := other.Addr[strings.LastIndex(other.Addr, ":")+1:]
	server.CLI("replicaof", "127.0.0.1", port)
	wantKind(t, "Apply", s.Apply(t.Context(), partition, op("session", "x", 1)), redis.ReadOnly)
	wantKind(t, "Apply of a new record", s.Apply(t.Context(), partition, op("new", "x", 0)), redis.ReadOnly)
	server.CLI("replicaof", "no", "one")
	apply(t, s, op("new", "x", 0))
}

// F06, the store's part of it: with min-replicas-to-write a change that no
// replica would have is refused, not half done.
func TestTooFewReplicas(t *testing.T) {
	server := redistest.Start(t, "--min-replicas-to-write", "1")
	s := open(t, fresh(server.Addr))
	wantKind(t, "Apply", s.Apply(t.Context(), partition, op("a", "x", 0), op("b", "x", 0)), redis.NoReplicas)
	server.CLI("config", "set", "min-replicas-to-write", "0")
	apply(t, s, op("a", "x", 0), op("b", "x", 0))
}

// loadSlowly has a server take that many microseconds for each of 20,000 records when it
// loads, and answer now and then meanwhile.
func loadSlowly(server *redistest.Server, delay int) {
	server.CLI("config", "set", "key-load-delay", strconv.Itoa(delay))
	if _, err := server.TryCLI("config", "set", "loading-process-events-interval-bytes", "1024"); err == nil {
		server.CLI("debug", "populate", "20000", "filler", "100")
		return
	}
	// Redis 6.2 answers every 2 MiB that it has read.
	server.CLI("config", "set", "rdbcompression", "no")
	server.CLI("debug", "populate", "20000", "filler", "1000")
}

// A server that has just started says that it is loading: a fault, not absence.
func TestLoadingServer(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
	s := open(t, fresh(server.Addr))
	apply(t, s, op("session", "session", 0))
	loadSlowly(server, 100)
	reloaded := make(chan struct{})
	go func() {
		defer close(reloaded)
		_, _ = server.TryCLI("debug", "reload")
	}()
	var err error
	for deadline := time.Now().Add(10 * time.Second); err == nil && time.Now().Before(deadline); {
		_, err = s.Get(t.Context(), partition, "session")
	}
	wantKind(t, "Get", err, redis.Loading)
	_, _ = server.TryCLI("config", "set", "key-load-delay", "0") // Redis 6.2 takes none while it loads
	<-reloaded
	if r := get(t, s, "session"); string(r.Value) != "session" {
		t.Errorf("after loading it is %q", r.Value)
	}
}

// A scripts cache that was emptied is filled again without anyone noticing.
func TestScriptsAreForgotten(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, fresh(server.Addr))
	apply(t, s, op("a", "1", 0))
	server.CLI("script", "flush")
	apply(t, s, op("a", "2", 1))
	if err := s.Touch(t.Context(), partition, "a", time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
}

// What somebody else wrote under our names is a fault, not absence, and is not
// written over.
func TestForeignValues(t *testing.T) {
	server := redistest.Start(t)
	config := fresh(server.Addr)
	s := open(t, config)
	key := config.Prefix + "r:{" + partition + "}a"
	for name, write := range map[string][]string{
		"short":         {"set", key, "x"},
		"no value":      {"set", key, "\x01" + strings.Repeat("1", 16)},
		"other format":  {"set", key, "\x02" + strings.Repeat("1", 40)},
		"another type":  {"hset", key, "field", "value"},
		"a plain token": {"set", key, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2ln"},
	} {
		t.Run(name, func(t *testing.T) {
			server.CLI("del", key)
			server.CLI(write...)
			records, err := s.Get(t.Context(), partition, "a")
			if name == "another type" {
				// MGET answers nothing for it; writing finds out.
				if err != nil || records[0].Exists() {
					t.Errorf("Get: %v, %v", records, err)
				}
			} else {
				wantKind(t, "Get", err, redis.Malformed)
			}
			if err := s.Apply(t.Context(), partition, op("a", "x", 0)); err == nil {
				t.Error("written over")
			}
		})
	}
}
