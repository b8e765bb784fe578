package trust

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/flight"
)

// Set is all profiles of a configuration, and a cache of what they verified. It is
// safe for concurrent use.
type Set struct {
	profiles []*Profile
	byName   map[string]*Profile
	verified *verificationCache
	flights  flight.Group[cacheKey, *Identity]
}

// NewSet puts profiles together; two of one name are an error.
func NewSet(profiles ...*Profile) (*Set, error) {
	s := &Set{profiles: slices.Clone(profiles), byName: make(map[string]*Profile, len(profiles)), verified: newVerificationCache()}
	for _, p := range profiles {
		if s.byName[p.Name()] != nil {
			return nil, fmt.Errorf("trust: two profiles are named %q", p.Name())
		}
		s.byName[p.Name()] = p
	}
	return s, nil
}

// Names of the profiles, in the order of NewSet.
func (s *Set) Names() []string {
	names := make([]string, len(s.profiles))
	for n, p := range s.profiles {
		names[n] = p.Name()
	}
	return names
}

// Profile of that name.
func (s *Set) Profile(name string) (*Profile, bool) {
	p, found := s.byName[name]
	return p, found
}

func (s *Set) profilesNamed(names []string) ([]*Profile, error) {
	profiles := make([]*Profile, 0, len(names))
	for _, name := range names {
		p, found := s.byName[name]
		if !found {
			return nil, fmt.Errorf("trust: no profile is named %q", name)
		}
		if !slices.Contains(profiles, p) {
			profiles = append(profiles, p)
		}
	}
	return profiles, nil
}

// Verify selects the profile and verifies the token, with the errors of Select and
// Profile.Verify. The result is cached by the digest of the token, for as long as the
// token is good and its key is in the profile's set. Concurrent calls with one token
// share one verification, which the end of ctx does not end: it takes no longer than
// FetchTimeout.
func (s *Set) Verify(ctx context.Context, token string, names []string) (*Identity, error) {
	return s.VerifyParsed(ctx, token, nil, names)
}

// VerifyParsed is Verify of a token that was parsed already; nil: it was not.
func (s *Set) VerifyParsed(ctx context.Context, token string, parsed *Parsed, names []string) (*Identity, error) {
	digest := sha256.Sum256([]byte(token))
	if id := s.Verified(ctx, digest, names); id != nil {
		return id, nil
	}
	profiles, err := s.profilesNamed(names)
	if err != nil {
		return nil, err
	}
	p, parsed, err := selectForVerify(token, parsed, profiles)
	if err != nil {
		return nil, err
	}
	v := p.newVerification(context.WithoutCancel(ctx), token)
	v.token = parsed
	return s.verifyOnce(cacheKey{digest, p.Name()}, v)
}

// verifyOnce verifies once for all concurrent calls with the same key. The key holds the
// whole digest (CVE-2026-71326: a flight shared by another's token).
func (s *Set) verifyOnce(key cacheKey, v *verification) (*Identity, error) {
	return s.flights.Do(v.ctx, key, func(context.Context) (*Identity, error) {
		if m, found := s.verified.Get(key); found && m.stillValid(v.ctx, v.profile) {
			return m.id, nil // a flight that ended as this one began
		}
		id, err := v.verify()
		if err == nil {
			s.cacheVerification(key, v)
		}
		return id, err
	})
}
