package authn

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/session"
)

var (
	errNotConfigured    = errors.New("the profile of the factor is not configured")
	errObserved         = errors.New("the profile of the factor only observes")
	errNotAdmitted      = errors.New("the organization does not admit the profile of the factor")
	errProofTooOld      = errors.New("the proof is older than valid_for, or the token did not say when it was given")
	errProfileNotBefore = errors.New("the token was issued at or before a revocation of its profile")
)

// countingFactors answers the factors that count now, oldest first.
func (a *Authenticator) countingFactors(ctx context.Context, factors []session.Factor, of LiveSession, now time.Time) ([]session.Factor, error) {
	list := factors[:0:0]
	for i, f := range factors {
		why, err := a.uncounted(ctx, f, of, now)
		switch {
		case err != nil:
			return nil, err
		case why == nil && i == len(list): // while all count, the list need not be copied
			list = factors[: i+1 : i+1]
		case why == nil:
			list = append(list, f)
		}
	}
	return list, nil
}

// uncounted is why a factor does not count now for the member and organization, nil if
// it does: its profile is configured and not disabled, the organization admits it, the
// proof is within the profile's valid_for, and the token was issued after the latest
// revocation of member, organization and profile. So a session written just after a
// revocation is dead from its first use, on every node.
func (a *Authenticator) uncounted(ctx context.Context, f session.Factor, of LiveSession, now time.Time) (why, err error) {
	p, configured := a.Profiles.Profile(f.Profile)
	switch {
	case !configured:
		return errNotConfigured, nil
	case p.Config().Observe:
		return errObserved, nil
	case !of.Organization.Admits(f.Profile, true):
		return errNotAdmitted, nil
	}
	if d := p.Config().Factor.ValidFor; d > 0 && !f.ProvedWithin(d, now) {
		return errProofTooOld, nil
	}
	state, err := a.profileState(ctx, f.Profile)
	switch {
	case err != nil:
		return nil, err
	case state.disabled:
		return errDisabled, nil
	case revokedSince(f.IssuedAt, of.Organization.NotBefore, of.Member.NotBefore):
		return errNotBefore, nil
	case revokedSince(f.IssuedAt, state.notBefore):
		return errProfileNotBefore, nil
	}
	return nil, nil
}

// revokedSince tells whether one of the revocations, zero if there was none, was at or
// after that moment.
func revokedSince(at time.Time, revocations ...time.Time) bool {
	return slices.ContainsFunc(revocations, func(r time.Time) bool { return !r.IsZero() && !at.After(r) })
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
// disabled the profile of one, and may enable it again; or the member or organization was
// revoked since; or else what the caller says.
func (a *Authenticator) withoutFactor(ctx context.Context, live LiveSession, profiles []string, otherwise *Refusal) error {
	for _, f := range live.Session.Factors {
		if !slices.Contains(profiles, f.Profile) || a.secondOnly(f.Profile) {
			continue
		}
		why, err := a.uncounted(ctx, f, live, a.Now())
		switch {
		case err != nil:
			return err
		case why == errDisabled:
			return Refuse("profile_disabled", why)
		case why == errNotBefore:
			otherwise = Refuse("session_not_found", why)
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
