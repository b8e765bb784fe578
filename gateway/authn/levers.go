package authn

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// Levers are what an operator does about the whole fleet while it runs: profiles that
// are disabled or revoked, sign-ins that are frozen. They are kept in the store, obeyed
// by every gateway, and no configuration undoes them. Whoever cannot read them admits
// nobody. A Levers is what one gateway knows of them beside the store, also across a
// reload. Make it with NewLevers; it is safe for concurrent use.
type Levers struct {
	mu sync.Mutex
	// known are the last states that the store had a record of: one that was emptied
	// gets them back.
	known map[string]directory.ProfileState
	// pending are changes that the store has not taken. They hold here meanwhile.
	pending map[string]lever
}

// A lever is a change of the state of a profile.
type lever struct {
	notBefore time.Time
	disabled  *bool // nil: as it was
}

// NewLevers makes one that knows nothing yet.
func NewLevers() *Levers {
	return &Levers{known: map[string]directory.ProfileState{}, pending: map[string]lever{}}
}

// settle answers the state that holds here, given the stored one.
func (l *Levers) settle(name string, stored directory.ProfileState) directory.ProfileState {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stored.Recorded {
		l.known[name] = stored
	}
	return l.pending[name].over(l.known[name])
}

// over is the state with the change.
func (v lever) over(s directory.ProfileState) directory.ProfileState {
	if v.notBefore.After(s.NotBefore) {
		s.NotBefore = v.notBefore
	}
	if v.disabled != nil {
		s.Disabled = *v.disabled
	}
	return s
}

// note keeps a change that the store has not taken yet.
func (l *Levers) note(name string, v lever) {
	l.mu.Lock()
	defer l.mu.Unlock()
	noted := l.pending[name]
	if v.notBefore.After(noted.notBefore) {
		noted.notBefore = v.notBefore
	}
	if v.disabled != nil {
		noted.disabled = v.disabled
	}
	l.pending[name] = noted
}

// unwritten are the changes that are to be written to a store that has these states:
// those that it has not taken, and those that it has lost.
func (l *Levers) unwritten(names []string, stored []directory.ProfileState) map[string]lever {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := map[string]lever{}
	for i, name := range names {
		known := l.known[name]
		if lost := known.Recorded && !stored[i].Recorded; lost {
			list[name] = lever{known.NotBefore, &known.Disabled}
		}
		if noted, ok := l.pending[name]; ok {
			v := list[name]
			if noted.notBefore.After(v.notBefore) {
				v.notBefore = noted.notBefore
			}
			if noted.disabled != nil {
				v.disabled = noted.disabled
			}
			list[name] = v
		}
	}
	return list
}

func (l *Levers) written(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pending, name)
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
	all, err := a.cachedProfile(ctx, directory.AllProfiles)
	if err != nil {
		return profileState{}, err
	}
	one, err := a.cachedProfile(ctx, profile)
	return joined(one, all), err
}

func (a *Authenticator) cachedProfile(ctx context.Context, name string) (directory.ProfileState, error) {
	return a.cache.profiles.read(ctx, name, func(ctx context.Context) (directory.ProfileState, error) {
		stored, err := a.Directory.ProfileState(ctx, name)
		return a.Levers.settle(name, stored), err
	})
}

// storedProfileState is profileState as the store has it now.
func (a *Authenticator) storedProfileState(ctx context.Context, profile string) (profileState, error) {
	names := []string{profile, directory.AllProfiles}
	stored, err := a.Directory.ProfileStates(ctx, names)
	if err != nil {
		return profileState{}, err
	}
	return joined(a.Levers.settle(names[0], stored[0]), a.Levers.settle(names[1], stored[1])), nil
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

// existingImplicit answers the session that a token already has, while sign-ins are
// frozen.
func (a *Authenticator) existingImplicit(ctx context.Context, r session.Implicit) (session.Session, error) {
	s, err := a.Sessions.ByID(ctx, a.Sessions.ImplicitID(r))
	if err == nil {
		err = a.Sessions.Check(s)
	}
	if err != nil && !IsFault(err) {
		return s, Refuse("sign_ins_frozen", errFrozen)
	}
	return s, err
}

// RevokeProfile ends every session that rests on a profile, and refuses its tokens that
// were issued until at; AllProfiles are all of them. It holds here at once, also where
// the store did not take it, which is the error; it is written when the store can.
func (a *Authenticator) RevokeProfile(ctx context.Context, profile string, at time.Time) error {
	return a.pull(ctx, profile, ProfileRevoked, lever{notBefore: at})
}

// DisableProfile keeps a profile from being used until it is enabled again. For
// AllProfiles it freezes sign-ins: sessions that there are go on. It holds as
// RevokeProfile does.
func (a *Authenticator) DisableProfile(ctx context.Context, profile string, disabled bool) error {
	action := ProfileEnabled
	if disabled {
		action = ProfileDisabled
	}
	return a.pull(ctx, profile, action, lever{disabled: &disabled})
}

func (a *Authenticator) pull(ctx context.Context, profile string, action Action, v lever) error {
	a.Levers.note(profile, v)
	a.cache.profiles.drop(profile)
	err := a.writeLever(ctx, profile, v)
	a.cache.profiles.drop(profile)
	a.Tell(ctx, Event{Action: action, Profile: profile, Failed: err != nil})
	return err
}

// writeLever writes a change. One that the store refuses for good is not tried again.
func (a *Authenticator) writeLever(ctx context.Context, profile string, v lever) error {
	var err error
	if !v.notBefore.IsZero() {
		err = a.Directory.RevokeProfile(ctx, profile, v.notBefore)
	}
	if err == nil && v.disabled != nil {
		err = a.Directory.DisableProfile(ctx, profile, *v.disabled)
	}
	if err == nil || !IsFault(err) {
		a.Levers.written(profile)
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
	for i, name := range names {
		a.Levers.settle(name, stored[i])
	}
	var faults []error
	for name, v := range a.Levers.unwritten(names, stored) {
		faults = append(faults, a.writeLever(ctx, name, v))
	}
	return errors.Join(faults...)
}

// ProfileState answers what an operator has done about a profile, or about
// AllProfiles, as it holds here.
func (a *Authenticator) ProfileState(ctx context.Context, profile string) (directory.ProfileState, error) {
	stored, err := a.Directory.ProfileState(ctx, profile)
	return a.Levers.settle(profile, stored), err
}
