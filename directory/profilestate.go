package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
)

// AllProfiles stands for every profile where the state of one is asked or changed. No
// profile may have this name.
const AllProfiles = "any"

// A ProfileState is what an operator has done about a profile while the gateways ran.
// It is the same on every gateway, and no configuration undoes it.
type ProfileState struct {
	// NotBefore is when the profile was last revoked: tokens issued, factors added and
	// sessions started at or before it are refused. Zero: never.
	NotBefore time.Time
	// Disabled tells that the profile starts no sessions and adds no factors, and,
	// unless it is AllProfiles, that its factors do not count.
	Disabled bool
	// Recorded tells that the store has a record of it: a store that was emptied has
	// none.
	Recorded bool
}

// ProfileState answers the state of a profile, or of AllProfiles.
func (d *Directory) ProfileState(ctx context.Context, profile string) (ProfileState, error) {
	r, err := d.profileRecord(ctx, profile)
	if err != nil {
		return ProfileState{}, err
	}
	return readProfileState(r)
}

// ProfileStates answers the states of several, in one read.
func (d *Directory) ProfileStates(ctx context.Context, profiles []string) ([]ProfileState, error) {
	keys := make([]string, len(profiles))
	for i, name := range profiles {
		keys[i] = ProfileRef(name).Key
	}
	records, err := d.store.Get(ctx, referencePartition, keys...)
	if err != nil {
		return nil, fmt.Errorf("directory: profiles: %w", err)
	}
	states := make([]ProfileState, len(records))
	for i, r := range records {
		if states[i], err = readProfileState(r); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// A ProfileChange is what is to change of a ProfileState.
type ProfileChange struct {
	// NotBefore replaces an earlier one; it never takes a later one back.
	NotBefore time.Time
	// Disabled replaces what there was; nil leaves it.
	Disabled *bool
}

// Of is the state with the change.
func (c ProfileChange) Of(s ProfileState) ProfileState {
	s.NotBefore = later(s.NotBefore, c.NotBefore)
	if c.Disabled != nil {
		s.Disabled = *c.Disabled
	}
	return s
}

// Then is the change followed by another.
func (c ProfileChange) Then(next ProfileChange) ProfileChange {
	c.NotBefore = later(c.NotBefore, next.NotBefore)
	if next.Disabled != nil {
		c.Disabled = next.Disabled
	}
	return c
}

// RevokeProfile refuses from now on every token of the profile that was issued at or
// before at. Its sessions are for the caller to refuse: they read ProfileState. An
// earlier revocation never replaces a later one.
func (d *Directory) RevokeProfile(ctx context.Context, profile string, at time.Time) error {
	return d.ChangeProfile(ctx, profile, ProfileChange{NotBefore: at})
}

// ChangeProfile changes the state of a profile, or of AllProfiles.
func (d *Directory) ChangeProfile(ctx context.Context, profile string, c ProfileChange) error {
	c.NotBefore = c.NotBefore.UTC().Round(0)
	return d.changeProfile(ctx, profile, func(r *stateRecord) {
		state := c.Of(ProfileState{NotBefore: r.NotBefore, Disabled: r.Disabled})
		r.NotBefore, r.Disabled = state.NotBefore, state.Disabled
	})
}

func (d *Directory) changeProfile(ctx context.Context, profile string, change func(*stateRecord)) error {
	return retry(ctx, "change profile", func() error {
		found, err := d.profileRecord(ctx, profile)
		if err != nil {
			return err
		}
		r, err := decodeProfile(found)
		if err != nil {
			return err
		}
		before := r
		if change(&r); found.Exists() && r.NotBefore.Equal(before.NotBefore) && r.Disabled == before.Disabled {
			return nil
		}
		op, err := write(found.Key, found.Version, r)
		if err != nil {
			return err
		}
		if err := d.store.Apply(ctx, referencePartition, op); err != nil {
			return fmt.Errorf("directory: profile %s: %w", profile, err)
		}
		return nil
	})
}

func (d *Directory) profileRecord(ctx context.Context, profile string) (store.Record, error) {
	if !isName(profile) {
		return store.Record{}, errors.New("directory: not the name of a profile")
	}
	records, err := d.store.Get(ctx, referencePartition, ProfileRef(profile).Key)
	if err != nil {
		return store.Record{}, fmt.Errorf("directory: profile %s: %w", profile, err)
	}
	return records[0], nil
}

func decodeProfile(found store.Record) (r stateRecord, err error) {
	if found.Exists() {
		err = decode(found, &r)
	}
	return r, err
}

func readProfileState(found store.Record) (ProfileState, error) {
	r, err := decodeProfile(found)
	return ProfileState{r.NotBefore, r.Disabled, found.Exists()}, err
}
