package authn

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// countingFactors answers the factors of a session that count now, oldest first:
// their profile is configured and not disabled, the organization admits it, it has not
// been revoked since the proof was given, and the proof is within the profile's
// valid_for.
func (a *Authenticator) countingFactors(ctx context.Context, s session.Session, org directory.Organization, now time.Time) ([]session.Factor, error) {
	list := make([]session.Factor, 0, len(s.Factors))
	for _, f := range s.Factors {
		ok, err := a.factorCounts(ctx, f, org, now)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, f)
		}
	}
	return list, nil
}

func (a *Authenticator) factorCounts(ctx context.Context, f session.Factor, org directory.Organization, now time.Time) (bool, error) {
	p, configured := a.Profiles.Profile(f.Profile)
	if !configured || !org.Admits(f.Profile, true) {
		return false, nil
	}
	if d := p.Config().Factor.ValidFor; d > 0 && !now.Before(f.ProvedAt.Add(d)) {
		return false, nil
	}
	state, err := a.profileState(ctx, f.Profile)
	return err == nil && !state.disabled && (state.notBefore.IsZero() || f.UpdatedAt.After(state.notBefore)), err
}

// firstFactor answers the newest counting factor that is of one of the profiles
// named and that is not second_only. It decides whether a session is accepted.
func (a *Authenticator) firstFactor(profiles []string, counting []session.Factor) (session.Factor, bool) {
	for _, f := range slices.Backward(counting) {
		if slices.Contains(profiles, f.Profile) && !a.secondOnly(f.Profile) {
			return f, true
		}
	}
	return session.Factor{}, false
}

// anyFirstFactor is firstFactor where every profile will do.
func (a *Authenticator) anyFirstFactor(live LiveSession) session.Factor {
	first, _ := a.firstFactor(a.Profiles.Names(), live.Factors)
	return first
}

func (a *Authenticator) secondOnly(profile string) bool {
	p, _ := a.Profiles.Profile(profile)
	return p.Config().Factor.SecondOnly
}

// withoutFactor is why no first factor of a session counts at a route: an operator has
// disabled the profile of one, and may enable it again; or else what the caller says.
func (a *Authenticator) withoutFactor(ctx context.Context, s session.Session, profiles []string, otherwise *Refusal) error {
	for _, f := range s.Factors {
		if !slices.Contains(profiles, f.Profile) || a.secondOnly(f.Profile) {
			continue
		}
		state, err := a.profileState(ctx, f.Profile)
		switch {
		case err != nil:
			return err
		case state.disabled:
			return Refuse("profile_disabled", errDisabled)
		}
	}
	return otherwise
}

var errNoAcceptedFactor = errors.New("no counting factor of the session is of a profile that the route accepts")

// roles are those that hold now, sorted, each once: the operator's, and those of
// each profile a factor of which counts, as far as the profile still lists them.
func (a *Authenticator) roles(live LiveSession) []string {
	list := slices.Clone(live.Member.Roles)
	for _, f := range live.Factors {
		for _, role := range live.Member.ProfileRoles[f.Profile] {
			if a.profileGives(f.Profile, role) {
				list = append(list, role)
			}
		}
	}
	return a.WithDefaultRole(list)
}

// DefaultRole is the role that Stytch gives every member.
const DefaultRole = "stytch_member"

// WithDefaultRole sorts roles, each once; under compat every member has one more.
func (a *Authenticator) WithDefaultRole(roles []string) []string {
	if a.Compat {
		roles = append(roles, DefaultRole)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// profileGives tells whether a profile gives a role: what its tokens brought before
// the operator took a role out of its list no longer holds.
func (a *Authenticator) profileGives(profile, role string) bool {
	p, ok := a.Profiles.Profile(profile)
	return ok && p.Gives(role)
}
