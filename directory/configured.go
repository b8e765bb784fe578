package directory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// configured are the operator's organizations. It is not changed after
// Directory.Adopt.
type configured struct {
	// byID holds the ids under which they are stored, byConfiguredID those that the
	// operator has written.
	byID, byConfiguredID map[string]*Organization
	byExternalID         map[string]*Organization
	// byReference holds every id, external id and slug. They share one space: a
	// text that named two organizations would reach the wrong one some day.
	byReference map[string]*Organization
}

func newConfigured(list []Organization) (configured, error) {
	c := configured{
		byID:           map[string]*Organization{},
		byConfiguredID: map[string]*Organization{},
		byExternalID:   map[string]*Organization{},
		byReference:    map[string]*Organization{},
	}
	for _, o := range list {
		if mistakes := CheckOrganization(o); len(mistakes) > 0 {
			return c, mistakes[0]
		}
		if err := c.add(completed(o)); err != nil {
			return c, err
		}
	}
	return c, nil
}

// completed is what the operator wrote with its defaults, and nothing else.
func completed(o Organization) *Organization {
	c := &Organization{
		ID: o.ID, ConfiguredID: o.ID, NoAdoption: o.NoAdoption, Name: cmp.Or(o.Name, o.ID), Slug: o.Slug, ExternalID: o.ExternalID,
		Profiles: append([]string{}, o.Profiles...), Configured: true, Status: StatusActive,
	}
	if c.Slug == "" && isSlug(c.ID) {
		c.Slug = c.ID
	}
	c.TrustedMetadata, _ = checked(o.TrustedMetadata) // CheckOrganization has
	return c
}

func (c configured) add(o *Organization) error {
	for _, ref := range []string{o.ID, o.ExternalID, o.Slug} {
		if other := c.byReference[ref]; other != nil && other != o || c.byID[o.ID] != nil {
			return &ConfigError{Organization: o.ID, Reason: fmt.Sprintf("%q already names organization %q", ref, c.byReference[ref].ID)}
		}
		if ref != "" {
			c.byReference[ref] = o
		}
	}
	c.byID[o.ID], c.byConfiguredID[o.ID] = o, o
	if o.ExternalID != "" {
		c.byExternalID[o.ExternalID] = o
	}
	return nil
}

// sorted are the organizations in the order of the operator's ids.
func (c configured) sorted() []*Organization {
	var list []*Organization
	for _, id := range slices.Sorted(maps.Keys(c.byConfiguredID)) {
		list = append(list, c.byConfiguredID[id])
	}
	return list
}

// rename stores the organization under another id from now on.
func (c configured) rename(o *Organization, id string) {
	delete(c.byID, o.ID)
	o.ID = id
	c.byID[id], c.byReference[id] = o, o
}

// forToken is the id of the configured organization that a token means; empty:
// none. A claim names one by external id only. A text without a placeholder is
// the operator's word and may name it by id.
func (c configured) forToken(a Assertion) string {
	if o := c.byConfiguredID[a.Organization]; o != nil && a.OrganizationFixed {
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
