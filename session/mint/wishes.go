package mint

import (
	"maps"
	"slices"
	"time"
)

// The nodes of a fleet may wish for different algorithms, while a configuration is
// being changed or for good. Each algorithm has an active key of its own as long as
// some node wishes for it, so that no node replaces the keys of another.
const (
	// wishEvery is how often a node repeats its wish. Each time is a write.
	wishEvery = time.Hour
	// wishLasts is how long an algorithm that no node wishes for keeps its keys.
	wishLasts = 24 * time.Hour
)

// withWish notes that a node wishes for the algorithm.
func (k keys) withWish(alg string, now time.Time) keys {
	if age := now.Sub(k.wishes[alg]); age < wishEvery && age > -wishEvery {
		return k
	}
	return k.wishedAt(alg, now)
}

func (k keys) wishedAt(alg string, at time.Time) keys {
	wishes := maps.Clone(k.wishes)
	if wishes == nil {
		wishes = map[string]time.Time{}
	}
	wishes[alg] = at
	k.wishes = wishes
	return k
}

// withoutUnwished retires the active key of every algorithm that no node has wished
// for lately and drops its next one. An algorithm of which no wish is known, since an
// earlier release wrote the ring, is taken to be wished for now.
func (k keys) withoutUnwished(now time.Time) keys {
	for _, each := range k.list {
		alg := each.public.Algorithm
		switch wished, known := k.wishes[alg]; {
		case each.state == retired:
		case !known:
			k = k.wishedAt(alg, now)
		case !now.Before(wished.Add(wishLasts)):
			k = k.abandoned(alg, now)
		}
	}
	return k
}

func (k keys) abandoned(alg string, now time.Time) keys {
	if successor, ok := k.inState(alg, next); ok {
		k = k.without(successor.public.ID)
	}
	k.list, k.wishes = slices.Clone(k.list), maps.Clone(k.wishes)
	delete(k.wishes, alg)
	for i := range k.list {
		if each := &k.list[i]; each.state == active && each.public.Algorithm == alg {
			each.state, each.retiredAt = retired, now
		}
	}
	return k
}
