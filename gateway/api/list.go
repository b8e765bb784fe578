package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
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
		return nil, authn.Refuse("invalid_argument", errListArguments)
	}
	live, err := a.core.SessionsOf(ctx, organization, member)
	if err != nil {
		return nil, err
	}
	answer := sessionsAnswer{http.StatusOK, requestID(), []wireSession{}}
	for _, s := range live {
		answer.MemberSessions = append(answer.MemberSessions, wireSessionOf(s))
	}
	return answer, nil
}
