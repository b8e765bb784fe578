package caddymodule

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// roles checks what roles permit.
func (c *checker) roles(a *App) {
	for id, res := range sorted(a.Resources) {
		at := where{"resource", id}
		c.form(at, id, wordForm, wantWord)
		if id == "roles" {
			c.refuse(at, "'roles' cannot be a resource: templates know {{ member.rbac.roles }} as the list of roles")
		}
		c.actions(at, res.Actions)
	}
	for id, role := range sorted(a.Roles) {
		at := where{"role", id}
		c.form(at, id, wordForm, wantWord)
		for _, p := range role.Permissions {
			c.permission(at.at("allow", p.Resource), p, a)
		}
	}
}

// actions checks what can be done with a resource.
func (c *checker) actions(at where, actions []string) {
	if len(actions) == 0 {
		c.refuse(at, "expected at least one action")
	}
	for _, action := range actions {
		c.form(at, action, wordForm, wantWord)
		if action == anyAction {
			c.refuse(at, "'*' permits every action of a resource and cannot be one of them")
		}
	}
	c.unique(at, actions)
}

// permission checks that there is what a role permits.
func (c *checker) permission(at where, p Permission, a *App) {
	res, ok := a.Resources[p.Resource]
	if !ok {
		c.unknown(at, "resource", keys(a.Resources))
		return
	}
	for _, action := range p.Actions {
		if action != anyAction && !slices.Contains(res.Actions, action) {
			c.refuse(at, "'%s' is no action of this resource; expected %s", action, oneOf(append(slices.Clone(res.Actions), anyAction)...))
		}
	}
	if len(p.Actions) == 0 {
		c.refuse(at, "expected at least one action")
	}
}

// keys are the names of a map, sorted.
func keys[V any](m map[string]V) []string {
	var names []string
	for name := range sorted(m) {
		names = append(names, name)
	}
	return names
}

// unknown refuses a name that nothing configured has.
func (c *checker) unknown(at where, kind string, configured []string) {
	if len(configured) == 0 {
		c.refuse(at, "there is no such %s; none is configured", kind)
		return
	}
	c.refuse(at, "there is no such %s; expected %s", kind, oneOf(configured...))
}

// organizations checks each organization, and that no two answer to one name.
func (c *checker) organizations(a *App) {
	named := make(map[string]string) // id, external id or slug: the organization
	for id, o := range sorted(a.Organizations) {
		at := where{"organization", id}
		c.organization(at, id, o, a)
		for _, name := range slices.Compact(slices.Sorted(slices.Values([]string{id, o.ExternalID, o.slug(id)}))) {
			if other, ok := named[name]; ok {
				c.refuse(at, "'%s' is also a name of organization '%s'", name, other)
			}
			if name != "" {
				named[name] = id
			}
		}
	}
}

// organization checks one organization.
func (c *checker) organization(at where, id string, o *Organization, a *App) {
	c.form(at, id, idForm, wantID)
	if o.Name != "" {
		c.label(at.at("name"), o.Name)
	}
	if o.ExternalID != "" {
		c.form(at.at("external_id"), o.ExternalID, externalForm, wantExternal)
	}
	if o.Slug != "" {
		c.form(at.at("slug"), o.Slug, slugForm, wantSlug)
	}
	if err := checkMetadata(o.Metadata); err != nil {
		c.refuse(at.at("metadata"), "%v", err)
	}
	for _, name := range o.Profiles {
		if a.Profiles[name] == nil {
			c.unknown(at.at("profiles", name), "profile", keys(a.Profiles))
		}
	}
	c.unique(at.at("profiles"), o.Profiles)
}

// Limits of metadata, those of the session API.
const (
	maxMetadataMembers = 20
	maxMetadataBytes   = 4096
)

// checkMetadata checks the metadata of an organization, which may be nil.
func checkMetadata(raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	metadata, err := strictjson.Object(raw)
	if err != nil {
		return fmt.Errorf("expected a JSON object: %w", err)
	}
	if len(metadata) > maxMetadataMembers {
		return fmt.Errorf("metadata has at most %d members", maxMetadataMembers)
	}
	compact, err := strictjson.Marshal(metadata)
	if err == nil && len(compact) > maxMetadataBytes {
		err = fmt.Errorf("metadata has at most %d bytes", maxMetadataBytes)
	}
	return err
}
