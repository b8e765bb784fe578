package caddymodule

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
