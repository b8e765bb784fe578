package redis

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// breakerFaults is how many commands in a row must go unanswered.
	breakerFaults = 5
	// probeEvery is how often a server that does not answer is asked whether it is
	// back.
	probeEvery = 250 * time.Millisecond
)

// A breaker stands before one server. While it is open, commands are refused
// without being sent, and one goroutine asks the server until it answers: no
// request is sacrificed to find out.
//
// Only silence opens it: an error that the server answers, whatever it says, is an
// answer.
type breaker struct {
	store  *Store
	client *goredis.Client

	mu     sync.Mutex
	faults int
	open   bool
}

var _ goredis.Hook = (*breaker)(nil)

// guard puts a breaker before a server's client.
func (s *Store) guard(client *goredis.Client) {
	client.AddHook(&breaker{store: s, client: client})
}

// probing marks the context of the breaker's own question.
type probing struct{}

// DialHook implements goredis.Hook.
func (b *breaker) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook implements goredis.Hook.
func (b *breaker) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if b.refuses(ctx) {
			cmd.SetErr(errBreakerOpen)
			return errBreakerOpen
		}
		begin := time.Now()
		err := next(ctx, cmd)
		b.report(err, time.Since(begin))
		return err
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (b *breaker) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if b.refuses(ctx) {
			for _, cmd := range cmds {
				cmd.SetErr(errBreakerOpen)
			}
			return errBreakerOpen
		}
		begin := time.Now()
		err := next(ctx, cmds)
		b.report(err, time.Since(begin))
		return err
	}
}

func (b *breaker) refuses(ctx context.Context) bool {
	if ctx.Value(probing{}) != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// report counts silence and opens the breaker when there was enough of it.
func (b *breaker) report(err error, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case answered(err):
		b.faults = 0
	case b.silent(err, took):
		b.faults++
		if b.faults >= breakerFaults && !b.open {
			b.open = b.store.probe(b)
		}
	}
}

// answered tells whether the server said something.
func answered(err error) bool {
	var answer goredis.Error
	return err == nil || errors.As(err, &answer)
}

// silent tells whether it is the server's doing that nothing came: not where the
// caller went away, or gave it less time than it has a right to.
func (b *breaker) silent(err error, took time.Duration) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, goredis.ErrClosed), errors.Is(err, errBreakerOpen):
		return false
	case isTimeout(err):
		return took >= b.store.config.Timeout*8/10
	}
	return true
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// probe starts asking a server until it answers, and tells whether it could: not
// in a store that is closed.
func (s *Store) probe(b *breaker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return false
	}
	s.breakers[b] = struct{}{}
	s.probes.Go(func() {
		b.ask()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.breakers, b)
	})
	return true
}

// ask returns when the server has answered, or there is none to ask any more, and
// closes the breaker.
func (b *breaker) ask() {
	for sleep(b.store.life, probeEvery) && !b.back() {
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.faults = false, 0
}

func (b *breaker) back() bool {
	ctx, cancel := context.WithTimeout(b.store.life, b.store.config.Timeout)
	defer cancel()
	err := b.client.Ping(context.WithValue(ctx, probing{}, true)).Err()
	if cluster, ok := b.store.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(ctx) // another may serve its slots by now
	}
	return answered(err) || errors.Is(err, goredis.ErrClosed)
}
