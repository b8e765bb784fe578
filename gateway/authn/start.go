package authn

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/session"
)

// startSession starts an ordinary session and confirms it. issued is when the proof
// of its first factor was issued.
func (a *Authenticator) startSession(ctx context.Context, start session.Start, issued time.Time) (LiveSession, error) {
	start.Idle = a.Idle
	s, err := a.Sessions.Start(ctx, start)
	if err != nil {
		return LiveSession{}, err
	}
	live, err := a.confirm(ctx, s, start.Factor.Profile, issued)
	if err == nil {
		a.tellOf(ctx, SessionStarted, start.Factor.Profile, live)
		a.endOldest(ctx, live)
	}
	return live, err
}

// endOldest ends the oldest sessions of a member who has too many. It keeps nobody
// from signing in: what fails is tried again at the next sign-in.
func (a *Authenticator) endOldest(ctx context.Context, live LiveSession) {
	ended, err := a.Sessions.Trim(ctx, live.Organization.ID, live.Member.ID, live.Session.ID)
	for _, s := range ended {
		a.cache.sessions.drop(s.ID)
		a.tellOf(ctx, SessionRevoked, "", LiveSession{Session: s})
	}
	log := a.Log.With(zap.String("organization_id", live.Organization.ID), zap.String("member_id", live.Member.ID))
	if len(ended) > 0 {
		log.Info("a member had too many sessions; the oldest were ended", zap.Int("ended", len(ended)))
	}
	if err != nil {
		log.Warn("a member has too many sessions, and the oldest could not be ended", zap.Error(err))
	}
}

// confirm reads member, organization and profile once more after a session was
// written. A revocation that was written between resolving the token and this moment
// is seen here; one that comes later finds the session started before it. So no
// token from before a revocation is left with a session from after it.
func (a *Authenticator) confirm(ctx context.Context, s session.Session, profile string, issued time.Time) (LiveSession, error) {
	a.cache.sessions.put(s.ID, s)
	org, member, err := a.Directory.Lookup(ctx, s.OrganizationID, s.MemberID)
	if err != nil {
		return LiveSession{}, asSessionNotFound(err)
	}
	state, err := a.storedProfileState(ctx, profile)
	if err != nil {
		return LiveSession{}, err
	}
	if state.disabled {
		return LiveSession{}, a.revokeUnconfirmed(ctx, s.ID)
	}
	for _, at := range []time.Time{org.NotBefore, member.NotBefore, state.notBefore} {
		if !at.IsZero() && !issued.After(at) {
			return LiveSession{}, a.revokeUnconfirmed(ctx, s.ID)
		}
	}
	return a.complete(ctx, s, a.Now())
}

// revokeUnconfirmed ends a session that must not have started. Where the store has
// not confirmed its end that is an outage, and not yet a refusal.
func (a *Authenticator) revokeUnconfirmed(ctx context.Context, id string) error {
	if err := a.RevokeSession(ctx, id); err != nil && IsFault(err) {
		return err
	}
	return Refuse("session_not_found", errNotBefore)
}
