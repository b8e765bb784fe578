package trust

import (
	"io"
	"time"
)

// maxUnknownKeys bounds the kids remembered as unknown: whoever sends a token chooses them.
const maxUnknownKeys = 1024

// fetchState is when the key set was fetched, with what result, and when it is next.
type fetchState struct {
	nextFetch    time.Time // when Run asks again
	lastFetch    time.Time // the last fetch, good or bad
	unknownAsked time.Time // the last fetch for an unknown kid
	fetching     bool      // a fetch is under way
	failures     int
	failingSince time.Time // zero while the last fetch was good
	err          error     // of the last fetch
	unknown      map[string]time.Time
	archiveState
}

func newFetchState() fetchState { return fetchState{unknown: map[string]time.Time{}} }

// markFetching records that a fetch is under way.
func (k *RemoteKeys) markFetching() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.fetching = true
}

// recordFetch records the result of a fetch and when the next is due.
func (k *RemoteKeys) recordFetch(now time.Time, maxAge time.Duration, err error) {
	defer k.tellOutcome(now, err, k.noteOutcome(now, err)) // after the lock is given back
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.state
	s.lastFetch, s.err, s.fetching = now, err, false
	if err != nil {
		s.failures++
		s.nextFetch = now.Add(k.jittered(k.retryAfter()))
		return
	}
	s.failures = 0
	s.nextFetch = now.Add(k.jittered(min(max(maxAge, MinRefresh), MaxRefresh)))
}

// noteOutcome remembers since when fetches fail, and answers since when they did before.
func (k *RemoteKeys) noteOutcome(now time.Time, err error) (since time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	since = k.state.failingSince
	switch {
	case err == nil:
		k.state.failingSince = time.Time{}
	case since.IsZero():
		k.state.failingSince = now
	}
	return since
}

// tellOutcome tells of an outcome that is not the one before.
func (k *RemoteKeys) tellOutcome(now time.Time, err error, since time.Time) {
	switch {
	case k.config.Outcome == nil || since.IsZero() == (err == nil):
	case err != nil:
		k.config.Outcome(err, 0)
	default:
		k.config.Outcome(nil, now.Sub(since))
	}
}

// retryAfter is short while there is nothing to serve, so that the first answer
// of an endpoint is noticed within a second.
func (k *RemoteKeys) retryAfter() time.Duration {
	if k.set.Load() != nil {
		return retryWithSet
	}
	return min(retryWithoutSet, retryWithoutSet/8<<min(k.state.failures, 8))
}

// jittered takes up to a tenth off, so that gateways that began together do not
// go on together.
func (k *RemoteKeys) jittered(d time.Duration) time.Duration {
	var b [1]byte
	if _, err := io.ReadFull(k.config.Rand, b[:]); err != nil {
		return d
	}
	return d - d/10*time.Duration(b[0])/256
}

// untilNext is the time until Run fetches again, 0 if it is due. A clock that was
// set back does not postpone it past the longest interval.
func (k *RemoteKeys) untilNext() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := k.state.nextFetch.Sub(k.config.Now())
	if d < 0 || d > MaxRefresh {
		return 0
	}
	return d
}

// recentFailure is the error of the last fetch if it was a moment ago, so that a flood
// of tokens is not a flood of fetches at an endpoint that is down.
func (k *RemoteKeys) recentFailure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.err != nil && within(k.config.Now().Sub(k.state.lastFetch), retryWithoutSet) {
		return k.state.err
	}
	return nil
}

// mayFetchUnknownKey allows one fetch for an unknown kid in UnknownKeyInterval; while it
// is under way, others may wait for it.
func (k *RemoteKeys) mayFetchUnknownKey(kid string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, now := &k.state, k.config.Now()
	if at, found := s.unknown[kid]; found && within(now.Sub(at), MaxRefresh) {
		return false
	}
	if s.fetching {
		return true
	}
	if within(now.Sub(s.unknownAsked), UnknownKeyInterval) {
		return false
	}
	s.unknownAsked = now
	return true
}

// within tells whether an elapsed time lies in the interval. A negative one, of a clock
// that was set back, does not, so that nothing waits until the clock catches up.
func within(elapsed, interval time.Duration) bool { return elapsed >= 0 && elapsed < interval }

// rememberUnknown prevents another fetch for this kid until the set is refreshed
// anyway.
func (k *RemoteKeys) rememberUnknown(kid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.state.unknown) >= maxUnknownKeys {
		clear(k.state.unknown)
	}
	k.state.unknown[kid] = k.config.Now()
}

// lastError is that of the last fetch, if it failed.
func (k *RemoteKeys) lastError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.err
}
