package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

// newOrganization gives an organization that is about to be created its id and,
// where it has none, its slug.
func (d *Directory) newOrganization(o organizationRecord) (*storedOrganization, error) {
	id, err := d.newID(organizationPrefix)
	if err != nil {
		return nil, fmt.Errorf("directory: organization id: %w", err)
	}
	o.ID, o.Status, o.CreatedAt = id, StatusActive, d.time()
	if o.Slug == "" {
		o.Slug = slugOf(o, id)
	}
	return &storedOrganization{organizationRecord: o}, nil
}

// createOrganization creates an organization: first its own record, then the references that
// make it known. Of two that create one at once the slower finds its references
// taken and takes its record back; an interruption leaves a record that nobody
// knows, and so does a fault, after which nobody can tell what was written. It answers a *takenError where a text is another organization's
// already; revive tells whether a deleted one must give it up.
func (d *Directory) createOrganization(ctx context.Context, o *storedOrganization, revive bool) error {
	if err := d.saveOrganization(ctx, o); err != nil {
		return err
	}
	err := d.claimReferences(ctx, o.ID, o.references(), revive)
	if _, taken := isTaken(err); taken || errors.Is(err, errAgain) {
		orphan := OrganizationRef(o.ID)
		_ = d.store.Apply(ctx, orphan.Partition, store.Op{Key: orphan.Key, Expect: o.version}) // harmless where it stays
	}
	return err
}

// slugOf is the external id where that can be a slug, so that both are one
// reference. Any other slug gets a random end: made from the name alone it could
// be what the next organization is called.
func slugOf(o organizationRecord, id string) string {
	if isSlug(o.ExternalID) {
		return o.ExternalID
	}
	text := cmp.Or(slugify(cmp.Or(o.ExternalID, o.Name)), "org")
	random := id[len(id)-12:]
	return text[:min(len(text), maxReference-len(random)-1)] + "-" + random
}

func slugify(text string) string {
	slug := strings.Map(func(r rune) rune {
		if r < 0x80 && isSlugByte(byte(r)) {
			return r
		}
		return '-'
	}, strings.ToLower(text))
	return strings.Trim(slug, "-")
}

// references are the texts that the organization is known by.
func (o *organizationRecord) references() []string {
	var texts []string
	for _, text := range []string{o.ExternalID, o.Slug} {
		if text != "" {
			texts = append(texts, text)
		}
	}
	return sortedSet(texts)
}

// saveOrganization writes the organization's record. It answers errAgain where
// that is no longer as it was read.
func (d *Directory) saveOrganization(ctx context.Context, o *storedOrganization) error {
	o.UpdatedAt = d.time()
	if o.operator != nil && o.version == 0 {
		o.Configured, o.Status, o.CreatedAt = true, StatusActive, o.UpdatedAt
	}
	var tags []string
	if !o.Configured {
		tags = []string{organizationsTag}
	}
	ref := OrganizationRef(o.ID)
	op, err := write(ref.Key, o.version, o.organizationRecord, tags...)
	if err != nil {
		return err
	}
	if err := d.store.Apply(ctx, ref.Partition, op); err != nil {
		return fmt.Errorf("directory: organization: %w", err)
	}
	o.version++
	return nil
}
