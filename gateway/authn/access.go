package authn

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/session"
)

// recordAccess writes, in the background, that a session was used: no request
// waits for it, and none fails for it.
func (a *Authenticator) recordAccess(ctx context.Context, s session.Session, now time.Time) {
	if !s.AccessDue(now) {
		return
	}
	go func() {
		if err := a.Sessions.Accessed(context.WithoutCancel(ctx), s); err != nil {
			a.Log.Debug("last access not written", zap.String("session_id", s.ID), zap.Error(err))
		}
	}()
}
