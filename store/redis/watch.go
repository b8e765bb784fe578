package redis

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/cenkalti/backoff/v5"
	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store"
)

// Watch implements store.Watcher. It ends only with ctx and with the store:
// whatever happens to Redis, it connects again. Changes made through this store
// are reported also while it is not connected.
func (s *Store) Watch(ctx context.Context, fn func(store.Event)) error {
	if err := s.checkUsable(ctx); err != nil {
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

	l := &link{store: s, watcher: w, began: time.Now(), epochs: map[string]string{}}
	s.addLink(l)
	defer s.removeLink(l)
	pause := reconnectPauses()
	for {
		l.listen(alive, pause.Reset)
		if !sleep(alive, pause.NextBackOff()) {
			return s.checkUsable(ctx)
		}
	}
}

// reconnectPauses between attempts to connect: short, because in every gap changes are
// heard late, growing and uneven, because a fleet comes back at once.
func reconnectPauses() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = 20 * time.Millisecond
	b.MaxInterval = 400 * time.Millisecond
	return b
}

// listen connects, and reports what comes until the link is not connected any more.
func (l *link) listen(ctx context.Context, connected func()) {
	servers, err := l.store.primaries(ctx)
	if err != nil {
		return
	}
	keys, err := l.epochKeys(ctx, servers)
	if err != nil {
		return
	}
	echo := l.store.names.echo(rand.Text())
	sub, err := l.store.subscribe(ctx, echo)
	if err != nil {
		return
	}
	defer sub.Close()
	connected()
	l.watcher.Flush() // before anybody hears that it is connected
	l.beginListening(len(servers))
	defer l.endListening()

	ctx, cancel := context.WithCancel(ctx)
	defer l.beating.Wait()
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })()
	for i, server := range servers {
		l.beating.Go(func() { l.sendEchoes(ctx, server, echo, i) })
	}
	l.beating.Go(func() { l.checkEpochs(ctx, cancel, keys, servers) })
	l.receive(ctx, sub, echo)
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

// receive passes changes on until an echo is overdue. Only echoes prove that changes
// would come: a connection can be open, and even answer, at a server that nobody
// publishes to any more.
func (l *link) receive(ctx context.Context, sub *goredis.PubSub, echo string) {
	for {
		left := time.Until(l.echoDue())
		if left <= 0 {
			return
		}
		message, err := sub.ReceiveTimeout(ctx, left)
		if err != nil {
			return
		}
		m, ok := message.(*goredis.Message)
		switch {
		case ok && m.Channel == echo:
			l.noteEcho(m.Payload)
		case ok:
			for _, ref := range parseAnnouncement(m.Payload) {
				l.watcher.Send(store.Event{Ref: ref})
			}
		}
	}
}
