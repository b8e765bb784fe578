package gateway

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// counting answers the factors of a session that count now, oldest first: their
// profile is configured, the organization admits it, nobody has cut it off since
// the proof was given, and the proof is young enough.
func (g *Gateway) counting(ctx context.Context, s session.Session, org directory.Organization, now time.Time) ([]session.Factor, error) {
	list := make([]session.Factor, 0, len(s.Factors))
	for _, f := range s.Factors {
		ok, err := g.counts(ctx, f, org, now)
		if err != nil {
			return nil, err
		}
		if ok {
			list = append(list, f)
		}
	}
	return list, nil
}

func (g *Gateway) counts(ctx context.Context, f session.Factor, org directory.Organization, now time.Time) (bool, error) {
	p, configured := g.Profiles.Profile(f.Profile)
	if !configured || !org.Admits(f.Profile, true) {
		return false, nil
	}
	if d := p.Config().Factor.ValidFor; d > 0 && !now.Before(f.ProvedAt.Add(d)) {
		return false, nil
	}
	cut, err := g.cut(ctx, f.Profile)
	return err == nil && (cut.IsZero() || f.UpdatedAt.After(cut)), err
}

// opens answers the newest counting factor that opens the route: one of a profile
// that the route names and that may stand first.
func (g *Gateway) opens(r *route, counting []session.Factor) (session.Factor, bool) {
	for _, f := range slices.Backward(counting) {
		if p, _ := g.Profiles.Profile(f.Profile); slices.Contains(r.profiles, f.Profile) && !p.Config().Factor.SecondOnly {
			return f, true
		}
	}
	return session.Factor{}, false
}

var errNotOpened = errors.New("no counting factor of the session is of a profile that the route accepts")

// roles are what the member may be called here and now, sorted, each once: the
// operator's roles, and those of each profile a factor of which counts, as far as
// the profile still lists them.
func (g *Gateway) roles(sub subject) []string {
	list := slices.Clone(sub.member.Roles)
	for _, f := range sub.counting {
		for _, role := range sub.member.ProfileRoles[f.Profile] {
			if g.gives(f.Profile, role) {
				list = append(list, role)
			}
		}
	}
	return g.withDefault(list)
}

// defaultRole is the role that Stytch gives every member.
const defaultRole = "stytch_member"

// withDefault sorts roles, each once; under compat every member has one more.
func (g *Gateway) withDefault(roles []string) []string {
	if g.Compat {
		roles = append(roles, defaultRole)
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// gives tells whether a profile gives a role: what its tokens brought before the
// operator took a role out of its list no longer holds.
func (g *Gateway) gives(profile, role string) bool {
	p, _ := g.Profiles.Profile(profile)
	for _, given := range p.Config().Roles {
		if slices.Contains(given, role) {
			return true
		}
	}
	return false
}
