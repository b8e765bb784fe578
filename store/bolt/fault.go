package bolt

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"

	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/attestgate/caddy-attest/store"
)

// ErrDamaged reports a file that holds what this package has not written, or no
// longer holds what it has. Nothing repairs it: move it away to begin anew, or put
// back a copy. A call that finds it is a store.ErrUnavailable, and so is every later
// one: open the file anew.
var ErrDamaged = errors.New("the file is damaged")

// ErrMoved reports a file that has been removed, renamed or replaced while it was
// open: what is written to it would be gone with the process. A change is then a
// store.ErrUnavailable.
var ErrMoved = errors.New("the file is no longer at its path")

// damaged is an ErrDamaged that says what was found.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// wrapFault names the package and the file, and gives what bbolt and the system say the
// names that the contract has for it.
func (s *Store) wrapFault(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bolterrors.ErrDatabaseNotOpen), errors.Is(err, store.ErrClosed):
		return store.ErrClosed
	case errors.Is(err, errRow):
		return fmt.Errorf("bolt: %s: %w", s.path, err)
	case isFull(err):
		return fmt.Errorf("bolt: %s: %w: %w", s.path, store.ErrFull, err)
	}
	return fmt.Errorf("bolt: %s: %w: %w", s.path, store.ErrUnavailable, err)
}

// isFull reports that the disk, the user's quota or the process' limit of a file's
// size is reached. bbolt does not wrap what it met when it made the file longer.
func isFull(err error) bool {
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) || strings.HasSuffix(err.Error(), ": "+full.Error()) {
			return true
		}
	}
	return false
}

// guard turns a panic and a memory fault into an error. bbolt panics on pages that
// cannot be, and reads the file through a memory map: where the file is shorter
// than it was, or the disk does not answer, the system raises SIGBUS, which would
// end the process.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case interface{ Addr() uintptr }: // of debug.SetPanicOnFault
			err = damaged("a part of it cannot be read: it was truncated, or the disk fails")
		default:
			err = damaged("%v", p)
		}
	}()
	return fn()
}
