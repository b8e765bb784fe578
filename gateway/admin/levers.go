package admin

import (
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// Levers are what an operator has done about the whole fleet.
type Levers struct {
	// Frozen: no session starts and no factor is added; sessions that there are go on.
	Frozen bool `json:"frozen"`
	// NotBefore: tokens issued and sessions started at or before it are refused.
	NotBefore *time.Time `json:"not_before,omitempty"`
	// Disabled are the profiles that are switched off.
	Disabled []string `json:"disabled_profiles"`
}

func (a *Admin) levers(c *call) (any, error) {
	all, err := a.Core.ProfileState(c.Context(), directory.AllProfiles)
	if err != nil {
		return nil, err
	}
	l := Levers{Frozen: all.Disabled, NotBefore: moment(all.NotBefore), Disabled: []string{}}
	for _, name := range a.Core.Profiles.Names() {
		state, err := a.Core.ProfileState(c.Context(), name)
		if err != nil {
			return nil, err
		}
		if state.Disabled {
			l.Disabled = append(l.Disabled, name)
		}
	}
	return l, nil
}

func (a *Admin) freeze(c *call) (any, error) { return a.setFrozen(c, true) }

func (a *Admin) unfreeze(c *call) (any, error) { return a.setFrozen(c, false) }

func (a *Admin) setFrozen(c *call, frozen bool) (any, error) {
	if err := a.Core.DisableProfile(c.Context(), directory.AllProfiles, frozen); err != nil {
		return nil, unconfirmed(err)
	}
	return a.levers(c)
}

// clearLevers enables every profile and takes sign-ins again. What was revoked stays so.
func (a *Admin) clearLevers(c *call) (any, error) {
	for _, name := range append(a.Core.Profiles.Names(), directory.AllProfiles) {
		if err := a.Core.DisableProfile(c.Context(), name, false); err != nil {
			return nil, unconfirmed(err)
		}
	}
	return a.levers(c)
}

// unconfirmed tells of a lever that the store has not taken that it holds here.
func unconfirmed(err error) error {
	if authn.RefusalOf(err).Kind != authn.Unavailable {
		return err
	}
	return &Error{"not_confirmed", "the store has not taken it: it holds on this gateway, and on the others as soon as the store can be written", http.StatusServiceUnavailable}
}

// A RevokeBefore says until when everything is to be refused.
type RevokeBefore struct {
	// Time is not in the future. Default: now.
	Time time.Time `json:"time"`
}

// revokeBefore ends every session there is that started until a moment. It cannot be
// taken back.
func (a *Admin) revokeBefore(c *call) (any, error) {
	var r RevokeBefore
	if err := c.body(&r); err != nil {
		return nil, err
	}
	now := a.Core.Now()
	if r.Time.IsZero() {
		r.Time = now
	}
	if r.Time.After(now) {
		return nil, badRequest("time is in the future")
	}
	if err := a.Core.RevokeProfile(c.Context(), directory.AllProfiles, r.Time); err != nil {
		return nil, unconfirmed(err)
	}
	return a.levers(c)
}
