package redis

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/internal/hub"
)

const (
	// echoEvery is how often a watcher sends itself a message.
	echoEvery = 200 * time.Millisecond
	// silence is how long it believes in a connection on which none came. A server
	// that is allowed to be slow gets longer.
	silence = 700 * time.Millisecond
)

// Watch implements store.Watcher. It ends only with ctx and with the store:
// whatever happens to Redis, it connects again. Changes made through this store
// are told also while it is not connected.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	w, err := s.hub.Join(fn)
	if err != nil {
		return err
	}
	defer s.hub.Leave(w)
	alive, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()

	pause := pauses()
	for {
		s.listen(alive, w, pause.Reset)
		if !sleep(alive, pause.NextBackOff()) {
			return s.usable(ctx)
		}
	}
}

// pauses between attempts to connect: short, because in every gap changes are
// heard late, growing and uneven, because a fleet comes back at once.
func pauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 20 * time.Millisecond
	b.MaxInterval = 400 * time.Millisecond
	return b
}

// listen connects, and tells what comes until nothing comes any more.
func (s *Store) listen(ctx context.Context, w *hub.Watcher, connected func()) {
	echo := s.names.echo(rand.Text())
	sub, err := s.subscribe(ctx, echo)
	if err != nil {
		return
	}
	defer sub.Close()
	connected()
	s.connected(1)
	defer s.connected(-1)
	w.Flush()

	var beating sync.WaitGroup
	defer beating.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	beating.Go(func() { s.beat(ctx, echo) })
	s.receive(ctx, sub, echo, w)
}

// subscribe returns when the server has confirmed that it will send changes.
func (s *Store) subscribe(ctx context.Context, echo string) (*goredis.PubSub, error) {
	ctx, cancel := context.WithTimeout(ctx, max(dialTimeout, s.config.Timeout))
	defer cancel()
	sub := s.client.Subscribe(ctx)
	channels := []string{s.names.changes(), echo}
	err := sub.Subscribe(ctx, channels...)
	for range channels {
		if err != nil {
			break
		}
		_, err = sub.ReceiveTimeout(ctx, max(dialTimeout, s.config.Timeout))
	}
	if err != nil {
		_ = sub.Close()
		return nil, err
	}
	return sub, nil
}

// receive passes changes on until a message of our own is overdue. Only those
// prove that changes would come: a connection can be open, and even answer, at a
// server that nobody publishes to any more.
func (s *Store) receive(ctx context.Context, sub *goredis.PubSub, echo string, w *hub.Watcher) {
	patience := max(silence, 3*s.config.Timeout)
	for due := time.Now().Add(patience); ; {
		message, err := sub.ReceiveTimeout(ctx, time.Until(due))
		if err != nil {
			return
		}
		m, ok := message.(*goredis.Message)
		switch {
		case ok && m.Channel == echo:
			due = time.Now().Add(patience)
		case ok:
			for _, ref := range announced(m.Payload) {
				w.Tell(store.Event{Ref: ref})
			}
		}
		if time.Now().After(due) {
			return
		}
	}
}

// beat sends the watcher its own messages, by the way that changes come.
func (s *Store) beat(ctx context.Context, echo string) {
	for {
		bounded, cancel := context.WithTimeout(ctx, s.config.Timeout)
		_ = s.client.Publish(bounded, echo, "").Err()
		cancel()
		if !sleep(ctx, echoEvery) {
			return
		}
	}
}
