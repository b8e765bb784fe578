package store

import (
	"context"
	"errors"
	"time"
)

var (
	// ErrConflict reports that a record did not have the version an Op expected.
	// Nothing of the Apply was done; read again and decide anew.
	ErrConflict = errors.New("store: version conflict")
	// ErrName reports a partition, key or tag outside the allowed alphabet. It is
	// a mistake of the caller's, not of the store.
	ErrName = errors.New("store: name not allowed")
	// ErrOp reports an op that makes no sense: an empty value, a key that stands
	// twice in one Apply, a blind op that expects a version. It is a mistake of the
	// caller's, not of the store.
	ErrOp = errors.New("store: op not allowed")
	// ErrTooLarge reports a value, or a number of ops or tags, beyond the limits.
	ErrTooLarge = errors.New("store: too large")
	// ErrFull reports a backend that is full. Nothing of the
	// Apply was done, what is stored can be read.
	ErrFull = errors.New("store: full")
	// ErrUnavailable reports a backend that did not serve: it cannot be reached, is
	// starting or failing over, refuses us, or cannot use its disk. It says nothing of
	// the record; whether an Apply was done is unknown. Time or an operator mends it,
	// another decision of the caller's does not.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrBusy reports a change that was given up because other writers changed the
	// same records first, again and again (see Update). Nothing of it was done.
	ErrBusy = errors.New("store: busy")
	// ErrClosed reports a call on a closed store.
	ErrClosed = errors.New("store: closed")
)

// Limits of names and values; every backend refuses what is beyond them with
// ErrName or ErrTooLarge before anything is sent.
const (
	MaxName  = 200     // bytes of a partition, key or tag
	MaxValue = 1 << 20 // bytes of a value, what store/sealed adds included
	MaxOps   = 64      // ops of one Apply
	MaxTags  = 16      // tags of one record
)

// Store keeps small records. All methods are safe for concurrent use, respect the
// deadline of their context, and return an error only for a fault (an
// ErrUnavailable, an ErrFull, or an error of the backend's for what it holds and
// cannot read), for ErrConflict, and for a call that can never work (ErrName,
// ErrOp, ErrTooLarge): a record that is absent and one that has expired are the
// same, ordinary answer. A call that its context ended answers the context's error.
//
// After a fault of Apply the change may or may not have been made, as with any
// server that went away before it could answer; after every other error it has
// not.
type Store interface {
	// Get reads records of one partition as they stood together at one moment. It
	// answers one Record per key, in order; those that are absent or expired do
	// not exist (see Record.Exists). The values are the caller's own.
	Get(ctx context.Context, partition string, keys ...string) ([]Record, error)

	// List names the records that carry the tag, each once, in no order. It is a
	// hint: a record named may be gone or may no longer carry the tag, so the caller
	// reads and checks each. A record that was written with the tag and has neither
	// been deleted nor expired is always named.
	List(ctx context.Context, tag string) ([]Ref, error)

	// Apply does all of the ops or none of them. A key stands at most once among
	// them. When it returns nil the change is as durable as the backend can make
	// it, and every Get that begins later on any node connected to the same backend
	// sees it. No ops are no change.
	Apply(ctx context.Context, partition string, ops ...Op) error

	// Touch moves the store's own time-to-live of a record to until, sooner or
	// later than it was but never past the record's ExpiresAt, which is also what a
	// zero until means. It changes no version and causes no event; on an absent
	// record it does nothing.
	Touch(ctx context.Context, partition, key string, until time.Time) error
}

// Watcher is the second ability of a store: reporting what changed.
type Watcher interface {
	// Watch calls fn for every change that any node makes after Watch began, at
	// least once and in no particular order, until ctx ends; it then returns
	// ctx.Err(), or ErrClosed when the store is closed first. Where changes may have
	// been missed (it has just begun, or the backend was away), fn gets a Flush, and
	// only then what other nodes change from now on. A change that was made through
	// this very store, or may have been, is reported before Apply returns, also while the
	// backend is away. Expiry is no change.
	//
	// fn is never called twice at once, nor after Watch has returned. It must return
	// quickly and must not call the store.
	Watch(ctx context.Context, fn func(Event)) error
}

// Connectivity is the ability of a Watcher whose backend is elsewhere: proving that
// its Watch hears of every change.
type Connectivity interface {
	// LastConnected is the last moment at which the store is known to have been
	// connected: at which every change that any node had made by then was reported, or
	// announced by a Flush, and nothing was lost. While it is connected that is now;
	// zero is never. What was read before and not reported since was still so at that
	// moment. Where several Watches run, it is the least of theirs.
	LastConnected() time.Time
}

// Clock is the ability of a store whose backend has a clock of its own.
type Clock interface {
	// ClockSkew is how far the backend's clock is ahead of ours, the farthest where it
	// has several. The error is errors.ErrUnsupported where there is none, and else a
	// fault.
	ClockSkew(ctx context.Context) (time.Duration, error)
}

// A Record is one stored value.
type Record struct {
	Key string
	// Value is nil exactly when the record does not exist.
	Value []byte
	// Version counts the changes of the record from 1. It is 0 for a record written
	// blind.
	Version uint64
	// ExpiresAt is when the record ceases to exist, to the millisecond; zero means
	// never.
	ExpiresAt time.Time
}

// Exists reports whether there is such a record.
func (r Record) Exists() bool { return r.Value != nil }

// An Op is one change of one record. Times are truncated to the millisecond.
type Op struct {
	Key string
	// Expect is the version the record must have now, else the Apply is an
	// ErrConflict; 0 means it must not exist. After the change the version is
	// Expect+1.
	Expect uint64
	// Blind ignores what is there: the last writer wins, the version is 0 and no
	// event reports it. It is for bookkeeping that nothing is decided on alone. A
	// key is always written blind or never.
	Blind bool
	// Value is the new value; nil deletes the record. An empty value is an ErrOp.
	Value []byte
	// ExpiresAt is the end of the record, whatever happens to the store's own
	// time-to-live; zero means never.
	ExpiresAt time.Time
	// Until is the store's own time-to-live where it is sooner than ExpiresAt; zero
	// means ExpiresAt. Touch moves it.
	Until time.Time
	// Tags are the names List finds the record under. They replace the former ones.
	Tags []string
}

// A Ref names a record.
type Ref struct{ Partition, Key string }

// An Event reports that a record may have changed, or, with Flush, that anything
// may have.
type Event struct {
	Ref
	Flush bool
}
