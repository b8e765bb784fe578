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
type laterError struct {
	after time.Duration
	of    string
}

func (e *laterError) Error() string {
	return fmt.Sprintf("%s of late; the issuer is asked again in %s", e.of, e.after.Round(time.Second))
}

// RetryAfter is the time until then.
func (e *laterError) RetryAfter() time.Duration { return e.after }

// ask answers the keys that find finds in the set. Where there are none it has the set
// fetched because of the question, unless the answer is known, and looks again. It is an
// error if that cannot be done now.
func (k *RemoteKeys) ask(ctx context.Context, q question, find func(*keyIndex) []Key) ([]Key, error) {
	for {
		if keys := find(k.set.Load().keyIndex); len(keys) > 0 {
			return keys, nil
		}
		answered, err := k.mayAsk(q)
		switch {
		case err != nil:
			return nil, err
		case answered:
			return find(k.set.Load().keyIndex), nil
		}
		if err := k.shareFetch(ctx, k.fetchAsked); err != nil {
			return nil, err
		}
	}
}

// mayAsk tells whether the answer is known, else has the next fetch answer the question.
// While a fetch is under way, others wait for it and take nothing from the bucket.
func (k *RemoteKeys) mayAsk(q question) (answered bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, now := &k.state, k.config.Now()
	if err := s.failedAt(now); err != nil {
		return false, err
	}
	if at, found := s.answers[q]; found && within(now.Sub(at), RefetchInterval) {
		return true, nil
	}
	if !s.fetching {
		if wait := s.bucket.take(now); wait > 0 {
			return false, keysUnavailable(&laterError{wait, fmt.Sprintf("tokens with unknown keys have had the issuer asked %d times", RefetchBurst)})
		}
		s.fetching = true
	}
	if len(s.asked) < maxAnswers {
		s.asked[q] = struct{}{}
	}
	return false, nil
}

// fetchAsked does not fetch if the fetch that the caller was to wait for has ended: for
// another one nothing was taken from the bucket.
func (k *RemoteKeys) fetchAsked() error {
	k.mu.Lock()
	due, err := k.state.fetching, k.state.err
	k.mu.Unlock()
	if !due {
		return err
	}
	return k.fetch()
}

// answer is for when a fetch has ended: the set has what the questions asked for, or the
// issuer does not. A failed fetch answers nothing.
func (s *fetchState) answer(now time.Time, err error) {
	if err == nil && len(s.answers)+len(s.asked) > maxAnswers {
		clear(s.answers)
	}
	for q := range s.asked {
		if err == nil {
			s.answers[q] = now
		}
	}
	clear(s.asked)
}

// forgetAnswers is for when the set has changed.
func (k *RemoteKeys) forgetAnswers() {
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.state.answers)
}

// askKey answers the keys of a kid that the set did not have.
func (k *RemoteKeys) askKey(ctx context.Context, hint KeyHint) ([]Key, error) {
	return k.ask(ctx, question{kid: hint.ID}, func(x *keyIndex) []Key { return x.candidates(hint) })
}

// Replaced answers the keys that the hint may mean now, where they are others than
// those tried: an issuer may replace a key under the same kid. Nil where they are not.
func (k *RemoteKeys) Replaced(ctx context.Context, hint KeyHint, tried []Key) ([]Key, error) {
	return k.ask(ctx, question{hint.ID, thumbprints(tried)}, func(x *keyIndex) []Key {
		if keys := x.candidates(hint); hasOther(keys, tried) {
			return keys
		}
		return nil
	})
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
