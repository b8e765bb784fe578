package trust

import (
	"io"
	"time"
)

// maxUnknown bounds the kids remembered as unknown. They are strangers' texts.
const maxUnknown = 1024

// fetchState is when a set was asked for, and what came of it.
type fetchState struct {
	next     time.Time // when Run asks again
	tried    time.Time // the last fetch, good or bad
	asked    time.Time // the last fetch for an unknown kid
	fetching bool      // a fetch is under way
	failures int
	err      error // of the last fetch
	unknown  map[string]time.Time
	archiveState
}

func newFetchState() fetchState { return fetchState{unknown: map[string]time.Time{}} }

// begin notes that a fetch is under way.
func (k *RemoteKeys) begin() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.fetching = true
}

// record notes what came of it and plans the next.
func (k *RemoteKeys) record(now time.Time, maxAge time.Duration, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.state
	s.tried, s.err, s.fetching = now, err, false
	if err != nil {
		s.failures++
		s.next = now.Add(k.jittered(k.retryAfter()))
		return
	}
	s.failures = 0
	s.next = now.Add(k.jittered(min(max(maxAge, MinRefresh), MaxRefresh)))
}

// retryAfter is short while there is nothing to serve, so that the first answer
// of an endpoint is noticed within a second.
func (k *RemoteKeys) retryAfter() time.Duration {
	if k.set.Load() != nil {
		return retryLater
	}
	return min(retryFirst, retryFirst/8<<min(k.state.failures, 8))
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
	d := k.state.next.Sub(k.config.Now())
	if d < 0 || d > MaxRefresh {
		return 0
	}
	return d
}

// mayTry keeps a flood of tokens from becoming a flood of fetches at an endpoint
// that is down.
func (k *RemoteKeys) mayTry() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state.err != nil && within(k.config.Now().Sub(k.state.tried), retryFirst) {
		return k.state.err
	}
	return nil
}

// mayAsk allows one fetch for an unknown kid in UnknownKeyInterval; whoever comes
// while it is under way may wait for it.
func (k *RemoteKeys) mayAsk(kid string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, now := &k.state, k.config.Now()
	if at, found := s.unknown[kid]; found && within(now.Sub(at), MaxRefresh) {
		return false
	}
	if s.fetching {
		return true
	}
	if within(now.Sub(s.asked), UnknownKeyInterval) {
		return false
	}
	s.asked = now
	return true
}

// within tells whether an elapsed time lies in the interval; a clock set back is
// outside of it, so that nothing waits for the old time to come again.
func within(elapsed, interval time.Duration) bool { return elapsed >= 0 && elapsed < interval }

// rememberUnknown spares the endpoint the same question until the set is
// refreshed anyway.
func (k *RemoteKeys) rememberUnknown(kid string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.state.unknown) >= maxUnknown {
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
