package authn

import (
	"context"
	"slices"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// startSession starts an ordinary session of the member.
func (a *Authenticator) startSession(ctx context.Context, org directory.Organization, member directory.Member, start session.Start) (LiveSession, error) {
	start.OrganizationID, start.MemberID, start.Idle = org.ID, member.ID, a.Idle
	s, err := a.Sessions.Start(ctx, start)
	if err != nil {
		return LiveSession{}, err
	}
	live, err := a.begun(ctx, s, org, member, start.Factor.Profile)
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

// begun answers the session that was just written for whom its token was resolved to, if
// the factor that it was written for counts. Nothing is read again: what was revoked since
// is judged when the session is used, here or anywhere.
func (a *Authenticator) begun(ctx context.Context, s session.Session, org directory.Organization, member directory.Member, profile string) (LiveSession, error) {
	a.cache.sessions.put(s.ID, s)
	live, err := a.completeWith(ctx, s, org, member, a.Now())
	if err != nil {
		return LiveSession{}, err
	}
	if !slices.ContainsFunc(live.Factors, func(f session.Factor) bool { return f.Profile == profile }) {
		return LiveSession{}, a.withoutFactor(ctx, live, []string{profile}, Refuse("session_not_found", errNoFirstFactor))
	}
	return live, nil
}
