package gateway

import "errors"

// authorizationCheck asks whether the session's member may do something.
type authorizationCheck struct {
	OrganizationID string `json:"organization_id"`
	ResourceID     string `json:"resource_id"`
	Action         string `json:"action"`
}

// verdict answers an authorization check that passed.
type verdict struct {
	Authorized bool `json:"authorized"`
	// GrantingRoles are all roles of the session that allow it.
	GrantingRoles []string `json:"granting_roles"`
}

var errIncompleteCheck = errors.New("authorization_check needs organization_id, resource_id and action")

// judge decides by the policy as it is now and the roles that hold now. A member
// has rights in its own organization only. Without a check there is no verdict.
func (g *Gateway) judge(sub subject, c *authorizationCheck) (*verdict, error) {
	switch {
	case c == nil:
		return nil, nil
	case c.OrganizationID == "" || c.ResourceID == "" || c.Action == "":
		return nil, refuse("invalid_argument", errIncompleteCheck)
	case c.OrganizationID != sub.org.ID && c.OrganizationID != sub.org.ExternalID && c.OrganizationID != sub.org.Slug:
		return nil, refuse("session_authorization_tenancy_error", nil)
	}
	granting := g.Policy.Granting(g.roles(sub), c.ResourceID, c.Action)
	if len(granting) == 0 {
		return nil, refuse("session_authorization_error", nil)
	}
	return &verdict{true, granting}, nil
}
