package caddymodule

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// organizations checks each organization, and that no two answer to one name.
func (c *checker) organizations(a *App) {
	named := make(map[string]string) // id, external id or slug: the organization
	for id, o := range sorted(a.Organizations) {
		at := grammar.Place{"organization", id}
		c.organization(at, id, o, a)
		for _, name := range slices.Compact(slices.Sorted(slices.Values([]string{id, o.ExternalID, o.slug(id)}))) {
			if other, ok := named[name]; ok {
				c.Refuse(at, "'%s' is also a name of organization '%s'", name, other)
			}
			if name != "" {
				named[name] = id
			}
		}
	}
}

// organization checks one organization.
func (c *checker) organization(at grammar.Place, id string, o *Organization, a *App) {
	c.Form(at, id, idForm, wantID)
	if o.Name != "" {
		c.Label(at.At("name"), o.Name)
	}
	if o.ExternalID != "" {
		c.Form(at.At("external_id"), o.ExternalID, externalForm, wantExternal)
	}
	if o.Slug != "" {
		c.Form(at.At("slug"), o.Slug, slugForm, wantSlug)
	}
	if err := checkMetadata(o.Metadata); err != nil {
		c.Refuse(at.At("metadata"), "%v", err)
	}
	for _, name := range o.Profiles {
		if a.Profiles[name] == nil {
			c.unknown(at.At("profiles", name), "profile", keys(a.Profiles))
		}
	}
	c.Unique(at.At("profiles"), o.Profiles)
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
