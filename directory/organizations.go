package directory

import (
	"context"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
)

// NewOrganization is what a caller of the API makes.
type NewOrganization struct {
	// Name is required.
	Name string
	// Slug is made from Name where it is empty.
	Slug       string
	ExternalID string
	// Profiles are those to admit; nil means no list (see Organization.Admits).
	Profiles        []string
	TrustedMetadata claims.Object
	// Check, where set, may refuse the organization before it is written. It may be
	// called more than once.
	Check func(Organization) error
}

// OrganizationChange is what a caller of the API changes; nil keeps.
type OrganizationChange struct {
	Name, Slug *string
	// ExternalID removes it where it is empty.
	ExternalID *string
	// Profiles replaces the list; a nil list removes it.
	Profiles *[]string
	// TrustedMetadata is laid over the former at the top level; a null deletes its
	// key.
	TrustedMetadata claims.Object
	// Check is that of NewOrganization.
	Check func(Organization) error
}

// CreateOrganization makes an organization. An external id or slug that another
// one has is an ErrOrganizationExternalIDUsed or ErrSlugUsed, unless that one was
// deleted: then it is the new one's, which has nothing else of the old.
func (d *Directory) CreateOrganization(ctx context.Context, n NewOrganization) (Organization, error) {
	o := organizationRecord{
		Name: n.Name, Slug: n.Slug, ExternalID: n.ExternalID, Profiles: slices.Clone(n.Profiles), CreatedBy: ByAPI,
	}
	var err error
	if o.TrustedMetadata, err = merge(nil, n.TrustedMetadata); err != nil {
		return Organization{}, err
	}
	if err := o.check(); err != nil {
		return Organization{}, err
	}
	var s *storedOrganization
	err = retry(ctx, "create organization", func() error {
		if s, err = d.newOrganization(o); err != nil {
			return err
		}
		if err := s.permit(n.Check); err != nil {
			return err
		}
		return d.createOrganization(ctx, s, true)
	})
	if err != nil {
		return Organization{}, o.called(err)
	}
	return s.exported(), nil
}

// check refuses what the API may not call an organization.
func (o *organizationRecord) check() error {
	switch {
	case !isOrganizationName(o.Name):
		return errOrganizationName
	case o.Slug != "" && (!isSlug(o.Slug) || looksGenerated(o.Slug, organizationPrefix)):
		return errSlug
	case o.ExternalID != "" && (!isExternalReference(o.ExternalID) || looksGenerated(o.ExternalID, organizationPrefix)):
		return errOrgExternalID
	case slices.ContainsFunc(o.Profiles, isNoName):
		return errArgument.because("profiles")
	}
	return nil
}

// called turns a reference that is taken into the refusal of its kind.
func (o *organizationRecord) called(err error) error {
	text, taken := isTaken(err)
	switch {
	case !taken:
		return err
	case text == o.ExternalID:
		return ErrOrganizationExternalIDUsed
	}
	return ErrSlugUsed
}

// UpdateOrganization changes the organization that ref means. What the operator
// configured is an ErrConfigured; metadata may be added to it.
func (d *Directory) UpdateOrganization(ctx context.Context, ref string, c OrganizationChange) (Organization, error) {
	var o *storedOrganization
	err := retry(ctx, "update organization", func() (err error) {
		if o, err = d.findOrganization(ctx, ref); err != nil {
			return err
		}
		return d.updateOrganization(ctx, o, c)
	})
	if err != nil {
		return Organization{}, err
	}
	return o.exported(), nil
}

// updateOrganization claims the new references, writes the organization that
// bears them, and only then gives up the old ones: at no moment can another
// organization take either.
func (d *Directory) updateOrganization(ctx context.Context, o *storedOrganization, c OrganizationChange) error {
	had := o.references()
	if err := o.apply(c); err != nil {
		return err
	}
	if err := o.permit(c.Check); err != nil {
		return err
	}
	gained, lost := without(o.references(), had), without(had, o.references())
	before, err := d.readReferences(ctx, lost)
	if err != nil {
		return err
	}
	if err := d.claimReferences(ctx, o.ID, gained, true); err != nil {
		return o.called(err)
	}
	if err := d.saveOrganization(ctx, o); err != nil {
		return err
	}
	d.releaseReferences(ctx, o.ID, lost, before)
	return nil
}

// permit asks check, which may be nil.
func (o *storedOrganization) permit(check func(Organization) error) error {
	if check == nil {
		return nil
	}
	return check(o.exported())
}

// apply changes the record, or refuses to.
func (o *storedOrganization) apply(c OrganizationChange) error {
	if o.operator != nil {
		return o.applyConfigured(c)
	}
	assign(&o.Name, c.Name)
	assign(&o.Slug, c.Slug)
	assign(&o.ExternalID, c.ExternalID)
	if c.Profiles != nil {
		o.Profiles = slices.Clone(*c.Profiles)
	}
	if o.Slug == "" {
		return errSlug
	}
	if err := o.check(); err != nil {
		return err
	}
	return o.applyMetadata(c.TrustedMetadata)
}

// applyConfigured is apply for what the operator configured: repeating it is no
// change, anything else is refused.
func (o *storedOrganization) applyConfigured(c OrganizationChange) error {
	e := o.operator
	if differs(c.Name, e.Name) || differs(c.Slug, e.Slug) || differs(c.ExternalID, e.ExternalID) {
		return ErrConfigured
	}
	if c.Profiles != nil && !slices.Equal(*c.Profiles, e.Profiles) {
		return ErrConfigured
	}
	for key := range c.TrustedMetadata {
		if _, configured := e.TrustedMetadata[key]; configured {
			return ErrConfigured
		}
	}
	return o.applyMetadata(c.TrustedMetadata)
}

func (o *storedOrganization) applyMetadata(changes claims.Object) error {
	next, err := merge(o.TrustedMetadata, changes)
	if err != nil {
		return err
	}
	o.TrustedMetadata = next
	_, err = checked(o.metadata())
	return err
}

// DeleteOrganization deletes the organization that ref means. Its members can no
// longer sign in and their sessions end; its id, external id and slug stay with
// the tombstone, so that no token makes it anew. A configured one is an
// ErrConfigured.
func (d *Directory) DeleteOrganization(ctx context.Context, ref string) error {
	return retry(ctx, "delete organization", func() error {
		o, err := d.findOrganization(ctx, ref)
		switch {
		case err != nil:
			return err
		case o.operator != nil:
			return ErrConfigured
		}
		o.Status = StatusDeleted
		o.NotBefore = later(o.NotBefore, d.time())
		return d.saveOrganization(ctx, o)
	})
}

// assign sets what is given.
func assign[T any](target *T, value *T) {
	if value != nil {
		*target = *value
	}
}

func differs(value *string, configured string) bool { return value != nil && *value != configured }

// without is the texts that are not in others.
func without(texts, others []string) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return slices.Contains(others, t) })
}
