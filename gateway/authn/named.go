package authn

import (
	"context"
	"errors"
	"slices"

	"github.com/attestgate/caddy-attest/session"
)

// A SessionName names a session in a call of the session API: by its token or by a
// session JWT, expired or not. Never both.
type SessionName struct {
	Token, JWT string

	// Organization limits the name to sessions of the organization with this id.
	// Default: any.
	Organization string
}

// Empty tells that no session is named.
func (n SessionName) Empty() bool { return n.Token == "" && n.JWT == "" }

// Check refuses a name that is two.
func (n SessionName) Check() error {
	if n.Token != "" && n.JWT != "" {
		return Refuse("too_many_session_arguments", nil)
	}
	return nil
}

var (
	errOtherOrganization = errors.New("the session is of an organization that this endpoint does not serve")
	errNoFirstFactor     = errors.New("no first factor of the session counts any more")
)

// named answers the live session that a call names, to go on with it. It must still
// rest on a first factor that counts, and have a token: an implicit session has none,
// and is named by nobody but the trusted token that it is of.
func (a *Authenticator) named(ctx context.Context, n SessionName) (LiveSession, error) {
	if err := n.Check(); err != nil {
		return LiveSession{}, err
	}
	live, err := a.byName(ctx, n)
	switch {
	case err != nil:
		return LiveSession{}, err
	case live.Session.Implicit:
		return LiveSession{}, Refuse("session_not_mutable", errImplicit)
	case !a.firstProfileConfigured(live):
		return LiveSession{}, Refuse("profile_not_configured", errNoFirstFactor)
	case !a.hasFirstFactor(live):
		return LiveSession{}, a.withoutFactor(ctx, live, a.Profiles.Names(), Refuse("session_not_found", errNoFirstFactor))
	case n.Organization != "" && n.Organization != live.Organization.ID:
		return LiveSession{}, Refuse("session_not_found", errOtherOrganization)
	}
	return live, nil
}

func (a *Authenticator) byName(ctx context.Context, n SessionName) (LiveSession, error) {
	if n.Token == "" {
		return a.byJWT(ctx, n.JWT)
	}
	if _, err := session.ParseToken(n.Token); err != nil {
		return LiveSession{}, Refuse("invalid_session_token", err)
	}
	return a.byToken(ctx, n.Token)
}

// firstProfileConfigured tells whether a profile of a first factor is configured here.
// Where none is, the session may be good at another node or tomorrow: the caller is
// told so, and not that it is gone.
func (a *Authenticator) firstProfileConfigured(live LiveSession) bool {
	return slices.ContainsFunc(live.Session.Factors, func(f session.Factor) bool {
		p, configured := a.Profiles.Profile(f.Profile)
		return configured && !p.Config().Factor.SecondOnly
	})
}

// hasFirstFactor tells whether a session still rests on a first factor that counts.
func (a *Authenticator) hasFirstFactor(live LiveSession) bool {
	_, ok := a.firstFactor(a.Profiles.Names(), live.Factors)
	return ok
}
