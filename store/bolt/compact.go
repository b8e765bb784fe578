package bolt

import (
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"
)

const (
	// compactAbove is the size in bytes from which on a file is worth making smaller.
	compactAbove = 8 << 20
	// compactBytes is how much is copied in one transaction.
	compactBytes = 4 << 20
)

// Compact makes the file at path as small as what it holds, and answers its size in
// bytes before and after. Nobody else may have it open; Options.Now is not used. The
// errors are those of Open, and an fs.ErrNotExist.
func Compact(path string, opts Options) (before, after int64, err error) {
	if before, err = size(path); err != nil {
		return 0, 0, fmt.Errorf("bolt: compact: %w", err)
	}
	f, err := tryOpen(path, opts.withDefaults().LockTimeout)
	if err != nil {
		return 0, 0, fmt.Errorf("bolt: compact %s: %w", path, err)
	}
	if _, err = f.check(); err == nil {
		err = compact(f)
	}
	f.abandon(err)
	if err == nil {
		after, err = size(path)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("bolt: compact %s: %w", path, err)
	}
	return before, after, nil
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// compact puts a copy without free pages in the place of the file, which stays open
// and locked and is no longer the one at its path. bbolt uses free pages again but
// never gives them back, and writes their list with every transaction. A crash
// leaves the file or the copy, each whole; what remains of a copy is overwritten by
// the next.
func compact(f *boltFile) error {
	temp := f.path + ".compact"
	if err := os.Remove(temp); err != nil && !os.IsNotExist(err) {
		return err
	}
	err := guard(func() error { return copyTo(temp, f.db) })
	if err == nil {
		err = os.Rename(temp, f.path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// copyTo returns when the copy is on the disk.
func copyTo(path string, from *bbolt.DB) error {
	into, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	defer into.Close()
	if err := bbolt.Compact(into, from, compactBytes); err != nil {
		return err
	}
	if err := into.Sync(); err != nil {
		return err
	}
	return into.Close()
}
