package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
)

// F30: a full disk refuses what is new, keeps what was acknowledged, also for
// the next process, and does not need a restart when there is room again.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a small disk cannot be mounted here (root only): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "sessions.db")
	s := open(t, path, nil)
	written := 0
	var err error
	for ; err == nil && written < 1000; written++ {
		err = s.Apply(t.Context(), "p", op(fmt.Sprintf("k%d", written), strings.Repeat("x", 5000), 0))
	}
	written-- // the last was refused
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d records: %v, want %v", written, err, store.ErrFull)
	}
	for range 2 {
		for i := range written {
			if r := get(t, s, fmt.Sprintf("k%d", i)); r.Version != 1 {
				t.Fatalf("k%d is at version %d, want 1", i, r.Version)
			}
		}
		s.Close()
		s = open(t, path, nil)
	}
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	apply(t, s, op("room", "again", 0))
	s.Close()
}

// A volume that is mounted read-only is refused with the file's path.
func TestReadOnlyVolume(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("a volume cannot be mounted here (root only): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "sessions.db")
	open(t, path, nil).Close()
	if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s, err := bolt.Open(path, bolt.Options{})
		if err == nil {
			s.Close()
			t.Fatal("opened")
		}
		if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %v and the path", err, syscall.EROFS)
		}
	}
}
