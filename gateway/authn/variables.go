package authn

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

// ClaimPolicy says which claims callers and templates may not use.
func (a *Authenticator) ClaimPolicy() claims.Policy { return claims.Policy{Compat: a.Compat} }

// effective are the claims of a session under a template, or an unusableClaims. first is
// the factor that admits.
func (a *Authenticator) effective(t *claims.Template, live LiveSession, roles []string, first session.Factor) (claims.Object, error) {
	var v claims.Variables // which nobody asks for without a template
	if t != nil {
		v = a.variables(live, roles, first)
	}
	effective, err := a.ClaimPolicy().Effective(t, v, live.Session.Overlay)
	return effective, unusable(live, err)
}

// unusable is the error with the names of those whose claims it is about.
func unusable(live LiveSession, err error) error {
	if err == nil {
		return nil
	}
	return &unusableClaims{live.Organization.ID, live.Member.ID, err}
}

// unusableClaims tells whose claims cannot be put into a JWT; which claim of which
// template it is tells the error that it wraps.
type unusableClaims struct {
	organization, member string
	err                  error
}

func (u *unusableClaims) Error() string {
	return fmt.Sprintf("authn: organization %s, member %s: %v", u.organization, u.member, u.err)
}

func (u *unusableClaims) Unwrap() error { return u.err }

// overlay is what a session keeps after a patch of its claims.
func (a *Authenticator) overlay(live LiveSession, patch claims.Overlay) (claims.Overlay, error) {
	templates := slices.Collect(maps.Values(a.Templates))
	return live.Session.Overlay.Change(patch, templates, a.variables(live, a.roles(live), a.anyFirstFactor(live)))
}

// variables are what a claim template may say of a session.
func (a *Authenticator) variables(live LiveSession, roles []string, first session.Factor) claims.Variables {
	return claims.Variables{
		"member":       a.memberVariables(a.memberOf(live), roles),
		"organization": organizationVariables(live.Organization),
		"session":      sessionVariables(live, first),
		"token":        first.Claims,
	}
}

// memberOf is the member of a session. Where callers of the API gave it no external id, it
// has the one by which the issuer of its oldest counting proof knows it.
func (a *Authenticator) memberOf(live LiveSession) directory.Member {
	m := live.Member
	if m.ExternalID() != "" {
		return m
	}
	for _, f := range live.Factors {
		p, _ := a.Profiles.Profile(f.Profile)
		if a.secondOnly(f.Profile) {
			continue
		}
		if id := cmp.Or(m.ExternalIDs[p.Namespace(f.Issuer)], m.ExternalIDs[p.FormerNamespace()]); id != "" {
			m.ExternalIDs = maps.Clone(m.ExternalIDs)
			m.ExternalIDs[directory.NamespaceAPI] = id
		}
		break
	}
	return m
}

func sessionVariables(live LiveSession, first session.Factor) claims.Object {
	s := live.Session
	v := claims.Object{"factor_types": anyList(factorTypes(live.Factors))}
	setNonEmpty(v, "member_session_id", s.ID)
	setNonEmpty(v, "profile", first.Profile)
	setNonEmpty(v, "issuer", first.Issuer)
	for name, at := range map[string]time.Time{"started_at": s.StartedAt, "expires_at": s.ExpiresAt} {
		if !at.IsZero() {
			v[name] = at.UTC().Format(time.RFC3339)
		}
	}
	return v
}

// factorTypes are the types, each once, in the order in which they came.
func factorTypes(factors []session.Factor) (types []string) {
	for _, f := range factors {
		if !slices.Contains(types, f.Type) {
			types = append(types, f.Type)
		}
	}
	return types
}

func (a *Authenticator) memberVariables(m directory.Member, roles []string) claims.Object {
	v := claims.Object{
		"member_id":        m.ID,
		"trusted_metadata": m.TrustedMetadata,
		"rbac":             a.rbacVariables(roles),
	}
	setNonEmpty(v, "name", m.Name)
	setNonEmpty(v, "email_address", m.Email)
	setNonEmpty(v, "external_id", m.ExternalID())
	return v
}

func organizationVariables(o directory.Organization) claims.Object {
	v := claims.Object{
		"organization_id":   o.ID,
		"organization_name": o.Name,
		"organization_slug": o.Slug,
		"trusted_metadata":  o.TrustedMetadata,
	}
	setNonEmpty(v, "organization_external_id", o.ExternalID)
	return v
}

// setNonEmpty leaves out what is empty: a variable without a value drops its claim.
func setNonEmpty(v claims.Object, name, value string) {
	if value != "" {
		v[name] = value
	}
}

// rbacVariables are the roles and, per resource, what they allow.
func (a *Authenticator) rbacVariables(roles []string) claims.Object {
	v := claims.Object{"roles": anyList(roles)}
	for _, resource := range a.Policy.Resources() {
		v[resource.ID] = claims.Object{"actions": anyList(a.Policy.Actions(roles, resource.ID))}
	}
	return v
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}
