package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A token in an address or a form is kept by histories, proxies and logs on its way. So it
// is used up at once: a person who goes to the page with it gets a cookie, and goes on to
// the page without it. What fetches ahead must not use it up before that person comes.

// Navigation is what a person goes to.
type Navigation int

// The kinds of navigations.
const (
	NoNavigation Navigation = iota
	ToDocument
	ToFrame
)

// navigates refuses a token that stands where it may, in a request that is none of a
// person who goes there.
func (p Presented) navigates(place Place) error {
	switch query := place.Query != ""; {
	case query && (p.Method != http.MethodGet || p.Navigation != ToDocument), p.Navigation == NoNavigation:
		return Refuse("not_a_navigation", nil)
	case !query && p.Method != http.MethodPost:
		return Refuse("not_a_navigation", nil)
	case !query && !place.IsFrom(p.Origin):
		return Refuse("cross_site_request", errOtherOrigin)
	}
	return nil
}

var (
	errOtherOrigin    = errors.New("the form is posted by an origin that token_from does not name")
	errReplacesMember = errors.New("a token in an address or a form, beside the cookie of another member's session")
)

// identifyNavigated verifies the token.
func (a *Authenticator) identifyNavigated(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (*trust.Identity, error) {
	if err := p.navigates(t.Place); err != nil {
		return nil, err
	}
	id, err := a.verifyAmong(ctx, t.Token, nil, route.places[t.Place])
	if err == nil && a.profileOf(id).Config().Dev && !p.Loopback {
		err = Refuse("invalid_trusted_auth_token", errDevProfile)
	}
	return id, err
}

// admitNavigated starts the session of a person who came with a token, and sends them on.
// The same token again is good only for whom it gave the cookie: browsers ask twice.
func (a *Authenticator) admitNavigated(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (Decision, error) {
	id, err := a.identifyNavigated(ctx, p, route, t)
	if err == nil {
		err = a.onTrial(ctx, "proxy", id)
	}
	if err != nil {
		return Decision{}, err
	}
	held, err := a.heldByCookie(ctx, p)
	if err != nil {
		return Decision{}, err
	}
	if held.Session.ID != "" {
		if _, same := held.Session.Factor(id.Profile, id.TokenID); same {
			return Decision{LiveSession: held, Profile: id.Profile, Onward: true}, nil
		}
		if err := a.mayReplace(ctx, p, held, id); err != nil {
			return Decision{}, err
		}
	}
	live, err := a.startNavigated(ctx, p, id)
	if err != nil {
		return Decision{}, err
	}
	token, _ := a.Sessions.Token(live.Session)
	return Decision{LiveSession: live, Profile: id.Profile, Onward: true, SetCookie: &SessionCookie{token, live.Session.ExpiresAt}}, nil
}

// heldByCookie is the live session that the browser has already, if any.
func (a *Authenticator) heldByCookie(ctx context.Context, p Presented) (LiveSession, error) {
	if p.Cookie == "" {
		return LiveSession{}, nil
	}
	live, err := a.byToken(ctx, p.Cookie)
	if err == nil {
		return live, nil
	}
	if IsFault(err) {
		return LiveSession{}, err
	}
	return LiveSession{}, nil
}

// mayReplace keeps a page of another site from giving the browser a session of whom it
// likes while a person works in theirs: only a form of the site's own may.
func (a *Authenticator) mayReplace(ctx context.Context, p Presented, held LiveSession, id *trust.Identity) error {
	if p.Method == http.MethodPost && !p.CrossSite {
		return nil
	}
	preview, err := a.Directory.Preview(ctx, a.assertion(id, ""))
	if err == nil && preview.Organization.ID == held.Organization.ID && preview.Member.ID == held.Member.ID {
		return nil
	}
	if err != nil && IsFault(err) {
		return err
	}
	return Refuse("session_of_another_member", errReplacesMember)
}

func (a *Authenticator) startNavigated(ctx context.Context, p Presented, id *trust.Identity) (LiveSession, error) {
	ctx = WithActor(ctx, Actor{Door: "proxy", Address: p.Client})
	if id.Factor.SecondOnly {
		return LiveSession{}, Refuse("profile_not_accepted", errSecondOnly)
	}
	if err := a.signInsOpen(ctx, id.Profile); err != nil {
		return LiveSession{}, err
	}
	org, member, err := a.resolve(ctx, id, "", nil)
	if err != nil {
		return LiveSession{}, err
	}
	use := a.use(id, sha256.Sum256([]byte("navigation")))
	use.Once = true
	if _, err := a.Sessions.Use(ctx, use); err != nil {
		return LiveSession{}, replayed(err)
	}
	return a.startSession(ctx, org, member, session.Start{Duration: a.SessionDuration, Factor: factorOf(id)})
}

// observeNavigated is admitNavigated without a write.
func (a *Authenticator) observeNavigated(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (string, error) {
	id, err := a.identifyNavigated(ctx, p, route, t)
	if err != nil {
		return "", err
	}
	held, err := a.heldByCookie(ctx, p)
	if err == nil && held.Session.ID != "" {
		err = a.mayReplace(ctx, p, held, id)
	}
	if err != nil {
		return "", err
	}
	_, err = a.observeIdentity(ctx, id)
	return id.Profile, err
}
