package authn

import (
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

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
