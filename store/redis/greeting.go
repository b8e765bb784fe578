package redis

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// A greeted connection reports what fails before the server's first answer, which is
// to the greeting of the client library, as an [unsentError]: no command of ours has
// been sent by then, so that it can be sent by another connection. The greeting gets
// a part of a call's time, so that there is some left.
type greeted struct {
	net.Conn
	socket   syscall.Conn // under TLS too: the pool looks at it, see SyscallConn
	patience time.Duration
	answered atomic.Bool
}

// SyscallConn implements syscall.Conn. The pool sees by it, before a connection is
// used, whether the server has closed it. Without that, every connection of the pool
// would cost one command after the server was restarted. (What a server sends unasked,
// within TLS or outside, makes the pool drop the connection; in RESP2 that is never
// data.)
func (g *greeted) SyscallConn() (syscall.RawConn, error) {
	if g.socket == nil {
		return nil, errors.ErrUnsupported
	}
	return g.socket.SyscallConn()
}

// Read implements net.Conn.
func (g *greeted) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n > 0 {
		g.answered.Store(true)
	}
	return n, g.unsent(err)
}

// Write implements net.Conn.
func (g *greeted) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	return n, g.unsent(err)
}

func (g *greeted) unsent(err error) error {
	if err == nil || g.answered.Load() {
		return err
	}
	return &unsentError{err}
}

// SetReadDeadline implements net.Conn.
func (g *greeted) SetReadDeadline(at time.Time) error {
	if most := time.Now().Add(g.patience); !g.answered.Load() && (at.IsZero() || at.After(most)) {
		at = most
	}
	return g.Conn.SetReadDeadline(at)
}

// greetingPatience is how much of a call's time the greeting gets: where it takes
// longer, the command after it would not be answered in time either.
func greetingPatience(timeout time.Duration) time.Duration { return timeout / 2 }

// unsentError is a fault of a connection by which no command has been sent. It has no
// Unwrap, because the client library unwraps what a greeting ends with.
type unsentError struct{ error }

// Is and As look into the fault.
func (e *unsentError) Is(target error) bool { return errors.Is(e.error, target) }
func (e *unsentError) As(target any) bool   { return errors.As(e.error, target) }

// Timeout and Temporary implement net.Error.
func (e *unsentError) Timeout() bool   { return isTimeout(e.error) }
func (e *unsentError) Temporary() bool { return false }

func isUnsent(err error) bool {
	var unsent *unsentError
	return errors.As(err, &unsent)
}
