package trust

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attestgate/caddy-attest/internal/flight"
)

// RemoteKeys are the keys of a JWKS endpoint. They are fetched in the background
// by Run and refreshed before they grow old; an endpoint that is down, or
// answers something that is no usable key set, leaves the last good set in
// force. It is safe for concurrent use, and profiles may share it.
type RemoteKeys struct {
	config  RemoteConfig
	fetcher keyFetcher
	set     atomic.Pointer[fetchedSet]
	flights flight.Group[struct{}, struct{}]

	mu    sync.Mutex
	state fetchState
}

// fetchedSet is a set and when it was fetched.
type fetchedSet struct {
	*keyIndex
	at       time.Time
	archived bool
}

// NewRemoteKeys checks the configuration and fetches nothing. Every mistake is a
// *ConfigError.
func NewRemoteKeys(c RemoteConfig) (*RemoteKeys, error) {
	f, mistake := c.check()
	if mistake != nil {
		return nil, mistake
	}
	if c.Discover != "" {
		c.URL = c.documentURL() // by which it is archived, and named in errors
	}
	c.StaleFor = cmp.Or(c.StaleFor, DefaultStaleFor)
	if c.StaleFor < 0 {
		c.StaleFor = MaxRefresh // by then it would have been fetched anew
	}
	if c.Now == nil {
		c.Now = defaultClock
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	return &RemoteKeys{config: c, fetcher: f, state: newFetchState()}, nil
}

// Run keeps the keys fresh until ctx ends, and returns its error. It begins with
// a fetch, so that the first token need not wait for one.
func (k *RemoteKeys) Run(ctx context.Context) error {
	for {
		if err := sleep(ctx, k.untilNext()); err != nil {
			return err
		}
		if k.untilNext() == 0 {
			_ = k.Refresh(ctx) // Status tells
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return ctx.Err()
	}
}

// Refresh fetches the keys now, together with whoever else is waiting for them.
// The fetch goes on if ctx ends first.
func (k *RemoteKeys) Refresh(ctx context.Context) error { return k.shareFetch(ctx, k.fetch) }

// shareFetch calls do once for all callers at the same time.
func (k *RemoteKeys) shareFetch(ctx context.Context, do func() error) error {
	_, err := k.flights.Do(ctx, struct{}{}, func(context.Context) (struct{}, error) { return struct{}{}, do() })
	if err != nil {
		return keysUnavailable(err)
	}
	return nil
}

// fetch has a deadline of its own: the context of one caller does not end it for the
// others who share it.
func (k *RemoteKeys) fetch() error {
	ctx, cancel := context.WithTimeout(context.Background(), FetchTimeout)
	defer cancel()
	k.markFetching()
	fetched, err := k.fetcher.get(ctx)
	if err == nil {
		err = k.acceptSet(ctx, fetched)
	}
	if err != nil {
		err = fmt.Errorf("%w: %s: %w", ErrKeysUnavailable, WithoutQuery(k.config.URL), err)
		k.recordFetch(k.config.Now(), 0, err)
		k.useArchive(ctx)
	}
	return err
}

// unusableError is of an answer that was read and does not lead to a usable key.
type unusableError struct{ err error }

func (e *unusableError) Error() string { return e.err.Error() }

func (e *unusableError) Unwrap() error { return e.err }

// acceptSet takes over a set that has at least one usable key; an empty one, a
// mistake of the issuer, would refuse every token.
func (k *RemoteKeys) acceptSet(ctx context.Context, f fetched) error {
	set, err := parseKeys(f.body)
	if err != nil {
		return &unusableError{err}
	}
	now := k.config.Now()
	next := &fetchedSet{keyIndex: newKeyIndex(set), at: now}
	if before := k.set.Swap(next); before == nil || thumbprints(before.all) != thumbprints(next.all) {
		k.forgetAnswers()
	}
	k.recordFetch(now, f.maxAge, nil)
	k.saveArchive(ctx, f.body, now)
	return nil
}

// Keys answers from memory wherever it can; it is that of KeySource.
func (k *RemoteKeys) Keys(ctx context.Context, hint KeyHint) ([]Key, error) {
	set, fetched := k.usableSet(), false
	if set == nil {
		if err := k.firstFetch(ctx); err != nil {
			return nil, err
		}
		if set, fetched = k.usableSet(), true; set == nil {
			return nil, fmt.Errorf("%w: the last good set is too old", ErrKeysUnavailable)
		}
	}
	if keys := set.candidates(hint); len(keys) > 0 {
		return keys, nil
	}
	if fetched {
		return nil, k.lastError()
	}
	return k.askKey(ctx, hint)
}

// usableSet is the set unless it is older than StaleFor.
func (k *RemoteKeys) usableSet() *fetchedSet {
	set := k.set.Load()
	if set == nil || k.config.Now().Sub(set.at) > k.config.StaleFor {
		return nil
	}
	return set
}

// firstFetch fetches the keys where there are none, and waits for it. An archived set
// that is loaded meanwhile will do.
func (k *RemoteKeys) firstFetch(ctx context.Context) error {
	if err := k.recentFailure(); err != nil {
		return err
	}
	err := k.shareFetch(ctx, k.fetchIfNone)
	if k.usableSet() != nil {
		return nil
	}
	return err
}

// fetchIfNone does not fetch again if a fetch has just ended, unless a token has asked for
// one meanwhile.
func (k *RemoteKeys) fetchIfNone() error {
	if k.usableSet() != nil {
		return k.fetchAsked()
	}
	return k.fetch()
}
