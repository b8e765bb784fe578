package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked reports a file that another process holds.
var ErrLocked = errors.New("another process holds the file")

// FormatError reports a file that a newer release has written.
type FormatError struct{ Found, Newest uint32 }

func (e *FormatError) Error() string {
	return fmt.Sprintf("file format %d is newer than %d, the newest this release reads; upgrade it", e.Found, e.Newest)
}

// openFile opens or makes the file, readable by its owner alone.
func openFile(path string, lockTimeout time.Duration) (*bbolt.DB, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("bolt: %w", err)
	}
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bbolt.FreelistMapType,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf(`bolt: open %s: %w; stop it, give each process a path of its own, or use "store redis" (shared) or "store memory"`, path, ErrLocked)
	case err != nil:
		return nil, fmt.Errorf("bolt: open %s: %w", path, err)
	}
	if err := settle(path, dir, fresh); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("bolt: %w", err)
	}
	return db, nil
}

// settle takes a file that was there before from everybody but its owner, and
// makes the name of a new one survive a power failure.
func settle(path, dir string, fresh bool) error {
	if fresh {
		return syncDir(dir)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return os.Chmod(path, 0o600)
}

// syncDir is asked of systems that can: on some, a directory cannot be synced,
// and its names are safe without.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}

// The file's buckets. A name is joined of its parts by a NUL, which is in none.
var (
	metaBucket    = []byte("meta")    // "format" → its number
	recordsBucket = []byte("records") // partition, key → row
	endsBucket    = []byte("ends")    // end (8 bytes), partition, key → nothing
	tagsBucket    = []byte("tags")    // tag, partition, key → nothing

	formatKey = []byte("format")
)

// fileFormat is the format this release writes and the newest it reads.
const fileFormat = 1

// prepare makes what a new file needs and refuses one it would not understand.
func prepare(db *bbolt.DB) error {
	return guard(func() error {
		return db.Update(func(tx *bbolt.Tx) error {
			for _, name := range [][]byte{metaBucket, recordsBucket, endsBucket, tagsBucket} {
				if _, err := tx.CreateBucketIfNotExists(name); err != nil {
					return err
				}
			}
			return checkFormat(tx.Bucket(metaBucket))
		})
	})
}

func checkFormat(meta *bbolt.Bucket) error {
	stored := meta.Get(formatKey)
	if stored == nil {
		return meta.Put(formatKey, binary.BigEndian.AppendUint32(nil, fileFormat))
	}
	if len(stored) != 4 {
		return errRow
	}
	if found := binary.BigEndian.Uint32(stored); found > fileFormat {
		return &FormatError{Found: found, Newest: fileFormat}
	}
	return nil
}
