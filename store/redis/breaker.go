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
	// A server that does not answer is asked whether it is back: soon, because it
	// may have been a moment, and then less and less often.
	probeFirst = 25 * time.Millisecond
	probeLast  = 250 * time.Millisecond
)

// A breaker stands before one server. When commands in a row have gone unanswered
// the server counts as down, and one goroutine asks it until it answers: no
// request is sacrificed to find out. If the commands had to wait for nothing, the
// breaker is open too: until the server is back, they are refused without being
// sent. Refused connections and broken ones cost no time, so they do not open it;
// on a link that flaps they are no reason to refuse what would work.
//
// An error that the server answers, whatever it says, is an answer.
type breaker struct {
	store  *Store
	client *goredis.Client

	mu     sync.Mutex
	faults int // in a row
	waits  int // in a row, those that took long
	down   bool
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

// report counts what went unanswered.
func (b *breaker) report(err error, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case answered(err):
		b.faults, b.waits = 0, 0
		return
	case !b.silent(err, took):
		return
	}
	b.faults++
	if took >= b.store.config.Timeout/2 {
		b.waits++
	}
	if b.faults >= breakerFaults && !b.down {
		b.down = b.store.probe(b)
	}
	b.open = b.down && (b.open || b.waits >= breakerFaults)
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
	for pause := probeFirst; sleep(b.store.life, pause) && !b.back(); {
		pause = min(2*pause, probeLast)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open, b.down, b.faults, b.waits = false, false, 0, 0
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
