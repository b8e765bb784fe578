package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

func (a *API) sessionEndpoints(all map[string]byMethod) {
	const base = "/v1/b2b/sessions"
	all[base+"/"] = notFound
	all[base] = byMethod{http.MethodGet: reading(authn.ScopeSessions, a.list)}
	all[base+"/attest"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.attest)}
	all[base+"/authenticate"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.authenticate)}
	all[base+"/exchange"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.exchange)}
	all[base+"/revoke"] = byMethod{http.MethodPost: changing(authn.ScopeSessions, a.revoke)}
}

// sessionArguments name a session in the body of a call. Exactly one of them, or
// for attest at most one.
type sessionArguments struct {
	SessionToken string `json:"session_token"`
	SessionJWT   string `json:"session_jwt"`

	// within is the id of the organization whose sessions may be named; empty: any.
	within string
}

func (s sessionArguments) name() authn.SessionName {
	return authn.SessionName{Token: s.SessionToken, JWT: s.SessionJWT, Organization: s.within}
}

// sessionChanges are what attest, authenticate and exchange may change of a session.
type sessionChanges struct {
	DurationMinutes *int64         `json:"session_duration_minutes"`
	CustomClaims    *claims.Object `json:"session_custom_claims"`
}

// The range of session_duration_minutes: 5 minutes to 366 days.
const (
	minMinutes = 5
	maxMinutes = 527040
)

var errDuration = errors.New("session_duration_minutes is outside 5 to 527040")

func (c sessionChanges) change(policy claims.Policy) (authn.SessionChange, error) {
	var change authn.SessionChange
	if c.DurationMinutes != nil {
		if m := *c.DurationMinutes; m < minMinutes || m > maxMinutes {
			return change, authn.Refuse("invalid_session_duration_minutes", errDuration)
		}
		change.Duration = time.Duration(*c.DurationMinutes) * time.Minute
	}
	if c.CustomClaims == nil {
		return change, nil
	}
	var err error
	change.Claims, err = policy.Patch(*c.CustomClaims)
	return change, err
}

// sessionAnswer is the body that attest and authenticate share.
type sessionAnswer struct {
	StatusCode    int              `json:"status_code"`
	RequestID     string           `json:"request_id"`
	MemberID      string           `json:"member_id"`
	SessionToken  string           `json:"session_token"`
	SessionJWT    string           `json:"session_jwt"`
	MemberSession wireSession      `json:"member_session"`
	Member        wireMember       `json:"member"`
	Organization  wireOrganization `json:"organization"`
	Verdict       *wireVerdict     `json:"verdict,omitempty"`
}

func (a *API) answerSession(s authn.IssuedSession) sessionAnswer {
	return sessionAnswer{
		StatusCode: http.StatusOK, RequestID: requestID(), MemberID: s.Member.ID,
		SessionToken: s.Token, SessionJWT: s.JWT,
		MemberSession: wireSessionOf(s.RenderedSession),
		Member:        a.wireMember(s.Member), Organization: wireOrganizationOf(s.Organization),
	}
}

type authenticateBody struct {
	sessionArguments
	sessionChanges
	AuthorizationCheck *struct {
		OrganizationID string `json:"organization_id"`
		ResourceID     string `json:"resource_id"`
		Action         string `json:"action"`
	} `json:"authorization_check"`
}

func (b authenticateBody) request(policy claims.Policy) (authn.AuthenticateRequest, error) {
	change, err := b.change(policy)
	request := authn.AuthenticateRequest{Session: b.name(), Change: change}
	if c := b.AuthorizationCheck; c != nil {
		request.Check = &authn.AuthorizationCheck{Organization: c.OrganizationID, Resource: c.ResourceID, Action: c.Action}
	}
	return request, err
}

// wireVerdict answers an authorization check that passed.
type wireVerdict struct {
	Authorized    bool     `json:"authorized"`
	GrantingRoles []string `json:"granting_roles"`
}

func wireVerdictOf(v *authn.Verdict) *wireVerdict {
	if v == nil {
		return nil
	}
	return &wireVerdict{true, v.GrantingRoles}
}

// authenticate: POST /v1/b2b/sessions/authenticate.
func (a *API) authenticate(ctx context.Context, r *http.Request) (any, error) {
	var in authenticateBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	request, err := in.request(a.core.ClaimPolicy())
	if err != nil {
		return nil, err
	}
	issued, verdict, err := a.core.Authenticate(ctx, request)
	if err != nil {
		return nil, err
	}
	answer := a.answerSession(issued)
	answer.Verdict = wireVerdictOf(verdict)
	return answer, nil
}
