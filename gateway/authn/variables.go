package authn

import (
	"fmt"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// ClaimPolicy says which claims callers and templates may not use.
func (a *Authenticator) ClaimPolicy() claims.Policy { return claims.Policy{Compat: a.Compat} }

// effective are the claims of a session under a template, or an unusableClaims.
func (a *Authenticator) effective(t *claims.Template, live LiveSession, roles []string) (claims.Object, error) {
	effective, err := a.ClaimPolicy().Effective(t, a.variables(live, roles), live.Session.Overlay)
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
	return live.Session.Overlay.Change(patch, templates, a.variables(live, a.roles(live)))
}

// variables are what a claim template may say of a session.
func (a *Authenticator) variables(live LiveSession, roles []string) claims.Variables {
	return claims.Variables{
		"member":       a.memberVariables(live.Member, roles),
		"organization": organizationVariables(live.Organization),
	}
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
