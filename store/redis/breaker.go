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
// the server is suspected, and one goroutine asks it until it answers: no request is
// sacrificed to find out. While it is suspected, commands are sent as before, and one
// answer clears it. Only if the question goes unanswered too, and the commands had to
// wait for nothing, the breaker opens: until the server answers, commands are refused
// without being sent. So a link that spoils a share of the answers costs that share;
// and refused connections and broken ones, which cost no time, never open it.
//
// An error that the server answers, whatever it says, is an answer.
type breaker struct {
	store  *Store
	client *goredis.Client

	mu      sync.Mutex
	faults  int    // in a row
	waits   int    // in a row, those that took long
	answers uint64 // ever
	asking  bool
	down    bool // a question went unanswered
	open    bool
}

var _ goredis.Hook = (*breaker)(nil)

// addBreaker puts a breaker before a server's client.
func (s *Store) addBreaker(client *goredis.Client) {
	client.AddHook(&breaker{store: s, client: client})
}

// probing marks the context of the breaker's own question.
type probing struct{}

// DialHook implements goredis.Hook.
func (b *breaker) DialHook(next goredis.DialHook) goredis.DialHook { return next }

// ProcessHook implements goredis.Hook.
func (b *breaker) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if b.isRefusing(ctx) {
			cmd.SetErr(errBreakerOpen)
			return errBreakerOpen
		}
		begin := time.Now()
		err := next(ctx, cmd)
		b.countResult(err, time.Since(begin))
		return err
	}
}

// ProcessPipelineHook implements goredis.Hook.
func (b *breaker) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if b.isRefusing(ctx) {
			for _, cmd := range cmds {
				cmd.SetErr(errBreakerOpen)
			}
			return errBreakerOpen
		}
		begin := time.Now()
		err := next(ctx, cmds)
		b.countResult(err, time.Since(begin))
		return err
	}
}

func (b *breaker) isRefusing(ctx context.Context) bool {
	if ctx.Value(probing{}) != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open
}

// countResult counts what went unanswered.
func (b *breaker) countResult(err error, took time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case isAnswer(err):
		b.reset()
		b.answers++
		return
	case !b.countsAsSilence(err, took):
		return
	}
	b.faults++
	if took >= b.timeFor(err)/2 {
		b.waits++
	}
	if b.faults >= breakerFaults && !b.asking {
		b.asking = b.store.startAsking(b)
	}
}

func (b *breaker) reset() { b.faults, b.waits, b.down, b.open = 0, 0, false, false }

// isAnswer reports whether the server said something.
func isAnswer(err error) bool {
	var answer goredis.Error
	return err == nil || errors.As(err, &answer)
}

// countsAsSilence reports whether it is the server's doing that nothing came: not where the
// caller went away, or gave it less time than it has a right to.
func (b *breaker) countsAsSilence(err error, took time.Duration) bool {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, goredis.ErrClosed), errors.Is(err, errBreakerOpen):
		return false
	case isTimeout(err):
		return took >= b.timeFor(err)*8/10
	}
	return true
}

// timeFor is how long the server had.
func (b *breaker) timeFor(err error) time.Duration {
	if isUnsent(err) {
		return greetingPatience(b.store.config.Timeout)
	}
	return b.store.config.Timeout
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// startAsking starts asking a server until it answers, and reports whether it could: not
// in a store that is closed.
func (s *Store) startAsking(b *breaker) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed() {
		return false
	}
	s.breakers[b] = struct{}{}
	s.probes.Go(func() {
		b.askUntilAnswered()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.breakers, b)
	})
	return true
}

// askUntilAnswered returns when the server has answered, or there is none to ask any more.
func (b *breaker) askUntilAnswered() {
	for pause := probeFirst; sleep(b.store.life, pause); pause = min(2*pause, probeLast) {
		before := b.answerCount()
		if b.answersPing() || !b.noteUnanswered(before) {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reset()
	b.asking = false
}

func (b *breaker) isDown() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.down
}

// answerCount is how many commands the server has answered.
func (b *breaker) answerCount() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.answers
}

// noteUnanswered notes that a question went unanswered, and reports whether the same is
// true of all that was sent since.
func (b *breaker) noteUnanswered(before uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers != before {
		return false
	}
	b.down = true
	b.open = b.open || b.waits >= breakerFaults
	return true
}

func (b *breaker) answersPing() bool {
	ctx, cancel := context.WithTimeout(b.store.life, b.store.config.Timeout)
	defer cancel()
	err := b.client.Ping(context.WithValue(ctx, probing{}, true)).Err()
	if cluster, ok := b.store.client.(*goredis.ClusterClient); ok {
		cluster.ReloadState(ctx) // another may serve its slots by now
	}
	return isAnswer(err) || errors.Is(err, goredis.ErrClosed)
}
