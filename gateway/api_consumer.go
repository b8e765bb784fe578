package gateway

import (
	"context"
	"errors"
	"net/http"
)

// The consumer endpoints are those of Stytch's other product, whose users belong
// to no organization. Here they are the members of one. It is the operator's word
// which: what a caller sends cannot leave it.

// consumers tells whether the consumer endpoints are served.
func (a *API) consumers() bool { return a.gateway.Compat && a.gateway.ConsumerOrganization != "" }

func (a *API) consumerEndpoints(all map[string]byMethod) {
	const base = "/v1/sessions"
	all[base] = byMethod{http.MethodGet: reading(sessions, a.listUser)}
	all[base+"/attest"] = byMethod{http.MethodPost: changing(sessions, a.attestUser)}
	all[base+"/authenticate"] = byMethod{http.MethodPost: changing(sessions, a.authenticateUser)}
	all[base+"/revoke"] = byMethod{http.MethodPost: changing(sessions, a.revokeUser)}
}

type userAnswer struct {
	StatusCode   int              `json:"status_code"`
	RequestID    string           `json:"request_id"`
	UserID       string           `json:"user_id"`
	SessionToken string           `json:"session_token"`
	SessionJWT   string           `json:"session_jwt"`
	User         wireUser         `json:"user"`
	Session      *wireUserSession `json:"session"`
	Verdict      *verdict         `json:"verdict,omitempty"`
}

func (a *API) answerUser(s said) userAnswer {
	w := wireUserSessionOf(s.subject, s.roles, s.claims)
	return userAnswer{
		StatusCode: http.StatusOK, RequestID: requestID(), UserID: s.member.ID,
		SessionToken: s.token, SessionJWT: s.jwt, User: a.wireUser(s.member), Session: &w,
	}
}

// attestUser: POST /v1/sessions/attest. Without a duration no session is made
// (Stytch's consumer API is so): the answer says who it is.
func (a *API) attestUser(ctx context.Context, r *http.Request) (any, error) {
	var in attestBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	in.OrganizationID, in.within = a.gateway.ConsumerOrganization, a.gateway.ConsumerOrganization
	if in.none() && in.DurationMinutes == nil {
		return a.identify(ctx, r, in)
	}
	s, err := a.attested(ctx, r, in)
	if err != nil {
		return nil, err
	}
	return a.answerUser(s), nil
}

func (a *API) identify(ctx context.Context, r *http.Request, in attestBody) (any, error) {
	id, err := a.verify(r, in)
	if err != nil {
		return nil, err
	}
	_, m, err := a.gateway.resolve(ctx, id, in.OrganizationID, nil)
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

// authenticateUser: POST /v1/sessions/authenticate.
func (a *API) authenticateUser(ctx context.Context, r *http.Request) (any, error) {
	var in authenticateUserBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	b2b := authenticateBody{sessionArguments: in.sessionArguments, sessionChanges: in.sessionChanges}
	b2b.within = a.gateway.ConsumerOrganization
	if c := in.AuthorizationCheck; c != nil {
		b2b.AuthorizationCheck = &authorizationCheck{b2b.within, c.ResourceID, c.Action}
	}
	s, v, err := a.proceed(ctx, b2b)
	if err != nil {
		return nil, err
	}
	answer := a.answerUser(s)
	answer.Verdict = v
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
	b2b.within = a.gateway.ConsumerOrganization
	return a.revoked(ctx, b2b)
}

type userSessionsAnswer struct {
	StatusCode int               `json:"status_code"`
	RequestID  string            `json:"request_id"`
	Sessions   []wireUserSession `json:"sessions"`
}

var errNoUser = errors.New("user_id is required")

// listUser: GET /v1/sessions. The live sessions of a user, oldest first.
func (a *API) listUser(ctx context.Context, r *http.Request) (any, error) {
	id := r.URL.Query().Get("user_id")
	if id == "" {
		return nil, refuse("invalid_argument", errNoUser)
	}
	g := a.gateway
	m, err := g.findMember(ctx, g.ConsumerOrganization, id)
	if err != nil {
		return nil, err
	}
	live, err := g.liveSessions(ctx, m.OrganizationID, m.ID)
	if err != nil {
		return nil, err
	}
	answer := userSessionsAnswer{http.StatusOK, requestID(), []wireUserSession{}}
	for _, sub := range live {
		w := g.wireLive(sub)
		answer.Sessions = append(answer.Sessions, userSession(w))
	}
	return answer, nil
}
