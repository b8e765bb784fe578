package api

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

type revokeBody struct {
	MemberSessionID string `json:"member_session_id"`
	MemberID        string `json:"member_id"`
	OrganizationID  string `json:"organization_id"`
	sessionArguments
}

type statusAnswer struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
}

// revoke: POST /v1/b2b/sessions/revoke. It answers 200 only when the store has
// confirmed; on this node it takes effect at once either way.
func (a *API) revoke(ctx context.Context, r *http.Request) (any, error) {
	var in revokeBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	return a.answerRevoke(ctx, in)
}

func (a *API) answerRevoke(ctx context.Context, in revokeBody) (any, error) {
	err := a.core.Revoke(ctx, authn.RevokeRequest{
		SessionID: in.MemberSessionID, Session: in.name(), MemberID: in.MemberID, OrganizationID: in.OrganizationID,
	})
	if err != nil {
		return nil, err
	}
	return statusAnswer{http.StatusOK, requestID()}, nil
}
