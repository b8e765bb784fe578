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
		return IssuedSession{}, err
	}
	token, _ := a.Sessions.Token(live.Session)
	return IssuedSession{rendered, token.Reveal(), jwt.Text}, nil
}

// render computes the roles and the effective claims of a session under the default
// template, or why they cannot be put into a JWT.
func (a *Authenticator) render(live LiveSession) (RenderedSession, error) {
	roles := a.roles(live)
	effective, err := a.effective(a.Templates["default"], live, roles)
	return RenderedSession{live, roles, effective}, err
}

// checkClaims tells whether a session of that member with that overlay could be
// minted at all.
func (a *Authenticator) checkClaims(o directory.Organization, m directory.Member, factors []session.Factor, overlay claims.Overlay) error {
	_, err := a.render(LiveSession{Session: session.Session{Overlay: overlay}, Member: m, Organization: o, Factors: factors})
	return err
}
