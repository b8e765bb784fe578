package authn

import (
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// A RenderedSession is a live session with its roles and effective claims.
type RenderedSession struct {
	LiveSession
	Roles  []string
	Claims claims.Object
}

// An IssuedSession is what a call hands out: a session with its credentials.
type IssuedSession struct {
	RenderedSession
	// Token is empty for an implicit session.
	Token string
	JWT   string
}

// issue mints an API JWT. The session API always mints: its callers want the claims
// as they are now.
func (a *Authenticator) issue(live LiveSession) (IssuedSession, error) {
	rendered, err := a.render(live)
	if err != nil {
		return IssuedSession{}, err
	}
	r := mintRequest(live, rendered.Roles, rendered.Claims, nil, a.JWTLifetime)
	r.API = true
	jwt, err := a.Minter.Mint(r)
	if err != nil {
		return IssuedSession{}, unusable(live, err)
	}
	a.Observers.Minted(true, false)
	rendered.Member = a.memberOf(live)
	token, _ := a.Sessions.Token(live.Session)
	return IssuedSession{rendered, token.Reveal(), jwt.Text}, nil
}

// render computes the roles and the effective claims of a session under the default
// template, or why they cannot be put into a JWT.
func (a *Authenticator) render(live LiveSession) (RenderedSession, error) {
	roles := a.roles(live)
	effective, err := a.effective(a.Templates["default"], live, roles, a.anyFirstFactor(live))
	return RenderedSession{live, roles, effective}, err
}

// checkClaims tells whether an API JWT of that session could be minted at all, before
// anything of it is stored.
func (a *Authenticator) checkClaims(live LiveSession) error {
	rendered, err := a.render(live)
	if err != nil {
		return err
	}
	r := mintRequest(live, rendered.Roles, rendered.Claims, nil, a.JWTLifetime)
	r.API = true
	return unusable(live, a.Minter.CheckSize(r))
}

// checkNewSession is checkClaims for a session that has not started.
func (a *Authenticator) checkNewSession(o directory.Organization, m directory.Member, factors []session.Factor, overlay claims.Overlay) error {
	return a.checkClaims(LiveSession{
		Session: session.Session{OrganizationID: o.ID, MemberID: m.ID, Overlay: overlay}, Organization: o, Member: m, Factors: factors,
	})
}
