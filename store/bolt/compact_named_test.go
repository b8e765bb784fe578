package bolt_test

import (
	"errors"
	"fmt"
	"io/fs"
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

func TestCompactMakesAFileOfAnySizeSmaller(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	crowd(t, s, storetest.NewClock(), "crowd", 2000)
	for n := range 50 {
		if err := s.Apply(t.Context(), "crowd", store.Op{Key: fmt.Sprintf("k%d", n), Expect: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := bolt.Compact(path, bolt.Options{LockTimeout: 50 * time.Millisecond}); !errors.Is(err, bolt.ErrLocked) {
		t.Errorf("an open file: %v", err)
	} else if me := fmt.Sprintf("process %d", os.Getpid()); runtime.GOOS == "linux" && !strings.Contains(err.Error(), me) {
		t.Logf("the kernel does not show who holds the file: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before, after, err := bolt.Compact(path, bolt.Options{})
	if err != nil || after >= before || after != sizeOf(t, path) {
		t.Errorf("from %d to %d, %v", before, after, err)
	}
	if s, err = bolt.Open(path, bolt.Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	records, err := s.Get(t.Context(), "crowd", "k1000", "k7")
	if err != nil || !records[0].Exists() || records[1].Exists() {
		t.Errorf("%v, %v", records, err)
	}
}

func TestCompactMakesNoFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.db")
	if _, _, err := bolt.Compact(path, bolt.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made")
	}
}
