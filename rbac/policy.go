package rbac

import (
	"fmt"
	"slices"
)

// AnyAction stands for every action of a resource.
const AnyAction = "*"

// Resource is something that roles allow doing something with.
type Resource struct {
	ID string
	// Actions that it knows, in the operator's order.
	Actions []string
}

// Role is an opaque name with permissions. A role that the policy does not know
// may still be given; it allows nothing.
type Role struct {
	ID          string
	Permissions []Permission
}

// Permission allows actions on a resource; AnyAction allows all of them.
type Permission struct {
	Resource string
	Actions  []string
}

// Policy is what roles allow. It never changes; nil allows nothing.
type Policy struct {
	resources []Resource
	roles     []Role
}

// NewPolicy makes a policy. A permission that names a resource or an action that
// does not exist is an error, since it would allow nothing in silence.
func NewPolicy(resources []Resource, roles []Role) (*Policy, error) {
	p := &Policy{resources, roles}
	for _, role := range roles {
		for _, allowed := range role.Permissions {
			if err := p.check(role.ID, allowed); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

func (p *Policy) check(role string, allowed Permission) error {
	r, ok := p.resource(allowed.Resource)
	if !ok {
		return fmt.Errorf("rbac: role %s: resource %q is not defined", role, allowed.Resource)
	}
	for _, action := range allowed.Actions {
		if action != AnyAction && !slices.Contains(r.Actions, action) {
			return fmt.Errorf("rbac: role %s: resource %s has no action %q", role, r.ID, action)
		}
	}
	return nil
}

func (p *Policy) resource(id string) (Resource, bool) {
	i := slices.IndexFunc(p.resources, func(r Resource) bool { return r.ID == id })
	if i < 0 {
		return Resource{}, false
	}
	return p.resources[i], true
}

// Resources are all resources, in the operator's order.
func (p *Policy) Resources() []Resource {
	if p == nil {
		return nil
	}
	return p.resources
}

// Roles are all roles that the policy knows, in the operator's order.
func (p *Policy) Roles() []Role {
	if p == nil {
		return nil
	}
	return p.roles
}

// Actions are what the roles together allow on a resource, each once and in the
// resource's order; never nil.
func (p *Policy) Actions(roles []string, resource string) []string {
	list := []string{}
	if p == nil {
		return list
	}
	r, _ := p.resource(resource)
	for _, action := range r.Actions {
		if len(p.Granting(roles, resource, action)) > 0 {
			list = append(list, action)
		}
	}
	return list
}

// Granting are those of the roles that allow an action on a resource, in the
// policy's order.
func (p *Policy) Granting(roles []string, resource, action string) []string {
	var list []string
	for _, role := range p.Roles() {
		if slices.Contains(roles, role.ID) && role.allows(resource, action) {
			list = append(list, role.ID)
		}
	}
	return list
}

func (r Role) allows(resource, action string) bool {
	return slices.ContainsFunc(r.Permissions, func(p Permission) bool {
		return p.Resource == resource && (slices.Contains(p.Actions, action) || slices.Contains(p.Actions, AnyAction))
	})
}
