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

// A boltFile is the open file: locked, whole, and at its path.
type boltFile struct {
	path string
	db   *bbolt.DB
	os   *os.File // of the db
	info os.FileInfo
}

// openFile opens or makes the file, readable by its owner alone.
func openFile(path string, opts Options) (*boltFile, error) {
	f, err := tryOpen(path, opts.LockTimeout)
	if err != nil {
		return nil, err
	}
	wasteful, err := f.check()
	if err != nil {
		f.abandon(err)
		return nil, err
	}
	if !wasteful || compact(f) != nil {
		return f, nil //nolint:nilerr // a file that cannot be made smaller is good as it is
	}
	f.abandon(nil)
	return tryOpen(path, opts.LockTimeout)
}

func tryOpen(path string, lockTimeout time.Duration) (*boltFile, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	_, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	f := &boltFile{path: path}
	err = guard(func() (err error) {
		f.db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:      lockTimeout,
			FreelistType: bbolt.FreelistMapType,
			OpenFile:     f.open,
		})
		return err
	})
	if err == nil {
		err = f.protect(dir, fresh)
	}
	if err != nil {
		f.abandon(err)
	}
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = lockedError(path)
	}
	return f, err
}

// lockedError is an ErrLocked that names who has the file where that is known.
func lockedError(path string) error {
	by := holder(path)
	if by != "" {
		by = " (" + by + ")"
	}
	return fmt.Errorf(`%w%s; stop it, give each process a path of its own, or use "store redis" (shared) or "store memory"`, ErrLocked, by)
}

// open keeps hold of what bbolt opens, and refuses what it must not map.
func (f *boltFile) open(path string, flag int, mode os.FileMode) (_ *os.File, err error) {
	if f.os, err = os.OpenFile(path, flag, mode); err != nil {
		return nil, err
	}
	if f.info, err = f.os.Stat(); err == nil && f.info.Size() > 0 {
		_, err = f.meta()
	}
	return f.os, err
}

// meta reads what the file says of itself, and refuses one that is shorter.
func (f *boltFile) meta() (meta, error) {
	info, err := f.os.Stat()
	if err != nil {
		return meta{}, err
	}
	m, err := readMeta(f.os)
	if err == nil {
		err = m.checkSize(info.Size())
	}
	return m, err
}

// check refuses a file that is damaged, and reports whether most of it is free.
func (f *boltFile) check() (wasteful bool, err error) {
	m, err := f.meta()
	if err != nil {
		return false, err
	}
	free, err := verify(f.os, m)
	return m.pages*uint64(m.pageSize) >= compactAbove && free > m.pages/2, err
}

// protect takes a file that was there before from everybody but its owner, and
// makes the name of a new one survive a power failure.
func (f *boltFile) protect(dir string, fresh bool) error {
	if fresh {
		return syncDir(dir)
	}
	if err := f.checkPath(); err != nil {
		return err
	}
	if f.info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return os.Chmod(f.path, 0o600)
}

// checkPath refuses a file that is not, or no longer, the one at its path.
func (f *boltFile) checkPath() error {
	now, err := os.Stat(f.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMoved, err)
	}
	if !os.SameFile(f.info, now) {
		return fmt.Errorf("%w: another has taken its place", ErrMoved)
	}
	return nil
}

// abandon closes a file that cannot be used for the reason given. Of a damaged one
// bbolt may hold locks of its own, so only its lock against other processes is
// released: by name, since what is mapped keeps it.
func (f *boltFile) abandon(reason error) {
	if f.db != nil && !errors.Is(reason, ErrDamaged) {
		_ = f.db.Close()
	}
	if f.os != nil {
		_ = f.release()
	}
}

// release closes the file without bbolt.
func (f *boltFile) release() error {
	unlock(f.os)
	return f.os.Close()
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
func (f *boltFile) prepare() error {
	return guard(func() error {
		return f.db.Update(func(tx *bbolt.Tx) error {
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
