package authn

import (
	"context"

	"github.com/attestgate/caddy-attest/claims"
)

// SessionsOf are the sessions of a member that are accepted somewhere now, oldest
// first, implicit ones among them. One whose claims cannot be rendered is answered
// without them: it can still be revoked.
func (a *Authenticator) SessionsOf(ctx context.Context, organization, member string) ([]RenderedSession, error) {
	m, err := a.FindMember(ctx, organization, member)
	if err != nil {
		return nil, err
	}
	found, err := a.Sessions.List(ctx, m.OrganizationID, m.ID)
	if err != nil {
		return nil, err
	}
	var list []RenderedSession
	for _, s := range found {
		live, err := a.complete(ctx, s, a.Now())
		switch {
		case err != nil && IsFault(err):
			return nil, err
		case err == nil && a.hasFirstFactor(live):
			list = append(list, a.renderOrEmpty(live))
		}
	}
	return list, nil
}

func (a *Authenticator) renderOrEmpty(live LiveSession) RenderedSession {
	r, err := a.render(live)
	if err != nil {
		r.Claims = claims.Object{}
	}
	return r
}
