package authn

import (
	"context"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
)

// A SessionChange is what attest, authenticate and exchange may change of a session,
// or start it with.
type SessionChange struct {
	// Duration sets the end to now + Duration. Zero: unchanged, or the default.
	Duration time.Duration
	// Claims are applied to the session's claims.
	Claims claims.Overlay
}

var errMaxDuration = errors.New("session_duration_minutes is above max_duration")

// forStart checks a change that a new session starts with, and fills in the default
// duration.
func (a *Authenticator) forStart(c SessionChange) (SessionChange, error) {
	c.Duration = orDefault(c.Duration, a.SessionDuration)
	if c.Duration > a.Sessions.MaxDuration() {
		return c, Refuse("invalid_session_duration_minutes", errMaxDuration)
	}
	var err error
	c.Claims, err = a.overlay(LiveSession{}, c.Claims)
	return c, err
}

// change applies what a call asks of a live session, all of it or nothing: more,
// the claims, the duration. The result is checked against the claim policy before
// it is written. Where nothing changes, nothing is written but that the session was
// used.
func (a *Authenticator) change(ctx context.Context, live LiveSession, c SessionChange, more func(*session.Session) error) (LiveSession, error) {
	changed, err := a.Sessions.Change(ctx, live.Session.ID, func(s *session.Session) error {
		return a.applyChange(ctx, s, live, c, more)
	})
	if err != nil || changed.Version != live.Session.Version {
		a.cache.sessions.drop(live.Session.ID)
	}
	if err != nil {
		return LiveSession{}, err
	}
	if more == nil && changed.Version != live.Session.Version {
		a.tellOf(ctx, SessionChanged, "", LiveSession{Session: changed})
	}
	return a.complete(ctx, a.recordAccess(ctx, changed), a.Now())
}

func (a *Authenticator) applyChange(ctx context.Context, s *session.Session, live LiveSession, c SessionChange, more func(*session.Session) error) error {
	now := a.Now()
	if err := s.Live(now); err != nil {
		return err
	}
	if more != nil {
		if err := more(s); err != nil {
			return err
		}
	}
	if c.Duration > 0 {
		if err := s.Extend(now, c.Duration, a.Sessions.MaxDuration()); err != nil {
			return Refuse("invalid_session_duration_minutes", err)
		}
	}
	factors, err := a.countingFactors(ctx, s.Factors, live, now)
	if err != nil {
		return err
	}
	if s.Overlay, err = a.overlay(LiveSession{*s, live.Member, live.Organization, factors}, c.Claims); err != nil {
		return err
	}
	return a.checkClaims(LiveSession{*s, live.Member, live.Organization, factors})
}
