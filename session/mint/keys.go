package mint

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// state is what a key is for.
type state string

const (
	next    state = "next"    // published, will sign
	active  state = "active"  // signs
	retired state = "retired" // has signed, or came from a ring that was lost
)

// errNoActive reports a ring in which an algorithm has no key that signs, or two.
var errNoActive = errors.New("mint: ring has no active key")

// key is one key of the ring.
type key struct {
	signer *jose.Signer // nil for a public key out of a file
	public jose.Key
	state  state
	// When the key came into each state, as far as it did.
	publishedAt, activatedAt, retiredAt time.Time

	unknown map[string]any
}

func newKey(alg string, random io.Reader, now time.Time) (key, error) {
	signer, err := jose.NewSigner(alg, random)
	if err != nil {
		return key{}, fmt.Errorf("mint: %w", err)
	}
	return key{signer: signer, public: signer.Key(), state: next, publishedAt: now}, nil
}

// keys is the content of a ring: the keys and those that must never be taken
// again. Its methods answer a changed copy.
type keys struct {
	list   []key
	denied []string // kids
	// wishes are when a node last wished for an algorithm: see withWish.
	wishes  map[string]time.Time
	version uint64   // of the record; 0: there is none
	sum     [32]byte // SHA-256 of the record
	unknown map[string]any
}

// inState is the key of an algorithm in that state, of which there is one at most but
// for retired.
func (k keys) inState(alg string, s state) (key, bool) {
	i := slices.IndexFunc(k.list, func(each key) bool { return each.state == s && each.public.Algorithm == alg })
	if i < 0 {
		return key{}, false
	}
	return k.list[i], true
}

func (k keys) find(kid string) (key, bool) {
	i := slices.IndexFunc(k.list, func(each key) bool { return each.public.ID == kid })
	if i < 0 {
		return key{}, false
	}
	return k.list[i], true
}

func (k keys) with(each key) keys {
	k.list = append(slices.Clone(k.list), each)
	return k
}

func (k keys) without(kid string) keys {
	k.list = slices.DeleteFunc(slices.Clone(k.list), func(each key) bool { return each.public.ID == kid })
	return k
}

// withPromoted lets the next key of an algorithm sign from now on and retires the
// active one.
func (k keys) withPromoted(alg string, now time.Time) keys {
	k.list = slices.Clone(k.list)
	for i := range k.list {
		switch each := &k.list[i]; {
		case each.public.Algorithm != alg:
		case each.state == active:
			each.state, each.retiredAt = retired, now
		case each.state == next:
			each.state, each.activatedAt = active, now
		}
	}
	return k
}

// withDenied takes a key out for good. If it was the one that signs, the next one does
// from now on, known to everybody or not: better refused by an upstream for
// minutes than accepted from whoever has stolen it.
func (k keys) withDenied(kid string, now time.Time) keys {
	if each, ok := k.find(kid); ok && each.state == active {
		k = k.withPromoted(each.public.Algorithm, now)
	}
	k = k.without(kid)
	if !slices.Contains(k.denied, kid) {
		k.denied = append(slices.Clone(k.denied), kid)
	}
	return k
}

// withoutExpired drops retired keys whose last JWT has been dead for long enough.
func (k keys) withoutExpired(now time.Time, maxLifetime time.Duration) keys {
	k.list = slices.DeleteFunc(slices.Clone(k.list), func(each key) bool {
		return each.state == retired && !now.Before(each.neededUntil(maxLifetime))
	})
	return k
}

// neededUntil is when nobody needs a retired key any more.
func (k key) neededUntil(maxLifetime time.Duration) time.Time {
	return k.retiredAt.Add(maxLifetime + retainExtra)
}

// readyAt is when a next key has been published for long enough to sign.
func (k key) readyAt() time.Time { return k.publishedAt.Add(PublishAhead) }

// restoredFrom is what the store holds together with what a node remembers, in case
// the store has fallen back to an earlier state or to none. That shows in its
// version; the node then knows better which key signs. Either way a key that has
// signed stays published, since JWTs may be out that need it, and a key that was
// denied stays so.
func (k keys) restoredFrom(known keys, now time.Time, maxLifetime time.Duration) keys {
	if k.version >= known.version {
		return k.mergedWith(known, now, maxLifetime)
	}
	older := k
	k = known
	k.version = older.version
	return k.mergedWith(older, now, maxLifetime)
}

// mergedWith is a content with what only another one holds.
func (k keys) mergedWith(other keys, now time.Time, maxLifetime time.Duration) keys {
	for _, kid := range other.denied {
		if !slices.Contains(k.denied, kid) {
			k = k.without(kid)
			k.denied = append(slices.Clone(k.denied), kid)
		}
	}
	for alg, at := range other.wishes {
		if at.After(k.wishes[alg]) {
			k = k.wishedAt(alg, at)
		}
	}
	for _, each := range other.list {
		if each.lostBy(k, now, maxLifetime) {
			k = k.with(k.placed(each, now))
		}
	}
	return k
}

// lostBy tells whether the other content should hold this key and does not. One
// that has never signed may have been replaced, and one near its end dropped by a
// node whose clock is ahead.
func (k key) lostBy(held keys, now time.Time, maxLifetime time.Duration) bool {
	if _, ok := held.find(k.public.ID); ok || slices.Contains(held.denied, k.public.ID) {
		return false
	}
	switch k.state {
	case retired:
		return now.Before(k.neededUntil(maxLifetime).Add(-retainExtra / 2))
	case next:
		_, ok := held.inState(k.public.Algorithm, next)
		return !ok
	}
	return true
}

// placed is the key in the state it has among these: it signs only if no other of
// its algorithm does.
func (k keys) placed(each key, now time.Time) key {
	if _, ok := k.inState(each.public.Algorithm, active); ok && each.state == active {
		each.state, each.retiredAt = retired, now
	}
	return each
}

// same tells whether two contents are one.
func (k keys) same(other keys) bool {
	return slices.Equal(k.denied, other.denied) && maps.EqualFunc(k.wishes, other.wishes, time.Time.Equal) && slices.EqualFunc(k.list, other.list, func(a, b key) bool {
		return a.public.ID == b.public.ID && a.state == b.state
	})
}
