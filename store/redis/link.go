package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/attestgate/caddy-attest/store/internal/hub"
)

const (
	// echoEvery is how often a link sends itself a message through each primary.
	echoEvery = 200 * time.Millisecond
	// echoSilence is after how long without one it is not connected. A server that is
	// allowed to be slow gets longer.
	echoSilence = 700 * time.Millisecond
)

// A link is what one Watch hears by. It is connected while it proves that every
// change would reach it: a message that it publishes through each primary, on a
// channel of its own, is heard within echoSilence, and the epoch is found unchanged
// within epochSilence (see epoch.go).
type link struct {
	store   *Store
	watcher *hub.Watcher
	began   time.Time
	beating sync.WaitGroup
	epochs  map[string]string // as they were last found, by key

	mu        sync.Mutex
	listening bool
	heard     []time.Time // by primary: when the last message that was heard was sent
	compared  time.Time   // when the epochs were last asked for and found unchanged
}

// beginListening is a new connection: nothing is proved by it yet.
func (l *link) beginListening(primaries int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listening = true
	l.heard = make([]time.Time, primaries)
	for i := range l.heard {
		l.heard[i] = time.Now()
	}
}

func (l *link) endListening() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listening = false
}

// sendEchoes sends messages through one primary.
func (l *link) sendEchoes(ctx context.Context, server goredis.Cmdable, echo string, primary int) {
	for {
		bounded, cancel := context.WithTimeout(ctx, l.store.config.Timeout)
		_ = server.Publish(bounded, echo, fmt.Sprint(primary, int64(time.Since(l.began)))).Err()
		cancel()
		if !sleep(ctx, echoEvery) {
			return
		}
	}
}

// noteEcho notes a message of our own.
func (l *link) noteEcho(payload string) {
	var primary int
	var sent time.Duration
	if _, err := fmt.Sscan(payload, &primary, &sent); err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if primary >= 0 && primary < len(l.heard) && sent <= time.Since(l.began) {
		l.heard[primary] = l.began.Add(sent)
	}
}

// echoDue is when the next message of our own must have been heard.
func (l *link) echoDue() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oldest().Add(l.silence())
}

func (l *link) silence() time.Duration { return max(echoSilence, 3*l.store.config.Timeout) }

// oldest is since when one of the primaries may not have been heard.
func (l *link) oldest() (oldest time.Time) {
	for i, at := range l.heard {
		if i == 0 || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}

// lastConnected is now while the link is connected, and else the last moment of
// which it has proof; zero where there was none.
func (l *link) lastConnected(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.compared.IsZero() {
		return time.Time{}
	}
	heard := l.oldest()
	if l.listening && now.Sub(heard) < l.silence() && now.Sub(l.compared) < epochSilence {
		return now
	}
	if heard.Before(l.compared) {
		return heard
	}
	return l.compared
}
