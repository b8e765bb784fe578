package authn

import (
	"context"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/session"
)

// recordAccess notes that a session was used, and answers it as it is then. It
// writes in the background: no request waits for it, and none fails for it.
func (a *Authenticator) recordAccess(ctx context.Context, s session.Session) session.Session {
	now := a.Now()
	if s.AccessDue(now) {
		go a.writeAccess(context.WithoutCancel(ctx), s)
	}
	return s.UsedAt(now)
}

func (a *Authenticator) writeAccess(ctx context.Context, s session.Session) {
	if err := a.Sessions.Accessed(ctx, s); err != nil {
		a.Log.Debug("last access not written", zap.String("session_id", s.ID), zap.Error(err))
	}
}
