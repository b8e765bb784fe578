package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
)

// A Kind is what is wrong, in a word fit for a metric.
type Kind string

// The kinds of faults.
const (
	// Unreachable: no connection, no answer in time, or the breaker is open.
	Unreachable Kind = "unreachable"
	// Loading: the server has started and is reading its data.
	Loading Kind = "loading"
	// ReadOnly: the server is a replica; a failover is under way, or the address is
	// wrong.
	ReadOnly Kind = "read_only"
	// NoReplicas: too few replicas are connected for min-replicas-to-write.
	NoReplicas Kind = "no_replicas"
	// Full: maxmemory is reached. The error is a store.ErrFull.
	Full Kind = "full"
	// Unsaved: the server cannot write its disk and refuses changes.
	Unsaved Kind = "unsaved"
	// Cluster: the slot is not served, is being moved, or the server is part of a
	// Cluster that the configuration does not know of.
	Cluster Kind = "cluster"
	// Denied: wrong user name or password, or the user may not do this.
	Denied Kind = "denied"
	// Malformed: a key holds what this package has not written.
	Malformed Kind = "malformed"
	// Failed: anything else that the server answered.
	Failed Kind = "failed"
)

// Error is a fault. Its text names no key, and no user's password.
type Error struct {
	Kind Kind
	// Op is what was being done: "get", "list", "apply", "touch", "scan",
	// "rewrite", "watch", "check".
	Op  string
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("redis: %s: %s: %s", e.Op, e.Kind, shorten(e.Err))
}

// Unwrap gives what the client or the server said. A fault is besides a
// store.ErrFull or store.ErrUnavailable, unless it is of one record (Malformed).
func (e *Error) Unwrap() []error {
	switch e.Kind {
	case Full:
		return []error{store.ErrFull, e.Err}
	case Malformed:
		return []error{e.Err}
	}
	return []error{store.ErrUnavailable, e.Err}
}

var (
	errBreakerOpen = errors.New("not asked, it did not answer before")
	errMalformed   = errors.New("the value is none of ours")
	errNotCluster  = errors.New("the server is part of a Cluster: say cluster in the configuration")
)

// answers are the kinds of error answers. The server begins its answer
// with the word, or, before version 7, names it within the error of a script.
var answers = []struct {
	word string
	kind Kind
}{
	{"LOADING", Loading},
	{"READONLY", ReadOnly},
	{"NOREPLICAS", NoReplicas},
	{"OOM", Full},
	{"MISCONF", Unsaved},
	{"CLUSTERDOWN", Cluster},
	{"MOVED", Cluster},
	{"ASK", Cluster},
	{"TRYAGAIN", Cluster},
	{"CROSSSLOT", Cluster},
	{"MASTERDOWN", Unreachable},
	{"WRONGTYPE", Malformed},
	{"WRONGPASS", Denied},
	{"NOAUTH", Denied},
	{"NOPERM", Denied},
	{"ERR invalid password", Denied},
	{"ERR AUTH", Denied},
	{"ERR Client sent AUTH", Denied},
	{"ERR Protocol error: unauthenticated", Denied},
}

// kindOf reports what an error is.
func kindOf(err error) Kind {
	var answer goredis.Error
	if !errors.As(err, &answer) || errors.Is(err, goredis.Nil) {
		return Unreachable
	}
	text := answer.Error()
	for _, a := range answers {
		if strings.HasPrefix(text, a.word) || strings.Contains(text, " -"+a.word+" ") {
			return a.kind
		}
	}
	return Failed
}

// wrapFault gives an error its name. The caller's own context comes first: it is not
// the store's fault that nobody waits any more.
func (s *Store) wrapFault(caller context.Context, op string, err error) error {
	switch {
	case err == nil, err == store.ErrConflict:
		return err
	case s.isClosed() || errors.Is(err, goredis.ErrClosed):
		return store.ErrClosed
	case caller.Err() != nil:
		return caller.Err()
	case isTimeout(err) && isOverdue(caller):
		return context.DeadlineExceeded
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	return &Error{Kind: kindOf(err), Op: op, Err: err}
}

// isOverdue reports whether the caller's time is up. A socket can know that a moment
// before the context does.
func isOverdue(caller context.Context) bool {
	deadline, ok := caller.Deadline()
	return ok && !time.Now().Before(deadline)
}

// shorten bounds what a server says of itself in an error.
func shorten(err error) string {
	const most = 200
	text := err.Error()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
