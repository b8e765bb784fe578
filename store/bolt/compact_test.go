package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
	"github.com/attestgate/caddy-attest/store/storetest"
)

// crowd writes so many records that end in a minute.
func crowd(t *testing.T, s *bolt.Store, clock *storetest.Clock, partition string, many int) {
	t.Helper()
	for n := 0; n < many; {
		var ops []store.Op
		for ; len(ops) < store.MaxOps && n < many; n++ {
			o := op(fmt.Sprintf("k%d", n), strings.Repeat("x", 600), 0)
			o.ExpiresAt, o.Tags = clock.In(time.Minute), []string{fmt.Sprintf("m:%d", n%100)}
			ops = append(ops, o)
		}
		if err := s.Apply(t.Context(), partition, ops...); err != nil {
			t.Fatal(err)
		}
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// Dead records leave an idle store in seconds and not at 256 a minute, and what
// they took is used again.
func TestExpiredRecordsLeaveAsFastAsTheyCame(t *testing.T) {
	const many = 20_000
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := bolt.Open(path, bolt.Options{Now: clock.Now, SweepEvery: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	crowd(t, s, clock, "p", many)
	full := sizeOf(t, path)
	clock.Advance(time.Hour)
	for deadline := time.Now().Add(2 * time.Minute); s.Held() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d expired records are still there", s.Held(), many)
		}
		time.Sleep(time.Millisecond)
	}
	crowd(t, s, clock, "again", many)
	if now := sizeOf(t, path); now > full*5/4 {
		t.Errorf("%d bytes, %d when it was full before: free pages are not used again", now, full)
	}
}

// A file of which most is free is made smaller when it is opened; nothing is lost,
// and what a crash left of another try is no hindrance.
func TestFileIsCompactedWhenItIsOpened(t *testing.T) {
	clock := storetest.NewClock()
	path := filepath.Join(t.TempDir(), "sessions.db")
	s := open(t, path, clock.Now)
	apply(t, s, op("kept", "1", 0))
	apply(t, s, op("kept", "2", 1))
	crowd(t, s, clock, "p", 20_000)
	clock.Advance(time.Hour)
	for v := uint64(2); s.Held() > 1; v++ {
		apply(t, s, op("kept", "2", v))
	}
	version := get(t, s, "kept").Version
	s.Close()
	full := sizeOf(t, path)
	if err := os.WriteFile(path+".compact", []byte("half a copy"), 0o600); err != nil {
		t.Fatal(err)
	}

	s = open(t, path, clock.Now)
	if r := get(t, s, "kept"); string(r.Value) != "2" || r.Version != version {
		t.Errorf("the record is %q version %d, want version %d", r.Value, r.Version, version)
	}
	apply(t, s, op("kept", "3", version))
	if now := sizeOf(t, path); now > full/10 {
		t.Errorf("%d bytes, %d before", now, full)
	}
	wantMode(t, path, 0o600)
	if _, err := os.Stat(path + ".compact"); !os.IsNotExist(err) {
		t.Errorf("a copy was left: %v", err)
	}
	if _, err := bolt.Open(path, bolt.Options{LockTimeout: time.Millisecond}); err == nil {
		t.Error("the compacted file is not locked")
	}
	s.Close()
	wantEntries(t, path, map[string]int{"records": 1, "ends": 0, "tags": 0})
}
