package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// The consumer endpoints are those of Stytch's other product, whose users belong
// to no organization. Here they are the members of one. It is the operator's word
// which: what a caller sends cannot leave it.

func (a *API) consumerEndpoints(all map[string]byMethod) {
	const base = "/v1/sessions"
	all[base+"/"] = notFound
	all[base] = byMethod{http.MethodGet: reading(authn.ScopeSessions, a.listUser)}
	all[base+"/attest"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.attestUser)}
	all[base+"/authenticate"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.authenticateUser)}
	all[base+"/revoke"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.revokeUser)}
}

type userAnswer struct {
	StatusCode   int              `json:"status_code"`
	RequestID    string           `json:"request_id"`
	UserID       string           `json:"user_id"`
	SessionToken string           `json:"session_token"`
	SessionJWT   string           `json:"session_jwt"`
	User         wireUser         `json:"user"`
	Session      *wireUserSession `json:"session"`
	Verdict      *wireVerdict     `json:"verdict,omitempty"`
}

func (a *API) answerUser(s authn.IssuedSession) userAnswer {
	w := wireUserSessionOf(s.RenderedSession)
	return userAnswer{
		StatusCode: http.StatusOK, RequestID: requestID(), UserID: s.Member.ID,
		SessionToken: s.Token, SessionJWT: s.JWT, User: a.wireUser(s.Member), Session: &w,
	}
}

// attestUser: POST /v1/sessions/attest. Without a duration no session is made
// (Stytch's consumer API is so): the answer says who it is.
func (a *API) attestUser(ctx context.Context, r *http.Request) (any, error) {
	var in attestBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	in.OrganizationID, in.within = a.consumerOrganization, a.consumerOrganization
	request, err := in.request(r, a.core.ClaimPolicy())
	if err != nil {
		return nil, err
	}
	if request.Session.Empty() && in.DurationMinutes == nil {
		return a.identify(ctx, request)
	}
	issued, err := a.core.Attest(ctx, request)
	if err != nil {
		return nil, err
	}
	return a.answerUser(issued), nil
}

func (a *API) identify(ctx context.Context, request authn.AttestRequest) (any, error) {
	m, err := a.core.Identify(ctx, request)
	if err != nil {
		return nil, err
	}
	return userAnswer{StatusCode: http.StatusOK, RequestID: requestID(), UserID: m.ID, User: a.wireUser(m)}, nil
}

type authenticateUserBody struct {
	sessionArguments
	sessionChanges
	AuthorizationCheck *struct {
		ResourceID string `json:"resource_id"`
		Action     string `json:"action"`
	} `json:"authorization_check"`
}

func (b authenticateUserBody) request(policy claims.Policy) (authn.AuthenticateRequest, error) {
	change, err := b.change(policy)
	request := authn.AuthenticateRequest{Session: b.name(), Change: change}
	if c := b.AuthorizationCheck; c != nil {
		request.Check = &authn.AuthorizationCheck{Organization: b.within, Resource: c.ResourceID, Action: c.Action}
	}
	return request, err
}

// authenticateUser: POST /v1/sessions/authenticate.
func (a *API) authenticateUser(ctx context.Context, r *http.Request) (any, error) {
	var in authenticateUserBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	in.within = a.consumerOrganization
	request, err := in.request(a.core.ClaimPolicy())
	if err != nil {
		return nil, err
	}
	issued, verdict, err := a.core.Authenticate(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := a.answerUser(issued)
	answer.Verdict = wireVerdictOf(verdict)
	return answer, nil
}

// revokeUser: POST /v1/sessions/revoke.
func (a *API) revokeUser(ctx context.Context, r *http.Request) (any, error) {
	var in struct {
		SessionID string `json:"session_id"`
		sessionArguments
	}
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	b2b := revokeBody{MemberSessionID: in.SessionID, sessionArguments: in.sessionArguments}
	b2b.within = a.consumerOrganization
	return a.answerRevoke(ctx, b2b)
}

type userSessionsAnswer struct {
	StatusCode      int               `json:"status_code"`
	RequestID       string            `json:"request_id"`
	Sessions        []wireUserSession `json:"sessions"`
	ResultsMetadata resultsMetadata   `json:"results_metadata"`
}

var errNoUser = errors.New("user_id is required")

// listUser: GET /v1/sessions. The live sessions of a user, as list answers them.
func (a *API) listUser(ctx context.Context, r *http.Request) (any, error) {
	q := r.URL.Query()
	id := q.Get("user_id")
	if id == "" {
		return nil, authn.Refuse("invalid_argument", errNoUser)
	}
	page, err := a.listSessions(ctx, a.consumerOrganization, id, q)
	if err != nil {
		return nil, err
	}
	answer := userSessionsAnswer{http.StatusOK, requestID(), []wireUserSession{}, resultsMetadata{page.Total, page.Next}}
	for _, s := range page.Sessions {
		answer.Sessions = append(answer.Sessions, wireUserSessionOf(s))
	}
	return answer, nil
}
