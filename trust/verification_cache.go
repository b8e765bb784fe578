package trust

import (
	"context"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
)

// maxCachedVerifications is how many verifications a Set keeps.
const maxCachedVerifications = 10_000

// verificationCache holds verifications of tokens, never the text of one and never a
// refusal. A key holds the digest of the whole text, signature included, and the profile
// (CVE-2026-33496: a cache that left out the server). Names tell the profiles of a
// Set apart, and neither a Set nor its profiles ever change.
type verificationCache = cache.Cache[cacheKey, *cachedVerification]

type cacheKey struct {
	token   [32]byte
	profile string
}

type cachedVerification struct {
	id        *Identity
	hint      KeyHint   // what selected the key
	validFrom time.Time // the first moment at which the token passes its time checks
	// askAgain is when the issuer is asked again, of a token that says nothing itself.
	askAgain time.Time
	// otherProfiles are the other profiles that match the token's issuer and audience:
	// on a route that names one of them as well, the choice is ambiguous.
	otherProfiles []string
}

func newVerificationCache() *verificationCache {
	return cache.New[cacheKey, *cachedVerification](maxCachedVerifications)
}

// Verified answers the identity of a cached verification that is still valid, nil where
// there is none. digest is the SHA-256 of the token's text.
//
// Everything but the signature is checked again: the time, the key, the choice of the
// profile. Otherwise it answers nil, and the token is verified anew.
func (s *Set) Verified(ctx context.Context, digest [32]byte, names []string) *Identity {
	for _, name := range names {
		p := s.byName[name]
		if p == nil {
			return nil
		}
		if m, found := s.verified.Get(cacheKey{digest, name}); found {
			return m.identityFor(ctx, p, names)
		}
	}
	return nil
}

// identityFor answers the identity on a route that names these profiles, nil where the
// token must be verified anew.
func (m *cachedVerification) identityFor(ctx context.Context, p *Profile, names []string) *Identity {
	for _, other := range m.otherProfiles {
		if slices.Contains(names, other) {
			return nil
		}
	}
	if !m.stillValid(ctx, p) {
		return nil
	}
	return m.id
}

// stillValid tells whether time and key of the token still pass.
func (m *cachedVerification) stillValid(ctx context.Context, p *Profile) bool {
	now := p.config.Now()
	if now.Before(m.validFrom) || !now.Before(m.id.Until) {
		return false
	}
	if p.Introspects() {
		return now.Before(m.askAgain)
	}
	keys, err := p.config.Keys.Keys(ctx, m.hint)
	return err == nil && slices.ContainsFunc(keys, func(k Key) bool {
		return k.key.Thumbprint == m.id.KeyThumbprint && p.allowsKey(k, m.hint.Algorithm)
	})
}

func (s *Set) cacheVerification(key cacheKey, v *verification) {
	m := &cachedVerification{id: v.id, hint: v.keyHint(), validFrom: v.validFrom()}
	if i := v.profile.introspection(); i != nil {
		m.askAgain = v.now.Add(i.config.Cache)
		s.verified.Set(key, m)
		return
	}
	for _, p := range signed(s.profiles) {
		if p != v.profile && p.matchesIssuerOf(v.token) && p.matchesAudienceOf(v.token) {
			m.otherProfiles = append(m.otherProfiles, p.Name())
		}
	}
	s.verified.Set(key, m)
}
