package admin

import (
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/trust"
)

// A Profile is whom the gateway trusts, and how.
type Profile struct {
	Name         string   `json:"name"`
	Issuers      []string `json:"issuers"`
	Audiences    []string `json:"audiences"`
	Algorithms   []string `json:"algorithms,omitempty"`
	Organization string   `json:"organization,omitempty"`
	Factor       string   `json:"factor"`
	SecondOnly   bool     `json:"second_only,omitempty"`
	Dev          bool     `json:"dev,omitempty"`
	// Disabled tells that an operator has switched it off.
	Disabled bool `json:"disabled"`
	// NotBefore is when its tokens and sessions were last revoked.
	NotBefore *time.Time `json:"not_before,omitempty"`
	// Keys is how its remote keys stand; absent where they are files.
	Keys *Issuer `json:"keys,omitempty"`
}

func (a *Admin) profiles(c *call) (any, error) {
	list := []Profile{}
	for _, name := range a.Core.Profiles.Names() {
		p, _ := a.Core.Profiles.Profile(name)
		profile, err := a.profile(c, p)
		if err != nil {
			return nil, err
		}
		list = append(list, profile)
	}
	return list, nil
}

func (a *Admin) profile(c *call, p *trust.Profile) (Profile, error) {
	config := p.Config()
	state, err := a.Core.ProfileState(c.Context(), p.Name())
	profile := Profile{
		Name: p.Name(), Issuers: config.Issuers, Audiences: config.Audiences, Algorithms: config.Algorithms, Organization: config.Organization,
		Factor: config.Factor.Type, SecondOnly: config.Factor.SecondOnly, Dev: config.Dev, NotBefore: moment(state.NotBefore), Disabled: state.Disabled,
	}
	if keys, ok := a.Keys[p.Name()]; ok {
		i := issuer(p.Name(), keys.Status())
		profile.Keys = &i
	}
	return profile, err
}

// configured is the name of a configured profile in the path of a call.
func (a *Admin) configured(c *call) (string, error) {
	name := c.PathValue("profile")
	if names := a.Core.Profiles.Names(); !slices.Contains(names, name) {
		return "", notFound("there is no profile of this name")
	}
	return name, nil
}

// Done tells that an operation has changed what it names.
type Done struct {
	Revoked string `json:"revoked,omitempty"`
}

func (a *Admin) revokeProfile(c *call) (any, error) {
	name, err := a.configured(c)
	if err != nil {
		return nil, err
	}
	if err := a.Core.RevokeProfile(c.Context(), name, a.Core.Now()); err != nil {
		return nil, unconfirmed(err)
	}
	return Done{Revoked: name}, nil
}

// refreshKeys fetches the keys of a profile, and answers how they stand then: that the
// issuer does not answer is no failure of the call.
func (a *Admin) refreshKeys(c *call) (any, error) {
	name, err := a.configured(c)
	if err != nil {
		return nil, err
	}
	keys, ok := a.Keys[name]
	if !ok {
		return nil, badRequest("the keys of this profile are not fetched")
	}
	_ = keys.Refresh(c.Context()) // the state says why
	return issuer(name, keys.Status()), nil
}

func (a *Admin) disableProfile(c *call) (any, error) { return a.switchProfile(c, true) }

func (a *Admin) enableProfile(c *call) (any, error) { return a.switchProfile(c, false) }

// switchProfile answers the profile as it stands afterwards.
func (a *Admin) switchProfile(c *call, disabled bool) (any, error) {
	name, err := a.configured(c)
	if err != nil {
		return nil, err
	}
	if err := a.Core.DisableProfile(c.Context(), name, disabled); err != nil {
		return nil, unconfirmed(err)
	}
	p, _ := a.Core.Profiles.Profile(name)
	return a.profile(c, p)
}
