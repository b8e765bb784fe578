package bolt_test

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/storetest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashVariable); path != "" {
		writeUntilKilled(path)
	}
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T, clock *storetest.Clock) store.Store {
		return open(t, filepath.Join(t.TempDir(), "sessions.db"), clock.Now)
	})
}

func TestSharedByTwoOwners(t *testing.T) {
	storetest.RunShared(t, func(t *testing.T, clock *storetest.Clock) (a, b store.Store) {
		s := open(t, filepath.Join(t.TempDir(), "sessions.db"), clock.Now)
		return s, s
	})
}

func open(t *testing.T, path string, now func() time.Time) *bolt.Store {
	t.Helper()
	s, err := bolt.Open(path, bolt.Options{Now: now, LockTimeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func op(key, value string, expect uint64) store.Op {
	return store.Op{Key: key, Value: []byte(value), Expect: expect}
}

func apply(t *testing.T, s store.Store, ops ...store.Op) {
	t.Helper()
	if err := s.Apply(t.Context(), "p", ops...); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s store.Store, key string) store.Record {
	t.Helper()
	records, err := s.Get(t.Context(), "p", key)
	if err != nil {
		t.Fatal(err)
	}
	return records[0]
}

func TestReopened(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, clock.Now)
	tagged := op("a", "1", 0)
	tagged.ExpiresAt, tagged.Tags = clock.In(time.Hour), []string{"m:one"}
	apply(t, s, tagged, op("b", "1", 0))
	apply(t, s, op("b", "2", 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, clock.Now)
	if r := get(t, s, "a"); string(r.Value) != "1" || !r.ExpiresAt.Equal(tagged.ExpiresAt) {
		t.Errorf("a is %q until %v", r.Value, r.ExpiresAt)
	}
	if r := get(t, s, "b"); string(r.Value) != "2" || r.Version != 2 {
		t.Errorf("b is %q version %d", r.Value, r.Version)
	}
	if refs, err := s.List(t.Context(), "m:one"); err != nil || len(refs) != 1 {
		t.Errorf("m:one names %v, %v", refs, err)
	}
	clock.Advance(time.Hour)
	if r := get(t, s, "a"); r.Exists() {
		t.Error("a outlives its end")
	}
}

func TestFileIsItsOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such permissions on windows")
	}
	dir := filepath.Join(t.TempDir(), "attest", "data")
	path := filepath.Join(dir, "sessions.db")
	open(t, path, nil).Close()
	wantMode(t, path, 0o600)
	wantMode(t, dir, 0o700)
	wantMode(t, filepath.Dir(dir), 0o700)

	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, path, nil).Close()
	wantMode(t, path, 0o600)
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != want {
		t.Errorf("%s has mode %v, %v; want %v", filepath.Base(path), info.Mode().Perm(), err, want)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, row := range map[string]struct {
		make func(t *testing.T, path string)
		want func(error) bool
		text string
	}{
		"a file that is held": {
			make: func(t *testing.T, path string) { open(t, path, nil) },
			want: func(err error) bool { return errors.Is(err, bolt.ErrLocked) },
			text: `; stop it, give each process a path of its own, or use "store redis" (shared) or "store memory"`,
		},
		"a newer format": {
			make: func(t *testing.T, path string) { writeFormat(t, path, 2) },
			want: func(err error) bool { var f *bolt.FormatError; return errors.As(err, &f) && f.Found == 2 },
			text: "file format 2 is newer than 1, the newest this release reads; upgrade it",
		},
		"no bolt file": {
			make: func(t *testing.T, path string) {
				if err := os.WriteFile(path, []byte(strings.Repeat("text", 4096)), 0o600); err != nil {
					t.Fatal(err)
				}
			},
			want: func(err error) bool { return err != nil },
			text: "the file is damaged: it is no bbolt file",
		},
		"a directory": {
			make: func(t *testing.T, path string) {
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
			},
			want: func(err error) bool { return err != nil },
			text: "is a directory",
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			row.make(t, path)
			s, err := bolt.Open(path, bolt.Options{LockTimeout: 50 * time.Millisecond})
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			if !row.want(err) || !strings.Contains(err.Error(), row.text) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want the path and %q", err, row.text)
			}
		})
	}
}

func writeFormat(t *testing.T, path string, format uint32) {
	t.Helper()
	open(t, path, nil).Close()
	edit(t, path, func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("meta")).Put([]byte("format"), binary.BigEndian.AppendUint32(nil, format))
	})
}

func edit(t *testing.T, path string, fn func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(fn); err != nil {
		t.Fatal(err)
	}
}

// What this package has not written is a fault of the record it stands in, and
// neither absent nor the end of the others.
func TestMalformedRowIsAFault(t *testing.T) {
	for name, row := range map[string]string{
		"too short":         "\x00\x01",
		"no value":          strings.Repeat("\x00", 25),
		"tags that run out": strings.Repeat("\x00", 24) + "\x02\x01t\xffcut",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sessions.db")
			s := open(t, path, nil)
			apply(t, s, op("good", "1", 0))
			s.Close()
			edit(t, path, func(tx *bbolt.Tx) error {
				return tx.Bucket([]byte("records")).Put([]byte("p\x00bad"), []byte(row))
			})

			s = open(t, path, nil)
			if _, err := s.Get(t.Context(), "p", "bad"); err == nil || !strings.Contains(err.Error(), "malformed") {
				t.Errorf("Get: %v", err)
			}
			if err := s.Apply(t.Context(), "p", op("bad", "x", 0)); err == nil || errors.Is(err, store.ErrConflict) {
				t.Errorf("Apply: %v", err)
			}
			apply(t, s, op("good", "2", 1))
		})
	}
}

func TestExpiredRecordsAreSwept(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, clock.Now)
	for i := range 10 {
		var ops []store.Op
		for j := range 50 {
			o := op(fmt.Sprintf("k%d.%d", i, j), "x", 0)
			o.ExpiresAt, o.Tags = clock.In(time.Minute), []string{"m:one"}
			ops = append(ops, o)
		}
		apply(t, s, ops...)
	}
	apply(t, s, op("ever", "x", 0))
	clock.Advance(time.Hour)
	for v := range uint64(3) {
		apply(t, s, op("busy", "x", v))
	}
	s.Close()
	wantEntries(t, path, map[string]int{"records": 2, "ends": 0, "tags": 0})
}

// A store that nobody writes to is swept too.
func TestIdleStoreIsSwept(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := bolt.Open(path, bolt.Options{Now: clock.Now, SweepEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o := op("a", "x", 0)
	o.ExpiresAt = clock.In(time.Minute)
	apply(t, s, o)
	clock.Advance(time.Minute)
	for deadline := time.Now().Add(10 * time.Second); s.Held() > 0 && time.Now().Before(deadline); {
		runtime.Gosched()
	}
	s.Close()
	wantEntries(t, path, map[string]int{"records": 0, "ends": 0})
	if n := s.Commits(); n != 2 {
		t.Errorf("%d transactions, want 2: sweeping nothing must cost none", n)
	}
}

// Rewriting and touching leave nothing behind in the indexes.
func TestIndexesFollowTheRecords(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, clock.Now)
	for v := range uint64(20) {
		o := op("a", "x", v)
		o.ExpiresAt, o.Tags = clock.In(time.Hour+time.Duration(v)*time.Second), []string{fmt.Sprintf("t%d", v), "t", "t"}
		apply(t, s, o)
		if err := s.Touch(t.Context(), "p", "a", clock.In(time.Duration(v+1)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	wantEntries(t, path, map[string]int{"records": 1, "ends": 1, "tags": 2})

	s = open(t, path, clock.Now)
	apply(t, s, store.Op{Key: "a", Expect: 20})
	s.Close()
	wantEntries(t, path, map[string]int{"records": 0, "ends": 0, "tags": 0})
}

func wantEntries(t *testing.T, path string, want map[string]int) {
	t.Helper()
	edit(t, path, func(tx *bbolt.Tx) error {
		for bucket, n := range want {
			if got := tx.Bucket([]byte(bucket)).Stats().KeyN; got != n {
				t.Errorf("%s has %d entries, want %d", bucket, got, n)
			}
		}
		return nil
	})
}

// Thirty-two writers at a time share their waits for the disk, and each of them
// is on it when it is answered.
func TestConcurrentWritersShareACommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, nil)
	const writers, each = 32, 20
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for v := range uint64(each) {
				if err := s.Apply(context.Background(), fmt.Sprintf("s:%d", i), op("a", "x", v)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Close()
	if n := s.Commits(); n > writers*each/4 {
		t.Errorf("%d transactions for %d writes, want at most a quarter", n, writers*each)
	}
	s = open(t, path, nil)
	for i := range writers {
		records, err := s.Get(t.Context(), fmt.Sprintf("s:%d", i), "a")
		if err != nil || records[0].Version != each {
			t.Errorf("s:%d is at version %d, %v; want %d", i, records[0].Version, err, each)
		}
	}
}

// A write that conflicts must not take along those it shares a transaction with.
func TestConflictIsOneWritersOwn(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"), nil)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			o := op(fmt.Sprintf("k%d", i), "x", uint64(i%2))
			err := s.Apply(context.Background(), "p", o)
			if conflict := i%2 == 1; conflict != errors.Is(err, store.ErrConflict) || !conflict && err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// What loses a race finds the winner's record when it reads again, so that it
// never conflicts twice with the same write.
func TestConflictIsAnsweredAfterTheWinner(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"), nil)
	for round := range 20 {
		key := fmt.Sprintf("k%d", round)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if err := s.Apply(context.Background(), "p", op(key, "x", 0)); !errors.Is(err, store.ErrConflict) {
					return
				}
				records, err := s.Get(context.Background(), "p", key)
				if err != nil || !records[0].Exists() {
					t.Errorf("after a conflict there is no record: %v", err)
				}
			})
		}
		wg.Wait()
	}
}

func TestCloseUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, nil)
	var wg sync.WaitGroup
	acknowledged := make([]uint64, 16)
	warm := make(chan struct{}, 1<<16)
	for i := range acknowledged {
		wg.Go(func() {
			for v := uint64(0); ; v++ {
				warm <- struct{}{}
				err := s.Apply(context.Background(), "p", op(fmt.Sprintf("k%d", i), "x", v))
				if errors.Is(err, store.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				acknowledged[i] = v + 1
			}
		})
	}
	for range 200 {
		<-warm
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	s = open(t, path, nil)
	for i, want := range acknowledged {
		if r := get(t, s, fmt.Sprintf("k%d", i)); r.Version != want {
			t.Errorf("k%d is at version %d, want the %d acknowledged", i, r.Version, want)
		}
	}
}

func ExampleOpen() {
	dir, _ := os.MkdirTemp("", "attest")
	defer os.RemoveAll(dir)

	s, err := bolt.Open(filepath.Join(dir, "sessions.db"), bolt.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	ctx := context.Background()
	fmt.Println(s.Apply(ctx, "s:one", store.Op{Key: "session", Value: []byte("hello")}))
	records, _ := s.Get(ctx, "s:one", "session")
	fmt.Printf("%s\n", records[0].Value)
	// Output:
	// <nil>
	// hello
}

// A file of a former release opens for ever. The one of format 1 holds p/a, at
// version 2 until 2100 with two tags, and p/access, blind.
func TestEveryFormatOpens(t *testing.T) {
	packed, err := os.Open(filepath.Join("testdata", "format1.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	file, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sessions.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, nil)
	if r := get(t, s, "a"); string(r.Value) != "2" || r.Version != 2 || r.ExpiresAt.UnixMilli() != 4102444800000 {
		t.Errorf("a is %q version %d until %v", r.Value, r.Version, r.ExpiresAt)
	}
	if r := get(t, s, "access"); string(r.Value) != "blind" || r.Version != 0 {
		t.Errorf("access is %q version %d", r.Value, r.Version)
	}
	if refs, err := s.List(t.Context(), "o:one"); err != nil || len(refs) != 1 || refs[0].Key != "a" {
		t.Errorf("o:one names %v, %v", refs, err)
	}
}
