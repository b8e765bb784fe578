package authn

import (
	"context"
	"encoding/json"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

// ConnectedAt is the last moment at which every change made by other gateways was heard
// of; zero where the store cannot tell.
func (a *Authenticator) ConnectedAt() time.Time { return a.watch.last() }

// RotateKeys rotates the signing keys; see [mint.Ring.Rotate].
func (a *Authenticator) RotateKeys(ctx context.Context, o mint.RotateOptions) error {
	err := a.Ring.Rotate(ctx, o)
	if err == nil {
		a.Tell(ctx, Event{Action: KeysRotated, KeyID: a.Ring.ActiveID()})
	}
	return err
}

// A TemplateSubject is whose claims a template is rendered for.
type TemplateSubject struct {
	// Member, within Organization where it is an external id. Default: Variables.
	Organization, Member string
	Variables            claims.Variables
}

// RenderedTemplate are the claims that a template gives, and their length as compact
// JSON.
type RenderedTemplate struct {
	Claims claims.Object
	Bytes  int
}

// RenderTemplate renders a template without a session; nothing is stored. The error is
// a *claims.Error where the claims cannot be put into a JWT.
func (a *Authenticator) RenderTemplate(ctx context.Context, t *claims.Template, s TemplateSubject) (RenderedTemplate, error) {
	variables := s.Variables
	if s.Member != "" {
		m, err := a.FindMember(ctx, s.Organization, s.Member)
		if err != nil {
			return RenderedTemplate{}, err
		}
		o, err := a.organization(ctx, m.OrganizationID)
		if err != nil {
			return RenderedTemplate{}, err
		}
		variables = a.variables(LiveSession{Member: m, Organization: o}, m.Roles, session.Factor{})
	}
	data, err := json.Marshal(t.Render(variables))
	if err != nil {
		return RenderedTemplate{}, err
	}
	effective, err := a.ClaimPolicy().Effective(t, variables, claims.Overlay{})
	return RenderedTemplate{effective, len(data)}, err
}

// CachedSessions is how many sessions the local cache holds.
func (a *Authenticator) CachedSessions() int { return a.cache.sessions.len() }
