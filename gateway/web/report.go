package web

import (
	"context"
	"errors"
	"net"
	"net/http"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// The doors, as logs, metrics and audit records name them.
const (
	DoorProxy = "proxy"
	DoorAPI   = "api"
)

// A Reporter tells of refused requests: in the log, to the core's observers, and to
// whoever asks later why.
type Reporter struct {
	// Core is nil before a gateway is open: then there is only the log.
	Core *authn.Authenticator
	Log  *zap.Logger
	// Door is DoorProxy or DoorAPI.
	Door string
	// ClientIP answers the address of the client, which is not the peer's where a
	// trusted proxy stands in front. Default: the peer's.
	ClientIP func(*http.Request) string
}

// Client is the address of the client of r.
func (p Reporter) Client(r *http.Request) string {
	if p.ClientIP != nil {
		if ip := p.ClientIP(r); ip != "" {
			return ip
		}
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// messages are those of the log, by door.
var messages = map[string]string{DoorProxy: "request refused", DoorAPI: "api call refused"}

// Refused tells of one refused request. id is the one in its answer.
func (p Reporter) Refused(r *http.Request, refused *authn.Refusal, status int, id string) {
	p.tell(r, p.Client(r), refused, status, id, false)
}

// Observed tells of a request that would have been refused, on a route that only
// observes. client is its Client, taken before r went on: what that is read from may be
// written meanwhile.
func (p Reporter) Observed(r *http.Request, client string, refused *authn.Refusal, status int, id string) {
	p.tell(r, client, refused, status, id, true)
}

func (p Reporter) tell(r *http.Request, client string, refused *authn.Refusal, status int, id string, observed bool) {
	record := refused.Refused()
	record.ID, record.Door, record.Status = id, p.Door, status
	record.Host, record.Method, record.Path, record.Client = r.Host, r.Method, r.URL.EscapedPath(), client
	record = record.Shortened()
	write, suppressed := true, 0
	if p.Core != nil {
		p.Core.Decide(authn.Decided{Door: p.Door, Profile: record.Profile, Code: refused.Code, Reason: refused.Reason, Observed: observed})
		write, suppressed = p.Core.Refusals.Line(record)
		p.remember(record, refused, write)
	}
	message := messages[p.Door]
	if observed {
		message = "request would be refused; the route only observes"
	}
	if write {
		p.Log.Log(level(r, refused, status), message, fields(record, refused, suppressed)...)
	}
}

// remember keeps the refusal. The token is described where a line was written or few
// were refused alike, so that a flood costs no second parse of each.
func (p Reporter) remember(record authn.RefusedRequest, refused *authn.Refusal, written bool) {
	record.At = p.Core.Now()
	if written || p.Core.Refusals.Fresh(record) {
		record.Token = refused.TokenFacts()
	}
	p.Core.Refusals.Add(record)
}

// level is error for what the operator should look at: a fault or an outage.
func level(r *http.Request, refused *authn.Refusal, status int) zapcore.Level {
	switch {
	case errors.Is(refused.Err, context.Canceled) && r.Context().Err() != nil:
		return zap.DebugLevel // the client went away
	case status >= http.StatusInternalServerError:
		return zap.ErrorLevel
	}
	return zap.InfoLevel
}

// fields are those of the one line about a refusal. The path is without the query,
// which may hold a token.
func fields(r authn.RefusedRequest, refused *authn.Refusal, suppressed int) []zap.Field {
	list := []zap.Field{
		zap.String("id", r.ID), zap.String("code", r.Code), zap.String("reason", r.Reason), zap.Int("status", r.Status),
		zap.String("method", r.Method), zap.String("host", r.Host), zap.String("uri", r.Path), zap.String("client_ip", r.Client),
	}
	for _, f := range [][2]string{{"profile", r.Profile}, {"check", r.Check}, {"configured", r.Configured}, {"found", r.Found}} {
		if f[1] != "" {
			list = append(list, zap.String(f[0], f[1]))
		}
	}
	if suppressed > 0 {
		list = append(list, zap.Int("repeated", suppressed))
	}
	return append(list, zap.Error(refused.Err))
}
