package gateway

import (
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// variables are what a claim template may say of a subject.
func (g *Gateway) variables(sub subject, roles []string) claims.Variables {
	return claims.Variables{
		"member":       g.memberVariables(sub.member, roles),
		"organization": organizationVariables(sub.org),
	}
}

func (g *Gateway) memberVariables(m directory.Member, roles []string) claims.Object {
	v := claims.Object{
		"member_id":        m.ID,
		"trusted_metadata": m.TrustedMetadata,
		"rbac":             g.rbacVariables(roles),
	}
	set(v, "name", m.Name)
	set(v, "email_address", m.Email)
	set(v, "external_id", m.ExternalID())
	return v
}

func organizationVariables(o directory.Organization) claims.Object {
	v := claims.Object{
		"organization_id":   o.ID,
		"organization_name": o.Name,
		"organization_slug": o.Slug,
		"trusted_metadata":  o.TrustedMetadata,
	}
	set(v, "organization_external_id", o.ExternalID)
	return v
}

// set leaves out what is empty: a variable without a value drops its claim.
func set(v claims.Object, name, value string) {
	if value != "" {
		v[name] = value
	}
}

// rbacVariables are the roles and, per resource, what they allow.
func (g *Gateway) rbacVariables(roles []string) claims.Object {
	v := claims.Object{"roles": anyList(roles)}
	for _, resource := range g.Policy.Resources() {
		v[resource.ID] = claims.Object{"actions": anyList(g.Policy.Actions(roles, resource.ID))}
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
