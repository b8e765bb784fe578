package authn

import "errors"

// An AuthorizationCheck asks whether the session's member may do something.
type AuthorizationCheck struct {
	// Organization is an id, external id or slug.
	Organization string
	Resource     string
	Action       string
}

// A Verdict answers an authorization check that passed.
type Verdict struct {
	// GrantingRoles are all roles of the session that allow it.
	GrantingRoles []string
}

var errIncompleteCheck = errors.New("authorization_check needs organization_id, resource_id and action")

// authorize decides by the policy as it is now and the roles that hold now. A
// member has rights in its own organization only. Without a check there is no
// verdict.
func (a *Authenticator) authorize(live LiveSession, c *AuthorizationCheck) (*Verdict, error) {
	org := live.Organization
	switch {
	case c == nil:
		return nil, nil
	case c.Organization == "" || c.Resource == "" || c.Action == "":
		return nil, Refuse("invalid_argument", errIncompleteCheck)
	case c.Organization != org.ID && c.Organization != org.ExternalID && c.Organization != org.Slug:
		return nil, Refuse("session_authorization_tenancy_error", nil)
	}
	granting := a.Policy.Granting(a.roles(live), c.Resource, c.Action)
	if len(granting) == 0 {
		return nil, Refuse("session_authorization_error", nil)
	}
	return &Verdict{granting}, nil
}
