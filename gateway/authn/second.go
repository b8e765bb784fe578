package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A second factor may come with the request that needs it: a token of a second_only
// profile, in the place that the profile reads, beside the credential of the session that
// it is attached to.

// seconds are the tokens of second factors that a request shows at the route.
func (r *CompiledRoute) seconds(list []Placed) (seconds []Placed) {
	for _, t := range list {
		if _, ours := r.secondPlaces[t.Place]; ours {
			seconds = append(seconds, t)
		}
	}
	return seconds
}

// anonymous refuses who shows a second factor and nothing that admits.
func (r *CompiledRoute) anonymous(p Presented) error {
	if len(r.seconds(p.Placed)) > 0 {
		return Refuse("profile_not_accepted", errSecondAlone)
	}
	return nil
}

var errSecondAlone = errors.New("a second factor without a session")

// withSeconds attaches the second factors that come with the request. Where the cookie was
// shown, its secret is renewed with the factor, and the cookie is to be set.
func (a *Authenticator) withSeconds(ctx context.Context, p Presented, route *CompiledRoute, live LiveSession) (LiveSession, *SessionCookie, error) {
	for _, t := range route.seconds(p.Placed) {
		id, err := a.second(ctx, p, route, t)
		if err == nil && !attached(live.Session, id, a.Now()) {
			live, err = a.attachInline(ctx, p, live, id)
		}
		if err != nil {
			refused := *RefusalOf(err)
			refused.token = t.Token
			return LiveSession{}, nil, &refused
		}
	}
	if len(route.seconds(p.Placed)) == 0 {
		return live, nil, nil
	}
	return live, a.renewedCookie(p, live.Session), nil
}

// renewedCookie is the cookie for a browser that showed the one from before a renewal, and
// a second factor with it; nil where there is nothing to tell. Who has the former cookie
// alone may have stolen it, and must not be given the new one.
func (a *Authenticator) renewedCookie(p Presented, s session.Session) *SessionCookie {
	if !s.RenewedWithin(a.Now()) || !byCookie(p, s) {
		return nil
	}
	token, _ := a.Sessions.Token(s)
	if token.Reveal() == p.Cookie {
		return nil
	}
	return &SessionCookie{token, s.ExpiresAt}
}

// second verifies the token of a second factor.
func (a *Authenticator) second(ctx context.Context, p Presented, route *CompiledRoute, t Placed) (*trust.Identity, error) {
	if t.Place.Ambient() && p.CrossSite {
		return nil, Refuse("cross_site_request", nil)
	}
	id, err := a.verifyAmong(ctx, t.Token, nil, route.secondPlaces[t.Place])
	if err != nil {
		return nil, err
	}
	if a.profileOf(id).Config().Dev && !p.Loopback {
		return nil, Refuse("invalid_trusted_auth_token", errDevProfile)
	}
	return id, a.onTrial(ctx, "proxy", id)
}

// attached tells whether the session has that proof already, so that nothing is written
// each time it is shown. A token of a clock ahead of this one's was noted as issued when it
// came: while its iat is to come, nothing newer is known of it.
func attached(s session.Session, id *trust.Identity, now time.Time) bool {
	f, ok := s.Factor(id.Profile, id.TokenID)
	return ok && (id.IssuedAt.After(now) || !f.IssuedAt.Before(id.IssuedAt.Truncate(time.Millisecond)))
}

// byCookie tells whether the session is the one whose cookie decided.
func byCookie(p Presented, s session.Session) bool {
	if p.Bearer+p.Opaque != "" || s.Implicit {
		return false
	}
	token, err := session.ParseToken(p.Cookie)
	return err == nil && token.SessionID() == s.ID
}

// attachInline attaches the factor, once for all requests that bring it at the same time.
func (a *Authenticator) attachInline(ctx context.Context, p Presented, live LiveSession, id *trust.Identity) (LiveSession, error) {
	ctx = WithActor(ctx, Actor{Door: "proxy", Address: p.Client})
	return a.startOnce(ctx, startKey{tokenKey: tokenKey{id.Digest, id.Profile}, session: live.Session.ID}, func(ctx context.Context) (LiveSession, error) {
		return a.attachTo(ctx, live, attachment{id: id, renew: byCookie(p, live.Session), once: func(ctx context.Context, do func(context.Context) (LiveSession, error)) (LiveSession, error) {
			return a.useBeside(ctx, live.Session.ID, id, do)
		}})
	})
}

// useBeside attaches a token to one session, where its profile takes each token id once: it
// is of use to no other session.
func (a *Authenticator) useBeside(ctx context.Context, session string, id *trust.Identity, do func(context.Context) (LiveSession, error)) (LiveSession, error) {
	if !a.profileOf(id).Config().ReplayReject {
		return do(ctx)
	}
	use := a.use(id, sha256.Sum256([]byte("second factor of "+session)))
	if _, err := a.Sessions.Use(ctx, use); err != nil {
		return LiveSession{}, replayed(err)
	}
	live, err := do(ctx)
	if err != nil {
		return LiveSession{}, err
	}
	return live, a.Sessions.NoteUse(ctx, use, session)
}

// An attachment is a verified proof that is to become a factor of a session.
type attachment struct {
	id *trust.Identity
	// organization is the one that an API caller names, if any.
	organization string
	// change is made with it.
	change SessionChange
	// renew gives the session a new secret.
	renew bool
	// once does it, where it may be done at all.
	once func(context.Context, func(context.Context) (LiveSession, error)) (LiveSession, error)
}

// attachTo adds the factor to a live session: id and start stay.
func (a *Authenticator) attachTo(ctx context.Context, live LiveSession, t attachment) (LiveSession, error) {
	if err := a.signInsOpen(ctx, t.id.Profile); err != nil {
		return LiveSession{}, err
	}
	if _, _, err := a.resolve(ctx, t.id, t.organization, func(o directory.Organization, m directory.Member) error {
		return sameMember(live, o, m)
	}); err != nil {
		return LiveSession{}, err
	}
	live, err := t.once(ctx, func(ctx context.Context) (LiveSession, error) {
		return a.change(ctx, live, t.change, func(s *session.Session) error {
			if err := s.Attach(factorOf(t.id), a.Now()); err != nil || !t.renew || s.RenewedWithin(a.Now()) {
				return err
			}
			return a.Sessions.RenewToken(s)
		})
	})
	if err != nil {
		return LiveSession{}, err
	}
	live, err = a.begun(ctx, live.Session, live.Organization, live.Member, t.id.Profile)
	if err == nil {
		a.tellOf(ctx, FactorAdded, t.id.Profile, live)
	}
	return live, err
}

// withSecondsObserved is withSeconds without a write: the factors count for this look.
func (a *Authenticator) withSecondsObserved(ctx context.Context, p Presented, route *CompiledRoute, live LiveSession) (LiveSession, error) {
	for _, t := range route.seconds(p.Placed) {
		id, err := a.second(ctx, p, route, t)
		if err != nil {
			return LiveSession{}, err
		}
		if attached(live.Session, id, a.Now()) {
			continue
		}
		preview, err := a.Directory.Preview(ctx, a.assertion(id, ""))
		if err == nil {
			err = sameMember(live, preview.Organization, preview.Member)
		}
		if err != nil {
			return LiveSession{}, err
		}
		live.Factors = append(live.Factors[:len(live.Factors):len(live.Factors)], factorOf(id))
	}
	return live, nil
}
