package directory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/email"
)

// NewMember is whom a caller of the API makes.
type NewMember struct {
	// Email or ExternalID is required: by them tokens and callers find the member.
	Email, ExternalID string
	// EmailVerified is the caller's word for it.
	EmailVerified bool
	Name          string
	// Status is StatusActive, StatusInvited or StatusPending. Default:
	// StatusActive.
	Status                             string
	Roles                              []string
	TrustedMetadata, UntrustedMetadata claims.Object
	// Check, where set, may refuse the member before it is written.
	Check func(Member) error
	// Demoted is that of Assertion.
	Demoted func(Member)
}

// MemberChange is what a caller of the API changes; nil keeps.
type MemberChange struct {
	// Email and ExternalID remove theirs where they are empty. A former address is
	// retired and free for others. An Email that repeats the member's is no change
	// and vouches for nothing; EmailVerified does.
	Email, ExternalID *string
	EmailVerified     *bool
	Name              *string
	// Roles replaces the operator's roles; those that tokens assert stay.
	Roles *[]string
	// Metadata is laid over the former at the top level; a null deletes its key.
	// The API may write any key and owns what it writes.
	TrustedMetadata, UntrustedMetadata claims.Object
	// Check, where set, may refuse the changed member before it is written. It may
	// be called more than once.
	Check func(Member) error
	// Demoted is that of Assertion.
	Demoted func(Member)
}

// CreateMember makes a member of the organization that organizationRef means. An
// email or external id that another member has is an ErrDuplicateEmail or
// ErrDuplicateExternalID, unless that member was deleted: then it is the new
// one's, who has nothing else of the old, neither id nor roles nor metadata. An
// email that only an unverified token gave to a member is the new one's too, and
// stays an UnverifiedEmail of the former: the caller's word counts as verified.
func (d *Directory) CreateMember(ctx context.Context, organizationRef string, n NewMember) (Member, error) {
	var m *storedMember
	err := retry(ctx, "create member", func() error {
		o, err := d.findOrganization(ctx, organizationRef)
		if err != nil {
			return err
		}
		if m, err = d.newMember(o.ID, cmp.Or(n.Status, StatusActive)); err != nil {
			return err
		}
		if err := m.describe(n); err != nil {
			return err
		}
		return d.saveByAPI(ctx, m, nil, n.Demoted)
	})
	if err != nil {
		return Member{}, err
	}
	return m.exported(), nil
}

// describe fills a new member.
func (m *memberRecord) describe(n NewMember) error {
	switch {
	case n.Email == "" && n.ExternalID == "":
		return errArgument.because("member_needs_email_or_external_id")
	case m.Status != StatusActive && m.Status != StatusInvited && m.Status != StatusPending:
		return errArgument.because("status")
	}
	return m.change(MemberChange{
		Email: &n.Email, EmailVerified: &n.EmailVerified, ExternalID: &n.ExternalID, Name: &n.Name, Roles: &n.Roles,
		TrustedMetadata: n.TrustedMetadata, UntrustedMetadata: n.UntrustedMetadata, Check: n.Check,
	})
}

// UpdateMember changes the member that memberRef means. Whose email and external id
// it may take is as for CreateMember.
func (d *Directory) UpdateMember(ctx context.Context, organizationRef, memberRef string, c MemberChange) (Member, error) {
	return d.changeMember(ctx, organizationRef, memberRef, memberUpdate{
		find: d.findMember, apply: func(m *storedMember) error { return m.change(c) }, demoted: c.Demoted,
	})
}

// RemoveExternalID takes the member's id in a namespace away (the API's own is
// NamespaceAPI); it is free for others.
func (d *Directory) RemoveExternalID(ctx context.Context, organizationRef, memberRef, namespace string) (Member, error) {
	return d.updateMember(ctx, organizationRef, memberRef, func(m *storedMember) error {
		m.ExternalIDs = m.ExternalIDs.without(namespace)
		return nil
	})
}

// DeleteMember makes the member a tombstone: sessions end, no token revives it,
// and only ReactivateMember brings it back. Its email and external ids stay with
// it until the API gives them to a new member.
func (d *Directory) DeleteMember(ctx context.Context, organizationRef, memberRef string) error {
	_, err := d.updateMember(ctx, organizationRef, memberRef, func(m *storedMember) error {
		m.Status = StatusDeleted
		m.moveNotBefore(d.time())
		return nil
	})
	return err
}

func (d *Directory) updateMember(ctx context.Context, organizationRef, memberRef string, fn func(*storedMember) error) (Member, error) {
	return d.changeMember(ctx, organizationRef, memberRef, memberUpdate{find: d.findMember, apply: fn})
}

// ReactivateMember makes a deleted member active again, with all it was; what
// was revoked by the deletion stays revoked. A member who is not deleted stays
// as it is.
func (d *Directory) ReactivateMember(ctx context.Context, organizationRef, memberRef string) (Member, error) {
	return d.changeMember(ctx, organizationRef, memberRef, memberUpdate{find: d.findAny, apply: func(m *storedMember) error {
		if m.deleted() {
			m.Status = StatusActive
		}
		return nil
	}})
}

// memberUpdate is how changeMember finds a member and what it changes.
type memberUpdate struct {
	find    func(ctx context.Context, organizationID, ref string) (*storedMember, error)
	apply   func(*storedMember) error
	demoted func(Member) // may be nil
}

func (d *Directory) changeMember(ctx context.Context, organizationRef, memberRef string, u memberUpdate) (Member, error) {
	var m *storedMember
	err := retry(ctx, "update member", func() error {
		o, err := d.findOrganization(ctx, organizationRef)
		if err != nil {
			return err
		}
		if m, err = u.find(ctx, o.ID, memberRef); err != nil {
			return err
		}
		had := d.names.memberKeys(&m.memberRecord)
		if err := u.apply(m); err != nil {
			return err
		}
		return d.saveByAPI(ctx, m, had, u.demoted)
	})
	if err != nil {
		return Member{}, err
	}
	return m.exported(), nil
}

// saveByAPI saves the member, taking the names it wants from those who must yield
// them and refusing what any other member has.
func (d *Directory) saveByAPI(ctx context.Context, m *storedMember, had []string, demoted func(Member)) error {
	yielding, err := d.holders(ctx, m)
	if err != nil {
		return err
	}
	c := change{member: m, had: had, yielding: yielding}
	err = d.saveMember(ctx, c)
	c.notify(demoted, err)
	return err
}

// holders are the members who have names which the member wants.
func (d *Directory) holders(ctx context.Context, m *storedMember) ([]*storedMember, error) {
	entries, err := d.readIndex(ctx, m.OrganizationID, d.names.memberKeys(&m.memberRecord))
	if err != nil {
		return nil, err
	}
	var yielding []*storedMember
	for key, entry := range entries {
		if entry.member == "" || entry.member == m.ID {
			continue
		}
		holder, err := d.loadMember(ctx, m.OrganizationID, entry.member)
		if err != nil {
			return nil, err
		}
		if err := d.checkYields(holder, m, key); err != nil {
			return nil, err
		}
		if !holds(yielding, holder.ID) {
			yielding = append(yielding, holder)
		}
	}
	return yielding, nil
}

// checkYields refuses a name that the holder keeps. A tombstone yields any. A living
// member yields an address that nobody verified, or whoever shows one first would
// block the invitation of its owner.
func (d *Directory) checkYields(holder, m *storedMember, key string) error {
	isEmail := m.Email != "" && key == d.names.email(m.OrganizationID, m.Email)
	switch {
	case holder.deleted(), isEmail && holder.emailState() == unverifiedHolder:
		return nil
	case isEmail:
		return ErrDuplicateEmail
	}
	return ErrDuplicateExternalID
}

func holds(members []*storedMember, id string) bool {
	return slices.ContainsFunc(members, func(m *storedMember) bool { return m.ID == id })
}

// change writes what the caller gave, or refuses it.
func (m *memberRecord) change(c MemberChange) error {
	if err := m.changeEmail(c); err != nil {
		return err
	}
	if err := m.changeExternalID(c.ExternalID); err != nil {
		return err
	}
	if err := m.changeName(c.Name); err != nil {
		return err
	}
	if c.Roles != nil {
		roles, err := roleSet(*c.Roles)
		if err != nil {
			return err
		}
		m.Roles = roles
	}
	if err := m.changeMetadata(c); err != nil || c.Check == nil {
		return err
	}
	return c.Check(m.export(0))
}

func (m *memberRecord) changeEmail(c MemberChange) error {
	if c.Email != nil {
		address, _, ok := email.Parse(*c.Email)
		if !ok && *c.Email != "" {
			return errArgument.because("email_address")
		}
		if address != m.Email {
			m.retireEmail()
			m.Email, m.EmailOwner = address, ByAPI
		}
	}
	assign(&m.EmailVerified, c.EmailVerified)
	m.EmailVerified = m.EmailVerified && m.Email != ""
	return nil
}

func (m *memberRecord) changeExternalID(id *string) (err error) {
	switch {
	case id == nil:
	case *id == "":
		m.ExternalIDs = m.ExternalIDs.without(NamespaceAPI)
	case !isExternalReference(*id) || looksGenerated(*id, memberPrefix):
		return errArgument.because("external_id")
	default:
		m.ExternalIDs, err = m.ExternalIDs.with(NamespaceAPI, *id)
	}
	return err
}

func (m *memberRecord) changeName(name *string) error {
	if name == nil {
		return nil
	}
	if displayText(*name) != *name {
		return errArgument.because("name")
	}
	m.Name, m.NameOwner = *name, ByAPI
	return nil
}

func (m *memberRecord) changeMetadata(c MemberChange) error {
	trusted, err := merge(m.TrustedMetadata, c.TrustedMetadata)
	if err != nil {
		return err
	}
	untrusted, err := merge(m.UntrustedMetadata, c.UntrustedMetadata)
	if err != nil {
		return err
	}
	m.TrustedMetadata, m.UntrustedMetadata = trusted, untrusted
	m.own(c.TrustedMetadata)
	return nil
}

// own makes the API the owner of the keys it wrote; what it deleted is
// anybody's.
func (m *memberRecord) own(written claims.Object) {
	owners := maps.Clone(m.MetadataOwners)
	if owners == nil {
		owners = map[string]string{}
	}
	for key, value := range written {
		if value == nil {
			delete(owners, key)
		} else {
			owners[key] = ByAPI
		}
	}
	m.MetadataOwners = owners
}
