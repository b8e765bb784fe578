package directory

import (
	"fmt"
	"slices"
)

// configured are the operator's organizations. It is never changed.
type configured struct {
	byID         map[string]*Organization
	byExternalID map[string]*Organization
	// byReference holds every id, external id and slug. They share one space: a
	// text that named two organizations would reach the wrong one some day.
	byReference map[string]*Organization
}

func newConfigured(list []Organization) (configured, error) {
	c := configured{
		byID:         map[string]*Organization{},
		byExternalID: map[string]*Organization{},
		byReference:  map[string]*Organization{},
	}
	for _, o := range list {
		o, err := completed(o)
		if err == nil {
			err = c.add(&o)
		}
		if err != nil {
			return c, fmt.Errorf("directory: organization %q: %w", o.ID, err)
		}
	}
	return c, nil
}

// completed is what the operator wrote with its defaults, and nothing else.
func completed(o Organization) (Organization, error) {
	c := Organization{
		ID: o.ID, Name: o.Name, Slug: o.Slug, ExternalID: o.ExternalID,
		Profiles: slices.Clone(o.Profiles), Configured: true, Status: StatusActive,
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	if c.Slug == "" && isSlug(c.ID) {
		c.Slug = c.ID
	}
	var err error
	if c.TrustedMetadata, err = merge(nil, o.TrustedMetadata); err != nil {
		return c, err
	}
	return c, c.check()
}

func (o Organization) check() error {
	switch {
	case !isConfiguredID(o.ID):
		return fmt.Errorf("id must be 1 to %d of A-Z a-z 0-9 - . _ ~", maxReference)
	case !isOrganizationName(o.Name):
		return fmt.Errorf("name must be 1 to %d characters, none of them a control character", maxName)
	case o.Slug != "" && !isSlug(o.Slug):
		return fmt.Errorf("slug must be 2 to %d of A-Z a-z 0-9 - . _ ~", maxReference)
	case o.ExternalID != "" && !isExternalReference(o.ExternalID):
		return fmt.Errorf("external_id must be 1 to %d of A-Z a-z 0-9 . _ : @ | -", maxReference)
	}
	return nil
}

func (c configured) add(o *Organization) error {
	for _, ref := range []string{o.ID, o.ExternalID, o.Slug} {
		if other := c.byReference[ref]; other != nil && other != o || c.byID[o.ID] != nil {
			return fmt.Errorf("%q already names organization %q", ref, c.byReference[ref].ID)
		}
		if ref != "" {
			c.byReference[ref] = o
		}
	}
	c.byID[o.ID] = o
	if o.ExternalID != "" {
		c.byExternalID[o.ExternalID] = o
	}
	return nil
}

// forToken is the id of the configured organization that a token means; empty:
// none. A claim names one by external id only. A text without a placeholder is
// the operator's word and may name it by id.
func (c configured) forToken(a Assertion) string {
	if o := c.byID[a.Organization]; o != nil && a.OrganizationFixed {
		return o.ID
	}
	if o := c.byExternalID[a.Organization]; o != nil {
		return o.ID
	}
	return ""
}

// forCaller is the id that a caller of the API means, as far as that can be told
// without reading; empty: not.
func (c configured) forCaller(ref string) string {
	if o := c.byReference[ref]; o != nil {
		return o.ID
	}
	if looksGenerated(ref, organizationPrefix) && isOrganizationID(ref) {
		return ref
	}
	return ""
}
