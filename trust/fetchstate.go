package trust

import (
	"io"
	"time"
)

// fetchState is when the key set was fetched, with what result, and when it is next.
type fetchState struct {
	nextFetch    time.Time // when Run asks again
	lastFetch    time.Time // the last fetch, good or bad
	fetching     bool      // a fetch is under way, or taken from the bucket and about to be
	failures     int
	failingSince time.Time // zero while the last fetch was good
	alarmed      bool      // that was told to last
	told         bool      // an outcome was
	err          error     // of the last fetch
	bucket       bucket
	asked        map[question]struct{}  // what the fetch under way is to answer
	answers      map[question]time.Time // what fetches have answered, and when
	archiveState
}

func newFetchState() fetchState {
	return fetchState{asked: map[question]struct{}{}, answers: map[question]time.Time{}}
}

// markFetching records that a fetch is under way.
func (k *RemoteKeys) markFetching() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.state.fetching = true
}

// recordFetch records the result of a fetch and when the next is due.
func (k *RemoteKeys) recordFetch(now time.Time, maxAge time.Duration, err error) {
	defer k.tellOutcome(k.noteOutcome(now, err)) // after the lock is given back
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.state
	s.lastFetch, s.err, s.fetching = now, err, false
	s.answer(now, err)
	if err != nil {
		s.failures++
		s.nextFetch = now.Add(k.jittered(k.retryAfter()))
		return
	}
	s.failures = 0
	s.nextFetch = now.Add(k.jittered(min(max(maxAge, MinRefresh), MaxRefresh)))
}

// An outcome is what is told of a fetch: nothing, where it is like the one before.
type outcome struct {
	err   error
	after time.Duration
	tell  bool
}

// noteOutcome remembers since when fetches fail.
func (k *RemoteKeys) noteOutcome(now time.Time, err error) outcome {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := &k.state
	first, since := !s.told, s.failingSince
	s.told = true
	switch {
	case err == nil:
		s.failingSince, s.alarmed = time.Time{}, false
		if since.IsZero() {
			return outcome{tell: first}
		}
		return outcome{after: max(now.Sub(since), 1), tell: true}
	case since.IsZero():
		s.failingSince = now
		return outcome{err: err, tell: true}
	case !s.alarmed && now.Sub(since) >= k.config.StaleFor/alarmShare:
		s.alarmed = true
		return outcome{err: err, after: now.Sub(since), tell: true}
	}
	return outcome{}
}

// alarmShare is the part of StaleFor after which a failing endpoint is told again.
const alarmShare = 24

func (k *RemoteKeys) tellOutcome(o outcome) {
	if k.config.Outcome != nil && o.tell {
		k.config.Outcome(o.err, o.after)
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
	return k.state.failedAt(k.config.Now())
}

func (s *fetchState) failedAt(now time.Time) error {
	if s.err != nil && within(now.Sub(s.lastFetch), retryWithoutSet) {
		return s.err
	}
	return nil
}

// within tells whether an elapsed time lies in the interval. A negative one, of a clock
// that was set back, does not, so that nothing waits until the clock catches up.
func within(elapsed, interval time.Duration) bool { return elapsed >= 0 && elapsed < interval }

// lastError is that of the last fetch, if it failed.
func (k *RemoteKeys) lastError() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.state.err
}
