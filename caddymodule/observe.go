package caddymodule

import (
	"context"
	"errors"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/attestgate/caddy-attest/gateway"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/metrics"
)

// observers are told what the gateway decides and changes: the metrics, the audit log,
// and Caddy's events where they are configured.
func (a *App) observers() authn.Observers {
	list := authn.Observers{a.lease.memory.metrics, audit{log: a.logger.Named("audit")}}
	if app, err := a.ctx.AppIfConfigured("events"); err == nil {
		list = append(list, events{ctx: a.ctx, app: app.(*caddyevents.App)})
	}
	return list
}

// register makes the metrics known to Caddy's registry, which is a new one for every
// configuration.
func (a *App) register(g *gateway.Gateway, t trusted) error {
	state := metrics.State{Core: g.Core, Keys: t.remote, Version: moduleVersion(), Backend: a.backend.CaddyModule().ID.Name()}
	for _, c := range []prometheus.Collector{a.lease.memory.metrics, state} {
		var known prometheus.AlreadyRegisteredError
		if err := a.ctx.GetMetricsRegistry().Register(c); err != nil && !errors.As(err, &known) {
			return err
		}
	}
	return nil
}

// changesOnly is an observer of changes alone.
type changesOnly struct{}

func (changesOnly) Decided(authn.Decided)               {}
func (changesOnly) Minted(bool, bool)                   {}
func (changesOnly) Stored(string, time.Duration, error) {}

// audit writes one record for each change to the logger attest.audit. It holds ids and
// names, never a credential or a claim.
type audit struct {
	changesOnly
	log *zap.Logger
}

// Changed implements authn.Observer.
func (o audit) Changed(_ context.Context, e authn.Event) {
	o.log.Info(string(e.Action), auditFields(e)...)
}

func auditFields(e authn.Event) []zap.Field {
	fields := []zap.Field{zap.Bool("confirmed", !e.Failed)}
	if e.SessionID != "" {
		fields = append(fields, zap.Bool("implicit", e.Implicit))
	}
	for _, f := range [][2]string{
		{"door", e.Actor.Door}, {"client_ip", e.Actor.Address}, {"request_id", e.Actor.RequestID}, {"profile", e.Profile},
		{"organization_id", e.OrganizationID}, {"member_id", e.MemberID}, {"session_id", e.SessionID}, {"kid", e.KeyID},
	} {
		if f[1] != "" {
			fields = append(fields, zap.String(f[0], f[1]))
		}
	}
	return fields
}

// events emits each change on Caddy's event bus, as attest_<action>.
type events struct {
	changesOnly
	ctx caddy.Context
	app *caddyevents.App
}

// Changed implements authn.Observer.
func (o events) Changed(_ context.Context, e authn.Event) {
	o.app.Emit(o.ctx, "attest_"+string(e.Action), map[string]any{
		"profile": e.Profile, "organization_id": e.OrganizationID, "member_id": e.MemberID, "session_id": e.SessionID,
		"kid": e.KeyID, "client_ip": e.Actor.Address, "door": e.Actor.Door, "confirmed": !e.Failed,
	})
}
