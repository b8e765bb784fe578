package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

type sessionsAnswer struct {
	StatusCode      int             `json:"status_code"`
	RequestID       string          `json:"request_id"`
	MemberSessions  []wireSession   `json:"member_sessions"`
	ResultsMetadata resultsMetadata `json:"results_metadata"`
}

var errListArguments = errors.New("organization_id and member_id are required")

// list: GET /v1/b2b/sessions. The live sessions of a member, oldest first,
// implicit ones among them, without token or JWT. Pages are ours; without a limit
// one has authn.MaxListedSessions.
func (a *API) list(ctx context.Context, r *http.Request) (any, error) {
	q := r.URL.Query()
	organization, member := q.Get("organization_id"), q.Get("member_id")
	if organization == "" || member == "" {
		return nil, authn.Refuse("invalid_argument", errListArguments)
	}
	page, err := a.listSessions(ctx, organization, member, q)
	if err != nil {
		return nil, err
	}
	answer := sessionsAnswer{http.StatusOK, requestID(), []wireSession{}, resultsMetadata{page.Total, page.Next}}
	for _, s := range page.Sessions {
		answer.MemberSessions = append(answer.MemberSessions, wireSessionOf(s))
	}
	return answer, nil
}

var errLimit = errors.New("limit is not a positive number")

// listSessions reads the page that limit and cursor of the query name.
func (a *API) listSessions(ctx context.Context, organization, member string, q url.Values) (authn.SessionPage, error) {
	list := authn.SessionList{Organization: organization, Member: member, Cursor: q.Get("cursor")}
	if text := q.Get("limit"); text != "" {
		var err error
		if list.Limit, err = strconv.Atoi(text); err != nil || list.Limit < 1 {
			return authn.SessionPage{}, authn.Refuse("invalid_argument", errLimit)
		}
	}
	return a.core.ListSessions(ctx, list)
}
