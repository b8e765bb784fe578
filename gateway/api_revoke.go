package gateway

import (
	"context"
	"net/http"

	"github.com/attestgate/caddy-attest/directory"
)

type revokeBody struct {
	MemberSessionID string `json:"member_session_id"`
	MemberID        string `json:"member_id"`
	OrganizationID  string `json:"organization_id"`
	sessionArguments
}

func (b revokeBody) given() int {
	n := 0
	for _, v := range []string{b.MemberSessionID, b.MemberID, b.SessionToken, b.SessionJWT} {
		if v != "" {
			n++
		}
	}
	return n
}

type statusAnswer struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
}

func okAnswer() statusAnswer { return statusAnswer{http.StatusOK, requestID()} }

// revoke: POST /v1/b2b/sessions/revoke. It answers 200 only when the store has
// confirmed; this node obeys at once either way.
func (a *API) revoke(ctx context.Context, r *http.Request) (any, error) {
	var in revokeBody
	if err := a.read(r, &in); err != nil {
		return nil, err
	}
	return a.revoked(ctx, in)
}

// revoked is revoke in either dialect.
func (a *API) revoked(ctx context.Context, in revokeBody) (any, error) {
	switch n := in.given(); {
	case n == 0:
		return nil, refuse("no_session_revoke_arguments", nil)
	case n > 1:
		return nil, refuse("too_many_session_revoke_arguments", nil)
	case in.MemberID != "":
		return okAnswer(), a.gateway.RevokeMember(ctx, in.OrganizationID, in.MemberID)
	}
	id, err := a.sessionToRevoke(ctx, in)
	if err != nil {
		return nil, err
	}
	return okAnswer(), a.gateway.RevokeSession(ctx, id)
}

func (a *API) sessionToRevoke(ctx context.Context, in revokeBody) (string, error) {
	if in.MemberSessionID == "" {
		sub, err := a.find(ctx, in.sessionArguments)
		return sub.session.ID, err
	}
	if in.within != "" {
		s, err := a.gateway.session(ctx, in.MemberSessionID)
		if err == nil && s.OrganizationID != in.within {
			err = refuse("session_not_found", errElsewhere)
		}
		return s.ID, err
	}
	return in.MemberSessionID, nil
}

// RevokeSession ends one session now. A dead one is session_not_found.
func (g *Gateway) RevokeSession(ctx context.Context, id string) error {
	defer g.cache.sessions.drop(id)
	_, err := g.Sessions.Revoke(ctx, id)
	return err
}

// RevokeMember ends every session of a member, and refuses each trusted token of
// theirs that was issued until now.
func (g *Gateway) RevokeMember(ctx context.Context, organization, member string) error {
	m, err := g.findMember(ctx, organization, member)
	if err != nil {
		return err
	}
	if err := g.Directory.CutMember(ctx, m.OrganizationID, m.ID, g.now()); err != nil {
		return err
	}
	g.cache.members.drop(m.OrganizationID + "/" + m.ID)
	return g.endAll(ctx, m.OrganizationID, m.ID)
}

// findMember finds a member by id, or by id or external id within an organization.
func (g *Gateway) findMember(ctx context.Context, organization, member string) (directory.Member, error) {
	if organization == "" {
		return g.Directory.LocateMember(ctx, member)
	}
	o, err := g.Directory.FindOrganization(ctx, organization)
	if err != nil {
		return directory.Member{}, err
	}
	return g.Directory.FindMember(ctx, o.ID, member)
}
