package authn

import (
	"context"

	"github.com/attestgate/caddy-attest/directory"
)

// CreateOrganization creates an organization.
func (a *Authenticator) CreateOrganization(ctx context.Context, n directory.NewOrganization) (directory.Organization, error) {
	if err := a.checkProfiles(n.Profiles); err != nil {
		return directory.Organization{}, err
	}
	n.Check = a.checkOrganizationClaims
	o, err := a.Directory.CreateOrganization(ctx, n)
	return a.changedOrganization(ctx, OrganizationCreated, o, err)
}

// UpdateOrganization changes an organization, named by id, external id or slug.
func (a *Authenticator) UpdateOrganization(ctx context.Context, name string, c directory.OrganizationChange) (directory.Organization, error) {
	if c.Profiles != nil {
		if err := a.checkProfiles(*c.Profiles); err != nil {
			return directory.Organization{}, err
		}
	}
	if addsMetadata(c.TrustedMetadata) {
		c.Check = a.checkOrganizationClaims
	}
	o, err := a.Directory.UpdateOrganization(ctx, name, c)
	return a.changedOrganization(ctx, OrganizationChanged, o, err)
}

// DeleteOrganization deletes an organization. Every session of its members ends with
// it, since none outlives its organization.
func (a *Authenticator) DeleteOrganization(ctx context.Context, name string) (directory.Organization, error) {
	o, err := a.Directory.FindOrganization(ctx, name)
	if err != nil {
		return directory.Organization{}, err
	}
	return a.changedOrganization(ctx, OrganizationDeleted, o, a.Directory.DeleteOrganization(ctx, o.ID))
}

// checkProfiles refuses a profile that is not configured: one with a misspelt name
// would admit nobody, without a word.
func (a *Authenticator) checkProfiles(names []string) error {
	for _, name := range names {
		if _, known := a.Profiles.Profile(name); !known {
			return Refuse("trusted_token_profile_not_found", nil)
		}
	}
	return nil
}

// changedOrganization makes a change of an organization take effect here, and tells of
// it.
func (a *Authenticator) changedOrganization(
	ctx context.Context, action Action, o directory.Organization, err error,
) (directory.Organization, error) {
	if err == nil {
		a.cache.organizations.drop(o.ID)
		a.Tell(ctx, Event{Action: action, OrganizationID: o.ID})
	}
	return o, err
}
