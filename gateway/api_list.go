package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
)

type sessionsAnswer struct {
	StatusCode     int           `json:"status_code"`
	RequestID      string        `json:"request_id"`
	MemberSessions []wireSession `json:"member_sessions"`
}

var errListArguments = errors.New("organization_id and member_id are required")

// list: GET /v1/b2b/sessions. The live sessions of a member, oldest first,
// implicit ones among them, without token or JWT.
func (a *API) list(ctx context.Context, r *http.Request) (any, error) {
	q := r.URL.Query()
	organization, member := q.Get("organization_id"), q.Get("member_id")
	if organization == "" || member == "" {
		return nil, refuse("invalid_argument", errListArguments)
	}
	m, err := a.gateway.findMember(ctx, organization, member)
	if err != nil {
		return nil, err
	}
	live, err := a.gateway.liveSessions(ctx, m.OrganizationID, m.ID)
	if err != nil {
		return nil, err
	}
	answer := sessionsAnswer{http.StatusOK, requestID(), []wireSession{}}
	for _, sub := range live {
		answer.MemberSessions = append(answer.MemberSessions, a.gateway.wireLive(sub))
	}
	return answer, nil
}

// liveSessions are the sessions of a member with which somebody could go on now.
func (g *Gateway) liveSessions(ctx context.Context, organization, member string) ([]subject, error) {
	found, err := g.Sessions.List(ctx, organization, member)
	if err != nil {
		return nil, err
	}
	var live []subject
	for _, s := range found {
		sub, err := g.complete(ctx, s, g.now())
		switch {
		case err != nil && isFault(err):
			return nil, err
		case err == nil && g.standing(sub):
			live = append(live, sub)
		}
	}
	return live, nil
}

// wireLive writes a session out. One whose claims cannot be said now is shown
// without them: it can still be revoked.
func (g *Gateway) wireLive(sub subject) wireSession {
	roles, effective, err := g.say(sub)
	if err != nil {
		effective = claims.Object{}
	}
	return wireSessionOf(sub, roles, effective)
}

// endAll ends the sessions of a member who is no longer to have any.
func (g *Gateway) endAll(ctx context.Context, organization, member string) error {
	list, err := g.Sessions.List(ctx, organization, member)
	faults := []error{err}
	for _, s := range list {
		if err := g.RevokeSession(ctx, s.ID); err != nil && !errors.Is(err, session.ErrNotFound) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
