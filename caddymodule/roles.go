package caddymodule

import (
	"slices"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// Role is what one role permits.
type Role struct {
	// Default: nothing.
	Permissions []Permission `json:"permissions,omitempty"`
}

// Permission is some actions on one resource.
type Permission struct {
	// The id of a configured resource.
	Resource string `json:"resource"`

	// Actions that the resource has; `*` is all of them.
	Actions []string `json:"actions"`
}

// anyAction permits every action of a resource.
const anyAction = "*"

// Resource is something that permissions are about.
type Resource struct {
	// What can be done with it.
	Actions []string `json:"actions"`
}

var roleBlock = grammar.Block[Role]{Name: "role", Lines: []grammar.Line[Role]{
	grammar.Custom("allow", "<resource> <action>...", "* is every action", readAllow),
}}

// readAllow reads `allow <resource> <action>...`.
func readAllow(r *grammar.Reader, role *Role) error {
	args, err := r.Args(2)
	if err != nil {
		return err
	}
	role.Permissions = append(role.Permissions, Permission{Resource: args[0], Actions: args[1:]})
	return nil
}

// readResource reads `resource <id> <action>...`.
func readResource(r *grammar.Reader, a *App) error {
	args, err := r.Args(2)
	if err != nil {
		return err
	}
	id := args[0]
	if _, ok := a.Resources[id]; ok {
		return r.Errf("resource '%s' is already defined", id)
	}
	grammar.Put(&a.Resources, id, &Resource{Actions: args[1:]})
	return nil
}

// roles checks what roles permit.
func (c *checker) roles(a *App) {
	for id, res := range sorted(a.Resources) {
		at := grammar.Place{"resource", id}
		c.Form(at, id, wordForm, wantWord)
		if id == "roles" {
			c.Refuse(at, "'roles' cannot be a resource: templates know {{ member.rbac.roles }} as the list of roles")
		}
		c.actions(at, res.Actions)
	}
	for id, role := range sorted(a.Roles) {
		at := grammar.Place{"role", id}
		c.Form(at, id, wordForm, wantWord)
		for _, p := range role.Permissions {
			c.permission(at.At("allow", p.Resource), p, a)
		}
	}
}

// actions checks what can be done with a resource.
func (c *checker) actions(at grammar.Place, actions []string) {
	if len(actions) == 0 {
		c.Refuse(at, "expected at least one action")
	}
	for _, action := range actions {
		c.Form(at, action, wordForm, wantWord)
		if action == anyAction {
			c.Refuse(at, "'*' permits every action of a resource and cannot be one of them")
		}
	}
	c.Unique(at, actions)
}

// permission checks that there is what a role permits.
func (c *checker) permission(at grammar.Place, p Permission, a *App) {
	res, ok := a.Resources[p.Resource]
	if !ok {
		c.unknown(at, "resource", keys(a.Resources))
		return
	}
	for _, action := range p.Actions {
		if action != anyAction && !slices.Contains(res.Actions, action) {
			c.Refuse(at, "'%s' is no action of this resource; expected %s", action, grammar.OneOf(append(slices.Clone(res.Actions), anyAction)...))
		}
	}
	if len(p.Actions) == 0 {
		c.Refuse(at, "expected at least one action")
	}
}
