package api

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

type exchangeBody struct {
	OrganizationID string `json:"organization_id"`
	Locale         string `json:"locale"`       // accepted and not used
	TelemetryID    string `json:"telemetry_id"` // accepted and not used
	sessionArguments
	sessionChanges
}

// exchangeAnswer is sessionAnswer and what Stytch says beside it. Nothing is ever
// left for the member to do: where a session is not enough the call is refused.
type exchangeAnswer struct {
	sessionAnswer
	MemberAuthenticated      bool   `json:"member_authenticated"`
	IntermediateSessionToken string `json:"intermediate_session_token"`
	MFARequired              any    `json:"mfa_required"`
	PrimaryRequired          any    `json:"primary_required"`
}

// exchange: POST /v1/b2b/sessions/exchange. It starts a session for the same
// person as a member of another organization. The one shown goes on.
func (a *API) exchange(ctx context.Context, r *http.Request) (any, error) {
	var in exchangeBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	change, err := in.change(a.core.ClaimPolicy())
	if err != nil {
		return nil, err
	}
	issued, err := a.core.Exchange(ctx, authn.ExchangeRequest{Organization: in.OrganizationID, Session: in.name(), Change: change})
	if err != nil {
		return nil, err
	}
	return exchangeAnswer{sessionAnswer: a.answerSession(issued), MemberAuthenticated: true}, nil
}
