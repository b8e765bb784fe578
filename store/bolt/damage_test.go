package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
)

// filled makes a file of some pages at every level and answers its bytes.
func filled(t *testing.T, path string) []byte {
	t.Helper()
	s := open(t, path, nil)
	for i := range 20 {
		var ops []store.Op
		for j := range 50 {
			o := op(fmt.Sprintf("k%d.%d", i, j), strings.Repeat("x", 200+j), 0)
			o.ExpiresAt, o.Tags = time.Now().Add(time.Hour), []string{fmt.Sprintf("m:%d", j)}
			ops = append(ops, o)
		}
		apply(t, s, ops...)
	}
	apply(t, s, store.Op{Key: "k0.0", Expect: 1}, op("large", strings.Repeat("x", 50_000), 0))
	s.Close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// within fails the test where fn has not returned in time.
func within(t *testing.T, what string, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatalf("%s hangs", what)
	}
}

// useAll calls everything once and joins what it answers.
func useAll(s *bolt.Store) error {
	ctx := context.Background()
	_, got := s.Get(ctx, "p", "k0.1", "k19.49", "large")
	_, listed := s.List(ctx, "m:7")
	scanned := s.Scan(ctx, func(store.Ref) error { return nil })
	applied := s.Apply(ctx, "p", store.Op{Key: "blind", Value: []byte("x"), Blind: true})
	touched := s.Touch(ctx, "p", "k0.1", time.Now().Add(time.Minute))
	return errors.Join(got, listed, scanned, applied, touched)
}

// Whatever was cut off: an error that names the file, the second time too, since
// nothing stays locked.
func TestTruncatedFileIsRefusedEachTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	content := filled(t, path)
	for _, size := range []int{1, 100, 4096, 8192, 8193, 12288, len(content) / 2} {
		if err := os.WriteFile(path, content[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			within(t, "Open", func() {
				s, err := bolt.Open(path, bolt.Options{LockTimeout: 50 * time.Millisecond})
				if err == nil {
					s.Close()
				}
				if !errors.Is(err, bolt.ErrDamaged) || !strings.Contains(err.Error(), path) {
					t.Errorf("%d bytes of %d: %v, want %v", size, len(content), err, bolt.ErrDamaged)
				}
			})
		}
	}
}

// A byte that changed anywhere is refused or, within a record, read as it is: never
// a panic, and never a call that does not return.
func TestFlippedByteNeitherPanicsNorHangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	content := filled(t, path)
	random := rand.New(rand.NewPCG(1, 2))
	refused := 0
	for range 400 {
		spoiled := append([]byte(nil), content...)
		at := random.IntN(len(spoiled))
		if random.IntN(2) == 0 {
			at = at/4096*4096 + random.IntN(200) // where a page says what it is
		}
		spoiled[at] ^= 1 << random.IntN(8)
		if err := os.WriteFile(path, spoiled, 0o600); err != nil {
			t.Fatal(err)
		}
		within(t, fmt.Sprintf("a file with byte %d flipped", at), func() {
			s, err := bolt.Open(path, bolt.Options{LockTimeout: 50 * time.Millisecond})
			if err != nil {
				refused++
				if errors.Is(err, bolt.ErrLocked) {
					t.Errorf("byte %d: %v: the open before left its lock", at, err)
				}
				return
			}
			_ = useAll(s)
			s.Close()
		})
	}
	if refused < 50 {
		t.Errorf("%d of 400 spoiled files were refused; the test spoils nothing of importance", refused)
	}
}

// The memory map of a file that shrinks is a SIGBUS at the next touch: it costs the
// store and not the process, and every caller learns of it at once.
func TestFileTruncatedUnderAnOpenStore(t *testing.T) {
	for _, size := range []int64{0, 8192, 20_000} {
		path := filepath.Join(t.TempDir(), "sessions.db")
		filled(t, path)
		s := open(t, path, nil)
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		within(t, "a truncated file", func() {
			for range 3 {
				err := useAll(s)
				if !errors.Is(err, bolt.ErrDamaged) || !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), path) {
					t.Errorf("truncated to %d: %v, want %v", size, err, bolt.ErrDamaged)
				}
			}
			s.Close()
			if _, err := s.Get(t.Context(), "p", "k0.1"); !errors.Is(err, store.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			again, err := bolt.Open(path, bolt.Options{})
			if errors.Is(err, bolt.ErrLocked) {
				t.Errorf("Open after Close: %v", err)
			}
			if err == nil {
				again.Close()
			}
		})
	}
}

// What is written to a file that has no name any more would be gone with the
// process: it is not acknowledged. What was read is still true.
func TestFileRemovedUnderAnOpenStore(t *testing.T) {
	for name, remove := range map[string]func(path string) error{
		"removed":      os.Remove,
		"moved":        func(path string) error { return os.Rename(path, path+".old") },
		"volume gone":  func(path string) error { return os.RemoveAll(filepath.Dir(path)) },
		"in its place": func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600)) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "data", "sessions.db")
			s := open(t, path, nil)
			apply(t, s, op("a", "1", 0))
			if err := remove(path); err != nil {
				t.Fatal(err)
			}
			err := s.Apply(t.Context(), "p", op("a", "2", 1))
			if !errors.Is(err, bolt.ErrMoved) || !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), path) {
				t.Errorf("Apply: %v, want %v", err, bolt.ErrMoved)
			}
			if r := get(t, s, "a"); string(r.Value) != "1" {
				t.Errorf("Get: %q", r.Value)
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// A place where no file can be made is refused with its path.
func TestFileCannotBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(file, "sessions.db"), "/proc/sessions.db", "/dev/full"} {
		s, err := bolt.Open(path, bolt.Options{LockTimeout: 50 * time.Millisecond})
		if err == nil {
			s.Close()
			t.Fatalf("%s was opened", path)
		}
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
