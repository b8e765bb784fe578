package trust

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Tokens cause fetches: a kid that the set does not have may be a new key, and a
// signature that its key did not make may be that of a key replaced under the same kid.
// Whoever sends a token chooses both, so all of them share one bucket.
const (
	// RefetchBurst is how many fetches tokens may cause at once.
	RefetchBurst = 4
	// RefetchInterval is how long it takes until they may cause one more. For so long at
	// most holds the answer that a key is not there.
	RefetchInterval = 30 * time.Second
	// maxAnswers bounds the answers that are remembered.
	maxAnswers = 1024
)

// A bucket holds the fetches that tokens may cause now.
type bucket struct {
	used  int
	since time.Time // when the next one began to come back
}

// take answers 0 and takes one, or how long it takes until there is one.
func (b *bucket) take(now time.Time) time.Duration {
	if b.used == 0 || now.Before(b.since) { // a clock that was set back makes nobody wait for it
		b.since = now
	}
	back := int(min(now.Sub(b.since)/RefetchInterval, RefetchBurst))
	b.since = b.since.Add(time.Duration(back) * RefetchInterval)
	b.used = max(b.used-back, 0)
	if b.used == RefetchBurst {
		return RefetchInterval - now.Sub(b.since)
	}
	if b.used == 0 {
		b.since = now
	}
	b.used++
	return 0
}

// A question is what a token makes of the set: has it the kid, or where keys are given,
// another key than those?
type question struct{ kid, keys string }

// laterError says when the issuer may be asked again because of a token.
type laterError struct{ after time.Duration }

func (e *laterError) Error() string {
	return fmt.Sprintf("tokens with unknown keys have had the issuer asked %d times of late; it is asked again in %s", RefetchBurst, e.after.Round(time.Second))
}

// RetryAfter is the time until then.
func (e *laterError) RetryAfter() time.Duration { return e.after }

// ask has the set fetched because of the question, unless the answer is known. It is an
// error if that cannot be done now.
func (k *RemoteKeys) ask(ctx context.Context, q question) error {
	if err := k.recentFailure(); err != nil {
		return err
	}
	answered, wait := k.mayAsk(q)
	switch {
	case answered:
		return nil
	case wait > 0:
		return keysUnavailable(&laterError{wait})
	}
	return k.Refresh(ctx)
}

// mayAsk tells whether the answer is known, else how long to wait before the issuer is
// asked. While a fetch is under way, others wait for it and take nothing.
func (k *RemoteKeys) mayAsk(q question) (answered bool, wait time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, now := &k.state, k.config.Now()
	if at, found := s.answers[q]; found && within(now.Sub(at), RefetchInterval) {
		return true, 0
	}
	if s.fetching {
		return false, 0
	}
	if wait = s.bucket.take(now); wait == 0 {
		s.fetching = true
	}
	return false, wait
}

// remember keeps the answer that the set has no such key.
func (k *RemoteKeys) remember(q question) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.state.answers) >= maxAnswers {
		clear(k.state.answers)
	}
	if _, known := k.state.answers[q]; !known || !within(k.config.Now().Sub(k.state.answers[q]), RefetchInterval) {
		k.state.answers[q] = k.config.Now()
	}
}

// forgetAnswers is for when the set has changed.
func (k *RemoteKeys) forgetAnswers() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.state.answers)
}

// askKey answers the keys of a kid that the set did not have.
func (k *RemoteKeys) askKey(ctx context.Context, hint KeyHint) ([]Key, error) {
	q := question{kid: hint.ID}
	if err := k.ask(ctx, q); err != nil {
		return nil, err
	}
	keys := k.set.Load().candidates(hint)
	if len(keys) == 0 {
		k.remember(q)
	}
	return keys, nil
}

// Replaced answers the keys that the hint may mean now, where they are others than
// those tried: an issuer may replace a key under the same kid. Nil where they are not.
func (k *RemoteKeys) Replaced(ctx context.Context, hint KeyHint, tried []Key) ([]Key, error) {
	q := question{hint.ID, thumbprints(tried)}
	if err := k.ask(ctx, q); err != nil {
		return nil, err
	}
	keys := k.set.Load().candidates(hint)
	if !hasOther(keys, tried) {
		k.remember(q)
		return nil, nil
	}
	return keys, nil
}

func thumbprints(keys []Key) string {
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k.key.Thumbprint)
	}
	return b.String()
}

func hasOther(keys, tried []Key) bool {
	known := map[string]bool{}
	for _, k := range tried {
		known[k.key.Thumbprint] = true
	}
	for _, k := range keys {
		if !known[k.key.Thumbprint] {
			return true
		}
	}
	return false
}
