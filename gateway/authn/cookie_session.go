package authn

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A SessionCookie is what a browser is to keep: the token of an ordinary session.
type SessionCookie struct {
	Token     session.Token
	ExpiresAt time.Time
}

// cookieFor answers the cookie for a browser that arrived with a trusted token. A
// client that is no browser would not keep it, and one that already has a live
// cookie of the same member needs no other: then it is nil, as it is where sign-ins are
// frozen and the token has no such session yet.
func (a *Authenticator) cookieFor(ctx context.Context, p Presented, live LiveSession, id *trust.Identity) (*SessionCookie, error) {
	if !p.Browser || a.isCookieOf(ctx, p.Cookie, live) {
		return nil, nil
	}
	s, err := a.cookieSession(ctx, live, id)
	if errors.Is(err, errFrozen) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	token, _ := a.Sessions.Token(s)
	return &SessionCookie{token, s.ExpiresAt}, nil
}

// cookieSession is the one session whose cookie is set for a trusted token,
// however often the token is shown: anyone can send what browsers send, and must not
// make a record each time.
func (a *Authenticator) cookieSession(ctx context.Context, live LiveSession, id *trust.Identity) (session.Session, error) {
	key := tokenKey{id.Digest, id.Profile}
	if known, ok := a.cache.cookieSessions.Get(key); ok {
		if live, err := a.liveSession(ctx, known); err == nil {
			return live.Session, nil
		}
	}
	started, err := a.startOnce(ctx, startKey{tokenKey: key, cookie: true}, func(ctx context.Context) (LiveSession, error) {
		if err := a.signInsOpen(ctx, id.Profile); err != nil {
			return LiveSession{}, err
		}
		started, err := a.startSession(ctx, live.Organization, live.Member, session.Start{Duration: a.SessionDuration, Factor: factorOf(id)})
		if err == nil {
			a.cache.cookieSessions.Set(key, started.Session.ID)
		}
		return started, err
	})
	return started.Session, err
}

func (a *Authenticator) isCookieOf(ctx context.Context, value string, live LiveSession) bool {
	if value == "" {
		return false
	}
	held, err := a.byToken(ctx, value)
	return err == nil && held.Member.ID == live.Member.ID && held.Organization.ID == live.Organization.ID
}
