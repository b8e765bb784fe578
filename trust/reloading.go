package trust

import (
	"context"
	"crypto/sha256"
	"sync/atomic"
	"time"
)

// ReloadInterval is how often files of keys are looked at.
const ReloadInterval = 5 * time.Second

// ReloadingKeys are keys that lie in files, and are read again when these change: also
// where a file is replaced by another, or a link by one to elsewhere, as Kubernetes does
// with what it mounts. Files that cannot be used leave the last good keys in force. It is
// safe for concurrent use.
type ReloadingKeys struct {
	read    func() ([][]byte, error)
	parse   func(...[]byte) (KeySource, error)
	outcome func(err error)

	current atomic.Pointer[staticKeys]
	// Of Run alone:
	seen   [sha256.Size]byte // what the files held when they were last used, or could not be
	failed bool
}

// NewReloadingKeys reads the files once; an error is one of that. parse makes keys of their
// contents: PEMKeys, or FileKeys of the first. outcome is told when the files have
// changed: nil, or why the last good keys stay; it may be nil.
func NewReloadingKeys(read func() ([][]byte, error), parse func(...[]byte) (KeySource, error), outcome func(error)) (*ReloadingKeys, error) {
	k := &ReloadingKeys{read: read, parse: parse, outcome: outcome}
	contents, err := read()
	if err != nil {
		return nil, err
	}
	if err := k.use(contents); err != nil {
		return nil, err
	}
	k.seen = digestOf(contents)
	return k, nil
}

func (k *ReloadingKeys) use(contents [][]byte) error {
	source, err := k.parse(contents...)
	if err != nil {
		return err
	}
	keys, _ := source.(staticKeys)
	k.current.Store(&keys)
	return nil
}

func digestOf(contents [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, c := range contents {
		one := sha256.Sum256(c)
		h.Write(one[:])
	}
	copy(sum[:], h.Sum(nil))
	return sum
}

// Run looks at the files until ctx ends, and returns its error.
func (k *ReloadingKeys) Run(ctx context.Context) error {
	for {
		if err := sleep(ctx, ReloadInterval); err != nil {
			return err
		}
		k.Reload()
	}
}

// Reload looks at the files now. It is called by one at a time.
func (k *ReloadingKeys) Reload() {
	contents, err := k.read()
	sum := digestOf(contents)
	switch {
	case err == nil && sum == k.seen && !k.failed, err != nil && k.failed:
		return // nothing is new
	case err == nil && sum == k.seen:
		k.failed = false // they can be read again, and are those in force
	case err == nil:
		k.seen = sum
		if err = k.use(contents); err == nil {
			k.failed = false
		}
	default:
		k.failed = true
	}
	if k.outcome != nil {
		k.outcome(err)
	}
}

// Keys is that of KeySource.
func (k *ReloadingKeys) Keys(ctx context.Context, hint KeyHint) ([]Key, error) {
	return k.current.Load().Keys(ctx, hint)
}

// Status of the keys, for operators.
func (k *ReloadingKeys) Status() KeyStatus { return k.current.Load().Status() }
