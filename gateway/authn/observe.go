package authn

import (
	"context"
	"crypto/sha256"

	"github.com/attestgate/caddy-attest/trust"
)

// Observe answers what Admit would decide about a request, and does nothing: no session
// starts, nothing is written, no JWT is minted, and no rate is used up. Of a trusted
// token without a session it tells what would become of it now. profile is the one that
// would admit; it is empty where the request would pass without identity.
func (a *Authenticator) Observe(ctx context.Context, p Presented, route *CompiledRoute) (profile string, err error) {
	p = route.at(p)
	profile, err = a.observe(ctx, p, route)
	if err == nil && profile == "" {
		err = route.anonymous(p)
	}
	if err != nil {
		refused := *RefusalOf(err)
		refused.CredentialShown, refused.token = p.Any(), p.token()
		return "", &refused
	}
	return profile, nil
}

func (a *Authenticator) observe(ctx context.Context, p Presented, route *CompiledRoute) (string, error) {
	switch {
	case p.Reflects && p.Any():
		return "", Refuse("method_not_allowed", nil)
	case p.Ambiguous != nil:
		return "", p.ambiguous()
	case p.Bearer != "":
		return a.observeBearer(ctx, p, route)
	case p.Opaque != "":
		return a.observeTrusted(ctx, p, route, p.Opaque, route.opaque)
	}
	header, err := route.placed(p.Placed, false)
	switch {
	case err != nil:
		return "", err
	case header != nil:
		return a.observePlaced(ctx, p, route, *header)
	case p.Cookie != "" && p.CrossSite:
		return "", Refuse("cross_site_request", nil)
	case p.Cookie != "":
		live, err := a.byToken(ctx, p.Cookie)
		return a.observeLive(ctx, p, route, live, err)
	}
	cookie, err := route.placed(p.Placed, true)
	switch {
	case err != nil:
		return "", err
	case cookie != nil:
		return a.observePlaced(ctx, p, route, *cookie)
	case route.Optional, len(route.seconds(p.Placed)) > 0:
		return "", nil
	}
	return "", Refuse("no_credential", nil)
}

func (a *Authenticator) observePlaced(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (string, error) {
	if t.Place.Navigated() {
		return a.observeNavigated(ctx, p, route, t)
	}
	if t.Place.Ambient() && p.CrossSite {
		return "", Refuse("cross_site_request", nil)
	}
	profile, err := a.observeTrusted(ctx, p, route, t.Token, route.places[t.Place])
	if err != nil && t.Place.Cookie != "" && route.Optional && RefusalOf(err).Kind == InvalidCredential {
		return "", nil
	}
	return profile, err
}

func (a *Authenticator) observeBearer(ctx context.Context, p Presented, route *CompiledRoute) (string, error) {
	if !LooksLikeJWT(p.Bearer) {
		live, err := a.byToken(ctx, p.Bearer)
		return a.observeLive(ctx, p, route, live, err)
	}
	id, err := a.apiJWT(ctx, p.Bearer, sha256.Sum256([]byte(p.Bearer)))
	if notIssuedHere(err) {
		return a.observeTrusted(ctx, p, route, p.Bearer, route.places[Place{}])
	}
	if err != nil {
		return "", refusalOfJWT(err, "invalid_session_credential")
	}
	live, err := a.liveSession(ctx, id)
	return a.observeLive(ctx, p, route, live, err)
}

func (a *Authenticator) observeTrusted(ctx context.Context, p Presented, route *CompiledRoute, token string, profiles []string) (string, error) {
	id, err := a.verifyAmong(ctx, token, nil, profiles)
	if err != nil {
		return "", err
	}
	if a.profileOf(id).Config().Dev && !p.Loopback {
		return "", Refuse("invalid_trusted_auth_token", errDevProfile)
	}
	live, err := a.observeIdentity(ctx, id)
	return a.observeLive(ctx, p, route, live, err)
}

// observeIdentity answers the session that the token would start, as far as no route
// decides.
func (a *Authenticator) observeIdentity(ctx context.Context, id *trust.Identity) (LiveSession, error) {
	if id.Factor.SecondOnly {
		return LiveSession{}, Refuse("profile_not_accepted", errSecondOnly)
	}
	if err := a.signInsOpen(ctx, id.Profile); err != nil {
		return LiveSession{}, err
	}
	preview, err := a.Directory.Preview(ctx, a.assertion(id, ""))
	if err != nil {
		return LiveSession{}, err
	}
	return a.wouldStart(id, preview), nil
}

func (a *Authenticator) observeLive(ctx context.Context, p Presented, route *CompiledRoute, live LiveSession, err error) (string, error) {
	if err != nil {
		return "", err
	}
	first, ok := a.firstFactor(route.profiles, live.Factors)
	if !ok {
		return "", a.withoutFactor(ctx, live, route.profiles, Refuse("profile_not_accepted", errNoAcceptedFactor))
	}
	live, err = a.withSecondsObserved(ctx, p, route, live)
	if err != nil {
		return "", err
	}
	roles := a.roles(live)
	effective, err := a.effective(route.template, live, roles, first)
	if err != nil {
		return "", err
	}
	return first.Profile, a.permit(route, subject{live, roles, effective, first, p})
}
