package directory

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/store"
)

// storedOrganization is an organization with its record, if it has one.
type storedOrganization struct {
	organizationRecord
	operator *Organization // nil unless it is configured
	version  uint64        // 0: no record
}

// storedMember is a member with the version of its record.
type storedMember struct {
	memberRecord
	version uint64
}

func (m *storedMember) exported() Member { return m.export(m.version) }

// open reads an organization and, as they stood at the same moment, further
// records of its partition. An organization that does not exist is no error: see
// exists.
func (d *Directory) open(ctx context.Context, id string, keys ...string) (*storedOrganization, []store.Record, error) {
	records, err := d.store.Get(ctx, partition(id), append([]string{organizationKey}, keys...)...)
	if err != nil {
		return nil, nil, fmt.Errorf("directory: organization: %w", err)
	}
	o := &storedOrganization{operator: d.configured.byID[id]}
	if r := records[0]; r.Exists() {
		if err := decode(r, &o.organizationRecord); err != nil {
			return nil, nil, err
		}
		o.version = r.Version
		if o.ID != id {
			return nil, nil, misplaced(r.Key)
		}
	}
	o.ID = id
	return o, records[1:], nil
}

// exists holds for configured organizations and for those with a record of their
// own, deleted ones among them. The record that a configured organization leaves
// behind when the operator drops it is none: its members are shut out.
func (o *storedOrganization) exists() bool {
	return o.operator != nil || o.version != 0 && !o.Configured
}

// deleted holds for a tombstone. The operator's word is above it.
func (o *storedOrganization) deleted() bool {
	return o.operator == nil && o.Status == StatusDeleted
}

// externalID and slug are what the organization is called, apart from its id.
func (o *storedOrganization) externalID() string {
	if o.operator != nil {
		return o.operator.ExternalID
	}
	return o.ExternalID
}

func (o *storedOrganization) slug() string {
	if o.operator != nil {
		return o.operator.Slug
	}
	return o.Slug
}

// exported is the organization as others see it. What the operator configured
// wins over what the record says.
func (o *storedOrganization) exported() Organization {
	e := Organization{
		ID: o.ID, Name: o.Name, Slug: o.Slug, ExternalID: o.ExternalID,
		Profiles: o.Profiles, CreatedBy: o.CreatedBy, Status: o.Status,
	}
	if o.operator != nil {
		e = *o.operator
	}
	e.Profiles = slices.Clone(e.Profiles)
	e.TrustedMetadata = o.metadata()
	e.NotBefore, e.CreatedAt, e.UpdatedAt, e.Version = o.NotBefore, o.CreatedAt, o.UpdatedAt, o.version
	return e
}

func (o *storedOrganization) metadata() map[string]any {
	merged := maps.Clone(o.TrustedMetadata)
	if o.operator == nil || len(o.operator.TrustedMetadata) == 0 {
		return merged
	}
	if merged == nil {
		merged = map[string]any{}
	}
	maps.Copy(merged, o.operator.TrustedMetadata)
	return merged
}

// live opens an organization that is there and not deleted.
func (d *Directory) live(ctx context.Context, id string, keys ...string) (*storedOrganization, []store.Record, error) {
	if !isOrganizationID(id) {
		return nil, nil, ErrOrganizationNotFound
	}
	o, records, err := d.open(ctx, id, keys...)
	switch {
	case err != nil:
		return nil, nil, err
	case !o.exists():
		return nil, nil, ErrOrganizationNotFound
	case o.deleted():
		return nil, nil, ErrOrganizationNotFound.because("organization_deleted")
	}
	return o, records, nil
}

// readMember decodes a member of the organization; nil where there is none.
func readMember(r store.Record, organizationID string) (*storedMember, error) {
	if !r.Exists() {
		return nil, nil
	}
	m := &storedMember{version: r.Version}
	if err := decode(r, &m.memberRecord); err != nil {
		return nil, err
	}
	if m.OrganizationID != organizationID || memberKey(m.ID) != r.Key {
		return nil, misplaced(r.Key)
	}
	return m, nil
}

// loadMember reads a member, deleted ones too.
func (d *Directory) loadMember(ctx context.Context, organizationID, memberID string) (*storedMember, error) {
	if !isMemberID(memberID) {
		return nil, ErrMemberNotFound
	}
	records, err := d.store.Get(ctx, partition(organizationID), memberKey(memberID))
	if err != nil {
		return nil, fmt.Errorf("directory: member: %w", err)
	}
	m, err := readMember(records[0], organizationID)
	if err == nil && m == nil {
		err = ErrMemberNotFound
	}
	return m, err
}

// misplaced reports a record that stands where another should: somebody moved
// it, and who it names must not be believed.
func misplaced(key string) error {
	return fmt.Errorf("directory: record %s: it belongs elsewhere", key)
}
