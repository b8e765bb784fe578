package directory

import (
	"context"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/email"
)

// Organization is the organization of exactly this id, unless it was deleted:
// then the error is an ErrOrganizationNotFound, as for one that never was.
func (d *Directory) Organization(ctx context.Context, id string) (Organization, error) {
	o, _, err := d.live(ctx, id)
	if err != nil {
		return Organization{}, err
	}
	return o.exported(), nil
}

// Member is the member of exactly these ids, unless it or its organization was
// deleted: then the error is an ErrMemberNotFound or ErrOrganizationNotFound.
func (d *Directory) Member(ctx context.Context, organizationID, memberID string) (Member, error) {
	_, m, err := d.Lookup(ctx, organizationID, memberID)
	return m, err
}

// Lookup is Organization and Member in one read, as they stood at one moment.
func (d *Directory) Lookup(ctx context.Context, organizationID, memberID string) (Organization, Member, error) {
	if !isMemberID(memberID) {
		return Organization{}, Member{}, ErrMemberNotFound
	}
	o, records, err := d.live(ctx, organizationID, memberKey(memberID))
	if err != nil {
		return Organization{}, Member{}, err
	}
	m, err := readMember(records[0], organizationID)
	if err == nil {
		m, err = present(m)
	}
	if err != nil {
		return Organization{}, Member{}, err
	}
	return o.exported(), m.exported(), nil
}

// present refuses what is not there and what was deleted.
func present(m *storedMember) (*storedMember, error) {
	if m == nil {
		return nil, ErrMemberNotFound
	}
	return alive(m)
}

// FindOrganization is the organization that a caller of the API means by ref:
// an id, else an external id, else a slug. No organization's reference is
// another's, so the order never matters.
func (d *Directory) FindOrganization(ctx context.Context, ref string) (Organization, error) {
	o, err := d.findOrganization(ctx, ref)
	if err != nil {
		return Organization{}, err
	}
	return o.exported(), nil
}

func (d *Directory) findOrganization(ctx context.Context, ref string) (*storedOrganization, error) {
	id, err := d.referredTo(ctx, ref)
	if err != nil {
		return nil, err
	}
	o, _, err := d.live(ctx, id)
	if err == nil && !o.exported().answersTo(ref) {
		return nil, ErrOrganizationNotFound
	}
	return o, err
}

// referredTo is the id of the organization that ref may mean; empty: none.
func (d *Directory) referredTo(ctx context.Context, ref string) (string, error) {
	if id := d.configured.forCaller(ref); id != "" {
		return id, nil
	}
	found, err := d.readReferences(ctx, []string{ref})
	if err != nil {
		return "", err
	}
	return found[0].organization, nil
}

// FindMember is the member of the organization (an id) that a caller of the API
// means by ref: a member id, else the external id that the API gave.
func (d *Directory) FindMember(ctx context.Context, organizationID, ref string) (Member, error) {
	m, err := d.findMember(ctx, organizationID, ref)
	if err != nil {
		return Member{}, err
	}
	return m.exported(), nil
}

// FindMemberByEmail is the member of the organization (an id) with that address.
func (d *Directory) FindMemberByEmail(ctx context.Context, organizationID, text string) (Member, error) {
	address, _, ok := email.Parse(text)
	if !ok {
		return Member{}, ErrMemberNotFound
	}
	m, err := d.findIndexed(ctx, organizationID, d.names.email(organizationID, address))
	if err == nil {
		m, err = present(m)
	}
	if err != nil {
		return Member{}, err
	}
	return m.exported(), nil
}

// findMember finds a member who is not deleted.
func (d *Directory) findMember(ctx context.Context, organizationID, ref string) (*storedMember, error) {
	m, err := d.findAny(ctx, organizationID, ref)
	if err != nil {
		return nil, err
	}
	return alive(m)
}

// findAny finds tombstones too.
func (d *Directory) findAny(ctx context.Context, organizationID, ref string) (*storedMember, error) {
	if isMemberID(ref) {
		if _, _, err := d.live(ctx, organizationID); err != nil {
			return nil, err
		}
		return d.loadMember(ctx, organizationID, ref)
	}
	m, err := d.findIndexed(ctx, organizationID, d.names.externalID(organizationID, NamespaceAPI, ref))
	if err == nil && m == nil {
		err = ErrMemberNotFound
	}
	return m, err
}

// findIndexed is the member under an index name of a live organization; nil:
// none.
func (d *Directory) findIndexed(ctx context.Context, organizationID, key string) (*storedMember, error) {
	var m *storedMember
	err := retry(ctx, "find member", func() error {
		_, records, err := d.live(ctx, organizationID, key)
		if err == nil {
			m, err = d.indexed(ctx, organizationID, records[0])
		}
		return err
	})
	return m, err
}

// LocateMember is the member of that id, whichever organization it belongs to.
func (d *Directory) LocateMember(ctx context.Context, memberID string) (Member, error) {
	if !isMemberID(memberID) {
		return Member{}, ErrMemberNotFound
	}
	refs, err := d.store.List(ctx, memberTag(memberID))
	if err != nil {
		return Member{}, fmt.Errorf("directory: member: %w", err)
	}
	for _, ref := range refs {
		if id, ok := organizationOf(ref.Partition); ok && ref == MemberRef(id, memberID) {
			return d.Member(ctx, id, memberID)
		}
	}
	return Member{}, ErrMemberNotFound
}
