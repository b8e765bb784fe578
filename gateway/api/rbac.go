package api

import (
	"context"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/rbac"
	"net/http"
	"slices"
)

func (a *API) rbacEndpoints(all map[string]byMethod) {
	all["/v1/b2b/rbac/"] = notFound
	all["/v1/b2b/rbac/policy"] = byMethod{http.MethodGet: reading(authn.ScopeSessions, a.policy)}
	all["/v1/b2b/rbac/organizations/{organization_id}"] = byMethod{http.MethodGet: reading(authn.ScopeSessions, a.organizationPolicy)}
	all["/v1/debug/whoami"] = byMethod{http.MethodGet: reading(authn.ScopeSessions, a.whoami)}
}

type policyAnswer struct {
	StatusCode int        `json:"status_code"`
	RequestID  string     `json:"request_id"`
	Policy     wirePolicy `json:"policy"`
}

type wirePolicy struct {
	Roles     []wirePolicyRole `json:"roles"`
	Resources []wireResource   `json:"resources"`
	Scopes    []any            `json:"scopes"` // none: scopes belong to Stytch's Connected Apps
}

type wirePolicyRole struct {
	RoleID      string           `json:"role_id"`
	Description string           `json:"description"`
	Permissions []wirePermission `json:"permissions"`
}

type wirePermission struct {
	ResourceID string   `json:"resource_id"`
	Actions    []string `json:"actions"`
}

type wireResource struct {
	ResourceID  string   `json:"resource_id"`
	Description string   `json:"description"`
	Actions     []string `json:"actions"`
}

// policy: GET /v1/b2b/rbac/policy. What roles allow, as configured; SDKs decide by
// it locally.
func (a *API) policy(context.Context, *http.Request) (any, error) {
	p := wirePolicy{Roles: []wirePolicyRole{}, Resources: []wireResource{}, Scopes: []any{}}
	for _, r := range a.core.Policy.Resources() {
		p.Resources = append(p.Resources, wireResource{ResourceID: r.ID, Actions: orEmpty(r.Actions)})
	}
	roles := a.core.Policy.Roles()
	for _, r := range roles {
		p.Roles = append(p.Roles, wirePolicyRole{RoleID: r.ID, Permissions: wirePermissions(r)})
	}
	if a.core.Compat && !slices.ContainsFunc(roles, func(r rbac.Role) bool { return r.ID == authn.DefaultRole }) {
		p.Roles = append(p.Roles, wirePolicyRole{RoleID: authn.DefaultRole, Permissions: []wirePermission{}})
	}
	return policyAnswer{http.StatusOK, requestID(), p}, nil
}

func wirePermissions(r rbac.Role) []wirePermission {
	list := []wirePermission{}
	for _, p := range r.Permissions {
		list = append(list, wirePermission{p.Resource, orEmpty(p.Actions)})
	}
	return list
}

type organizationPolicyAnswer struct {
	StatusCode int                    `json:"status_code"`
	RequestID  string                 `json:"request_id"`
	OrgPolicy  wireOrganizationPolicy `json:"org_policy"`
}

type wireOrganizationPolicy struct {
	Roles []any `json:"roles"`
}

// organizationPolicy: GET /v1/b2b/rbac/organizations/{organization_id}. No
// organization has roles of its own, which SDKs ask about all the same.
func (a *API) organizationPolicy(ctx context.Context, r *http.Request) (any, error) {
	if _, err := a.core.Directory.FindOrganization(ctx, r.PathValue("organization_id")); err != nil {
		return nil, err
	}
	return organizationPolicyAnswer{http.StatusOK, requestID(), wireOrganizationPolicy{[]any{}}}, nil
}

type whoamiAnswer struct {
	StatusCode int    `json:"status_code"`
	RequestID  string `json:"request_id"`
	ProjectID  string `json:"project_id"`
}

// whoami: GET /v1/debug/whoami. A caller tries its credentials with it.
func (a *API) whoami(context.Context, *http.Request) (any, error) {
	return whoamiAnswer{http.StatusOK, requestID(), a.core.Project.ID}, nil
}
