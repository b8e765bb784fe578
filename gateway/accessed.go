package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/session"
)

// accessed notes, behind the request's back, that a session was used: no request
// waits for bookkeeping, and none fails for it.
func (g *Gateway) accessed(ctx context.Context, s session.Session, now time.Time) {
	if !s.AccessDue(now) {
		return
	}
	go func() {
		if err := g.Sessions.Accessed(context.WithoutCancel(ctx), s); err != nil {
			g.log.Debug("last access not written", zap.String("session_id", s.ID), zap.Error(err))
		}
	}()
}
