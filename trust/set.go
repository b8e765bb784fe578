package trust

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/flight"
)

// Set is all profiles of a configuration, and what was verified with them. It is
// safe for concurrent use.
type Set struct {
	profiles []*Profile
	byName   map[string]*Profile
	memo     *memo
	flights  flight.Group[memoKey, *Identity]
}

// NewSet puts profiles together; two of one name are an error.
func NewSet(profiles ...*Profile) (*Set, error) {
	s := &Set{profiles: slices.Clone(profiles), byName: make(map[string]*Profile, len(profiles)), memo: newMemo()}
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

func (s *Set) named(names []string) ([]*Profile, error) {
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

// Verify selects the profile and believes the token or says why not, as Select
// and Profile.Verify do. What was verified is remembered by the digest of the
// token, for as long as the token is good and its key is in the profile's set;
// those who show one token at the same time share one verification, and then
// the end of ctx does not end it: it takes no longer than FetchTimeout.
func (s *Set) Verify(ctx context.Context, token string, names []string) (*Identity, error) {
	digest := sha256.Sum256([]byte(token))
	if id := s.remembered(ctx, digest, names); id != nil {
		return id, nil
	}
	profiles, err := s.named(names)
	if err != nil {
		return nil, err
	}
	p, parsed, err := meantFor(token, profiles)
	if err != nil {
		return nil, err
	}
	t := p.trial(context.WithoutCancel(ctx), token)
	t.token = parsed
	return s.once(memoKey{digest, p.Name()}, t)
}

// once verifies for all who ask meanwhile. The whole key tells them apart
// (CVE-2026-71326: a flight shared by another's token).
func (s *Set) once(key memoKey, t *trial) (*Identity, error) {
	return s.flights.Do(t.ctx, key, func(context.Context) (*Identity, error) {
		if m, found := s.memo.Get(key); found && m.stands(t.ctx, t.profile) {
			return m.id, nil // a flight that ended as this one began
		}
		id, err := t.verify()
		if err == nil {
			s.remember(key, t)
		}
		return id, err
	})
}
