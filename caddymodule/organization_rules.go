package caddymodule

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// organizations checks each organization, and that no two answer to one name.
func (c *checker) organizations(a *App) {
	named := make(map[string]string) // id, external id or slug: the organization
	for id, o := range sorted(a.Organizations) {
		at := grammar.Place{"organization", id}
		c.organization(at, id, o, a)
		for _, name := range slices.Compact(slices.Sorted(slices.Values([]string{id, o.ExternalID, o.Slug}))) {
			if other, ok := named[name]; ok {
				c.Refuse(at, "'%s' is also a name of organization '%s'", name, other)
			}
			if name != "" {
				named[name] = id
			}
		}
	}
}

// organization checks one organization: the directory knows what it may be called.
func (c *checker) organization(at grammar.Place, id string, o *Organization, a *App) {
	for _, text := range []struct{ option, value string }{{"name", o.Name}, {"external_id", o.ExternalID}, {"slug", o.Slug}} {
		if !c.Plain(at.At(text.option), text.value) {
			return
		}
	}
	known, err := o.known(id)
	if err != nil {
		c.Refuse(at.At("metadata"), "%v", err)
	}
	for _, mistake := range directory.CheckOrganization(known) {
		option := at
		if mistake.Option != "" {
			option = at.At(mistake.Option)
		}
		c.Refuse(option, "%s", mistake.Reason)
	}
	for _, name := range o.Profiles {
		if a.Profiles[name] == nil {
			c.unknown(at.At("profiles", name), "profile", keys(a.Profiles))
		}
	}
	c.Unique(at.At("profiles"), o.Profiles)
}

// known is the organization as the directory is to know it, without its metadata
// where those are a mistake.
func (o *Organization) known(id string) (directory.Organization, error) {
	known := directory.Organization{
		ID: id, Name: o.Name, Slug: o.Slug, ExternalID: o.ExternalID, Profiles: o.Profiles, NoAdoption: o.NoAdoption,
	}
	if o.Metadata == nil {
		return known, nil
	}
	var err error
	known.TrustedMetadata, err = directory.ParseMetadata(o.Metadata)
	return known, err
}

// fitOrganizations refuses an organization whose metadata no session's JWT can hold:
// every request of its members would be refused.
func (a *App) fitOrganizations() error {
	organizations, err := a.organizations()
	if err != nil {
		return err
	}
	for _, o := range organizations {
		if err := authn.CheckOrganizationClaims(a.claimPolicy(), a.templates, o); err != nil {
			at := grammar.Place{"organization", o.ID, "metadata"}
			return &grammar.Problem{Place: at, Text: strings.TrimPrefix(err.Error(), "authn: ")}
		}
	}
	return nil
}
