package mint

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// RotateOptions says what kind of rotation it shall be.
type RotateOptions struct {
	// Emergency takes a key that may be in wrong hands out of the ring at once. If it
	// signs, the next one signs from now on, however short it has been published.
	Emergency bool
	// KeyID is the kid of that key. Default: of the active key as this node knows it;
	// name it where several may react to one incident, lest the second takes out the
	// successor.
	KeyID string
}

// Rotate lets the next key sign. It is a *TooEarlyError before that has been
// published for PublishAhead, unless it is an emergency. Of several that rotate
// at the same moment one does it for all.
func (r *Ring) Rotate(ctx context.Context, o RotateOptions) error {
	if r.store == nil {
		return ErrFiles
	}
	if !o.Emergency {
		return r.change(ctx, r.rotation())
	}
	kid := o.KeyID
	if kid == "" {
		kid = r.current.Load().active.Key().ID
	}
	return r.change(ctx, func(found keys) (keys, error) { return r.withoutKey(found, kid) })
}

// rotation is one promotion. If the active key is another one the second time
// round, somebody else has done it.
func (r *Ring) rotation() step {
	var from string
	return func(found keys) (keys, error) {
		signing, _ := found.inState(r.algorithm, active)
		switch from {
		case "":
			from = signing.public.ID
		case signing.public.ID:
		default:
			return found, nil
		}
		now := r.now()
		successor, ok := found.inState(r.algorithm, next)
		if ok && now.Before(successor.readyAt()) {
			return keys{}, &TooEarlyError{ReadyAt: successor.readyAt()}
		}
		if !ok {
			return keys{}, &TooEarlyError{ReadyAt: now.Add(PublishAhead)}
		}
		return r.withNext(found.withPromoted(r.algorithm, now), now)
	}
}

func (r *Ring) withoutKey(found keys, kid string) (keys, error) {
	if _, ok := found.find(kid); !ok {
		for _, denied := range found.denied {
			if denied == kid {
				return found, nil
			}
		}
		return keys{}, ErrUnknownKey
	}
	now := r.now()
	return r.withNext(found.withDenied(kid, now), now)
}

// maintained is the ring as it should be now: this node's wish noted, a key that is due
// rotated, those that nobody wishes for or needs dropped, and a next one published.
func (r *Ring) maintained(found keys) (keys, error) {
	now := r.now()
	found = found.withWish(r.algorithm, now)
	if r.due(found, now) {
		found = found.withPromoted(r.algorithm, now)
	}
	return r.withNext(found.withoutUnwished(now).withoutExpired(now, r.maxLifetime), now)
}

// due tells whether the active key has signed for long enough, and the next may
// follow it.
func (r *Ring) due(found keys, now time.Time) bool {
	signing, ok := found.inState(r.algorithm, active)
	successor, ready := found.inState(r.algorithm, next)
	return ok && ready && !now.Before(successor.readyAt()) && !now.Before(signing.activatedAt.Add(r.rotateEvery))
}

// withNext sees to it that there is a key of this node's algorithm to sign now, and
// one to sign after it. The first key of an algorithm signs at once: no JWT of that
// algorithm has been verified yet, so no verifier relies on an older key set.
func (r *Ring) withNext(k keys, now time.Time) (keys, error) {
	if _, ok := k.inState(r.algorithm, next); !ok {
		fresh, err := newKey(r.algorithm, r.random, now)
		if err != nil {
			return keys{}, err
		}
		k = k.with(fresh)
	}
	if _, ok := k.inState(r.algorithm, active); !ok {
		return r.withNext(k.withPromoted(r.algorithm, now), now)
	}
	return k, nil
}

// step is one change of the ring: what it shall hold instead of what was found.
type step func(found keys) (keys, error)

// change reads the ring, adds what the store has lost, takes a step and writes the
// result if it differs; if another node wrote meanwhile it begins anew, until that is
// a store.ErrBusy. The ring of this node is then what the store holds.
func (r *Ring) change(ctx context.Context, take step) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.end()
	return store.Update(ctx, func(ctx context.Context) error { return r.takeOnce(ctx, take) })
}

// takeOnce is one attempt; the error is a store.ErrConflict where another node wrote
// meanwhile.
func (r *Ring) takeOnce(ctx context.Context, take step) error {
	held, err := r.load(ctx)
	r.noteHealth(err)
	if err != nil {
		return err
	}
	wanted, err := r.restored(held)
	if err == nil {
		wanted, err = take(wanted)
	}
	if err != nil {
		return err
	}
	if wanted.same(held) {
		return r.adopt(held)
	}
	saved, err := r.save(ctx, wanted)
	if err == nil {
		return r.adopt(saved)
	}
	if !errors.Is(err, store.ErrConflict) {
		r.noteHealth(err)
	}
	return err
}

// restored adds what the store has lost, as far as this node knows it. If all of it
// was denied, what is left may not sign, and the next key does.
func (r *Ring) restored(held keys) (keys, error) {
	known := r.current.Load()
	if known == nil {
		return held, nil
	}
	now := r.now()
	return r.withNext(held.restoredFrom(known.keys, now, r.maxLifetime), now)
}

// adopt makes the keys those of this node.
func (r *Ring) adopt(k keys) error {
	if known := r.current.Load(); known != nil && known.keys.version == k.version && known.keys.sum == k.sum {
		return nil
	}
	s, err := newSnapshot(k, r.algorithm)
	if err != nil {
		return err
	}
	r.current.Store(s)
	return nil
}

func (r *Ring) begin(ctx context.Context) error {
	select {
	case r.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Ring) end() { <-r.turn }
