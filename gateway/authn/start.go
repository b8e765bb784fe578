package authn

import (
	"context"
	"time"

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
	return a.confirm(ctx, s, start.Factor.Profile, issued)
}

// confirm reads member, organization and profile once more after a session was
// written. A revocation that was written between resolving the token and this moment
// is seen here; one that comes later finds the session started before it. So no
// token from before a revocation is left with a session from after it.
func (a *Authenticator) confirm(ctx context.Context, s session.Session, profile string, issued time.Time) (LiveSession, error) {
	org, member, err := a.Directory.Lookup(ctx, s.OrganizationID, s.MemberID)
	if err != nil {
		return LiveSession{}, asSessionNotFound(err)
	}
	ofProfile, err := a.Directory.ProfileCut(ctx, profile)
	if err != nil {
		return LiveSession{}, err
	}
	for _, at := range []time.Time{org.NotBefore, member.NotBefore, ofProfile} {
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
