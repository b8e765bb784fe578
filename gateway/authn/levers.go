package authn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/trust"
)

// Levers are what an operator does about the whole fleet while it runs: profiles that
// are disabled or revoked, sign-ins that are frozen. They are kept in the store, obeyed
// by every gateway, and no configuration undoes them. Whoever cannot read them admits
// nobody. A Levers is what one gateway knows of them beside the store, also across a
// reload. Make it with NewLevers; it is safe for concurrent use.
type Levers struct {
	// writing is held while one change is written: of two that an operator makes one
	// after the other, the store must not be left with the first.
	writing sync.Mutex

	mu sync.Mutex
	// known are the last states that the store had a record of: one that was emptied
	// gets them back.
	known map[string]directory.ProfileState
	// pending are changes that the store has not taken. They hold here meanwhile. What
	// is pointed at is never changed.
	pending map[string]*directory.ProfileChange
}

// NewLevers makes one that knows nothing yet.
func NewLevers() *Levers {
	return &Levers{known: map[string]directory.ProfileState{}, pending: map[string]*directory.ProfileChange{}}
}

// settle answers the state that holds here, given the stored one.
func (l *Levers) settle(name string, stored directory.ProfileState) directory.ProfileState {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stored.Recorded {
		l.known[name] = stored
	}
	state := l.known[name]
	if noted := l.pending[name]; noted != nil {
		state = noted.Of(state)
	}
	return state
}

// note keeps a change that the store has not taken yet.
func (l *Levers) note(name string, c directory.ProfileChange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if noted := l.pending[name]; noted != nil {
		c = noted.Then(c)
	}
	l.pending[name] = &c
}

// An unwritten change is what a store is to be told: what it has not taken, and what it
// has lost.
type unwritten struct {
	directory.ProfileChange
	noted *directory.ProfileChange // of it, what the store has not taken; may be nil
}

// unwritten is the change that is to be written to a store that has this state; ok
// tells that there is one.
func (l *Levers) unwritten(name string, stored directory.ProfileState) (u unwritten, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.known[name]
	if lost := known.Recorded && !stored.Recorded; lost {
		u.ProfileChange, ok = directory.ProfileChange{NotBefore: known.NotBefore, Disabled: &known.Disabled}, true
	}
	if noted := l.pending[name]; noted != nil {
		u, ok = unwritten{u.Then(*noted), noted}, true
	}
	return u, ok
}

// written notes that the store has taken a change. One that was noted since waits.
func (l *Levers) written(name string, u unwritten) {
	l.mu.Lock()
	defer l.mu.Unlock()
	state := u.Of(l.known[name])
	state.Recorded = true
	l.known[name] = state
	l.forget(name, u.noted)
}

// refused forgets a change that the store will never take.
func (l *Levers) refused(name string, u unwritten) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(name, u.noted)
}

func (l *Levers) forget(name string, noted *directory.ProfileChange) {
	if l.pending[name] == noted {
		delete(l.pending, name)
	}
}

// A profileState is what an operator has done about a profile, or about all of them.
type profileState struct {
	// notBefore: proofs given at or before it do not count.
	notBefore time.Time
	// disabled: its proofs do not count, and none is taken.
	disabled bool
	// frozen: no session starts and no factor is added, whatever the profile.
	frozen bool
}

func joined(one, all directory.ProfileState) profileState {
	s := profileState{notBefore: one.NotBefore, disabled: one.Disabled, frozen: all.Disabled}
	if all.NotBefore.After(s.notBefore) {
		s.notBefore = all.NotBefore
	}
	return s
}

// profileState answers the state of a profile, from the cache where it may.
func (a *Authenticator) profileState(ctx context.Context, profile string) (profileState, error) {
	if a.cache.profiles.off() {
		return a.readProfile(ctx, profile)
	}
	all, err := a.cachedProfile(ctx, directory.AllProfiles)
	if err != nil {
		return profileState{}, err
	}
	one, err := a.cachedProfile(ctx, profile)
	return joined(one, all), err
}

// readProfile is profileState in one call of the store.
func (a *Authenticator) readProfile(ctx context.Context, profile string) (profileState, error) {
	names := []string{directory.AllProfiles, profile}
	if profile == directory.AllProfiles {
		names = names[:1]
	}
	states, err := a.Directory.ProfileStates(ctx, names)
	if err != nil {
		return profileState{}, err
	}
	for i, name := range names {
		states[i] = a.Levers.settle(name, states[i])
	}
	return joined(states[len(states)-1], states[0]), nil
}

func (a *Authenticator) cachedProfile(ctx context.Context, name string) (directory.ProfileState, error) {
	if v, ok := a.cache.profiles.fresh(name); ok {
		return v, nil
	}
	return a.cache.profiles.read(ctx, name, func(ctx context.Context) (directory.ProfileState, error) {
		stored, err := a.Directory.ProfileState(ctx, name)
		return a.Levers.settle(name, stored), err
	})
}

var (
	errDisabled = errors.New("the profile is disabled by an operator")
	errFrozen   = errors.New("sign-ins are frozen by an operator")
)

// signInsOpen refuses what would start a session or add a factor while an operator
// does not want that.
func (a *Authenticator) signInsOpen(ctx context.Context, profile string) error {
	state, err := a.profileState(ctx, profile)
	switch {
	case err != nil:
		return err
	case state.frozen:
		return Refuse("sign_ins_frozen", errFrozen)
	case state.disabled:
		return Refuse("profile_disabled", errDisabled)
	}
	return nil
}

// resumeImplicit answers the session that a token already has, while sign-ins are
// frozen. A token that has none makes nothing and changes nobody.
func (a *Authenticator) resumeImplicit(ctx context.Context, id *trust.Identity) (LiveSession, error) {
	assertion := a.assertion(id, "")
	assertion.CreateMembers, assertion.CreateOrganizations = false, false
	assertion.Check = func(o directory.Organization, m directory.Member) error {
		_, err := a.Sessions.ByID(ctx, a.Sessions.ImplicitID(a.implicit(id, o, m)))
		return err
	}
	org, member, err := a.Directory.Resolve(ctx, assertion)
	if err != nil {
		return LiveSession{}, frozenUnlessFault(err)
	}
	if err := a.useProxied(ctx, id); err != nil {
		return LiveSession{}, err
	}
	s, err := a.Sessions.Implicit(ctx, a.implicit(id, org, member))
	if err != nil {
		return LiveSession{}, frozenUnlessFault(err)
	}
	return a.begun(ctx, s, org, member, id.Profile)
}

// frozenUnlessFault tells who has no session that sign-ins are frozen: to come back
// later is all that helps.
func frozenUnlessFault(err error) error {
	if IsFault(err) {
		return err
	}
	return Refuse("sign_ins_frozen", fmt.Errorf("%w: %w", errFrozen, err))
}

// RevokeProfile ends every session that rests on a profile, and refuses its tokens that
// were issued until at; AllProfiles are all of them. It holds here at once, also where
// the store did not take it, which is the error; it is written when the store can.
func (a *Authenticator) RevokeProfile(ctx context.Context, profile string, at time.Time) error {
	return a.pull(ctx, profile, ProfileRevoked, directory.ProfileChange{NotBefore: at})
}

// DisableProfile keeps a profile from being used until it is enabled again. For
// AllProfiles it freezes sign-ins: sessions that there are go on. It holds as
// RevokeProfile does.
func (a *Authenticator) DisableProfile(ctx context.Context, profile string, disabled bool) error {
	action := ProfileEnabled
	if disabled {
		action = ProfileDisabled
	}
	return a.pull(ctx, profile, action, directory.ProfileChange{Disabled: &disabled})
}

func (a *Authenticator) pull(ctx context.Context, profile string, action Action, c directory.ProfileChange) error {
	a.Levers.note(profile, c)
	a.cache.profiles.drop(profile)
	err := a.writeLever(ctx, profile)
	a.cache.profiles.drop(profile)
	a.Tell(ctx, Event{Action: action, Profile: profile, Failed: err != nil})
	return err
}

// writeLever writes what the store has not taken of a profile's state, and what it has
// lost of it. What it refuses for good is not tried again.
func (a *Authenticator) writeLever(ctx context.Context, profile string) error {
	a.Levers.writing.Lock()
	defer a.Levers.writing.Unlock()
	stored, err := a.Directory.ProfileState(ctx, profile)
	if err != nil {
		return err
	}
	a.Levers.settle(profile, stored)
	change, ok := a.Levers.unwritten(profile, stored)
	if !ok {
		return nil
	}
	err = a.Directory.ChangeProfile(ctx, profile, change.ProfileChange)
	switch {
	case err == nil:
		a.Levers.written(profile, change)
	case !IsFault(err):
		a.Levers.refused(profile, change)
	}
	return err
}

// compareLevers writes what the store has lost, or has not taken.
func (a *Authenticator) compareLevers(ctx context.Context) error {
	names := append(a.Profiles.Names(), directory.AllProfiles)
	stored, err := a.Directory.ProfileStates(ctx, names)
	if err != nil {
		return err
	}
	var faults []error
	for i, name := range names {
		a.Levers.settle(name, stored[i])
		if _, ok := a.Levers.unwritten(name, stored[i]); ok {
			faults = append(faults, a.writeLever(ctx, name))
		}
	}
	return errors.Join(faults...)
}

// Obeyed is the state of a profile, or of AllProfiles, that holds here as far as this
// gateway has read it. It asks no store.
func (a *Authenticator) Obeyed(profile string) directory.ProfileState {
	return a.Levers.settle(profile, directory.ProfileState{})
}

// ProfileState answers what an operator has done about a profile, or about
// AllProfiles, as it holds here.
func (a *Authenticator) ProfileState(ctx context.Context, profile string) (directory.ProfileState, error) {
	stored, err := a.Directory.ProfileState(ctx, profile)
	return a.Levers.settle(profile, stored), err
}
