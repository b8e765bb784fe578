package trust

import (
	"context"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
)

// memoEntries is how many verifications a Set remembers.
const memoEntries = 10_000

// memo remembers verified tokens, never the text of one and never a refusal. A
// key holds the digest of the whole text, signature included, and the profile
// (CVE-2026-33496: a cache that left out the server). Names tell the profiles of a
// Set apart, and neither a Set nor its profiles ever change.
type memo = cache.Cache[memoKey, *memory]

type memoKey struct {
	token   [32]byte
	profile string
}

type memory struct {
	id   *Identity
	hint KeyHint   // what chose the key
	from time.Time // when the token begins to be good
	// rivals are other profiles that the token is addressed to: on a route that
	// names one of them as well, the choice is ambiguous.
	rivals []string
}

func newMemo() *memo { return cache.New[memoKey, *memory](memoEntries) }

// remembered answers a verification that still holds. Everything but the
// signature is asked again: the time, the key, the choice of the profile. On any
// doubt it answers nil, and the token is verified anew.
func (s *Set) remembered(ctx context.Context, digest [32]byte, names []string) *Identity {
	for _, name := range names {
		p := s.byName[name]
		if p == nil {
			return nil
		}
		if m, found := s.memo.Get(memoKey{digest, name}); found {
			return m.recall(ctx, p, names)
		}
	}
	return nil
}

func (m *memory) recall(ctx context.Context, p *Profile, names []string) *Identity {
	for _, rival := range m.rivals {
		if slices.Contains(names, rival) {
			return nil
		}
	}
	if !m.stands(ctx, p) {
		return nil
	}
	return m.id
}

// stands tells whether the token would be verified again: its time and its key.
func (m *memory) stands(ctx context.Context, p *Profile) bool {
	now := p.config.Now()
	if now.Before(m.from) || !now.Before(m.id.Until) {
		return false
	}
	keys, err := p.config.Keys.Keys(ctx, m.hint)
	return err == nil && slices.ContainsFunc(keys, func(k Key) bool {
		return k.key.Thumbprint == m.id.KeyThumbprint && p.serves(k, m.hint.Algorithm)
	})
}

func (s *Set) remember(key memoKey, t *trial) {
	m := &memory{id: t.id, hint: hintOf(t.header()), from: t.readsAt()}
	for _, p := range s.profiles {
		if p != t.profile && p.issued(t.token) && p.claims(t.token) {
			m.rivals = append(m.rivals, p.Name())
		}
	}
	s.memo.Set(key, m)
}
