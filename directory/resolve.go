package directory

import (
	"context"
	"fmt"

	"github.com/attestgate/caddy-attest/store"
)

// Resolve is the organization and the member whom a verified token means.
//
// It makes them where the profile may and nobody is there yet, links the token's
// external id or covered email to the member it finds, makes an invited member
// active, and keeps the roles and metadata of the newest token. A thousand
// concurrent calls for one new identity make one member. Where nothing changes
// it only reads.
//
// A refusal is an *Error that names the profile: ErrOrganizationNotFound,
// ErrNotAdmitted,
// ErrMissingOrganization, ErrOrganizationClaim, ErrMemberNotFound,
// ErrDuplicateExternalID, ErrIdentityConflict, ErrEmailNotVerified,
// ErrMemberMismatch, ErrRevoked, ErrTooManyRequests, or one about roles or metadata that do not fit. Any other
// error is a fault.
func (d *Directory) Resolve(ctx context.Context, a Assertion) (Organization, Member, error) {
	canonical, err := a.canonical()
	if err != nil {
		return Organization{}, Member{}, named(err, a.Profile)
	}
	var organization Organization
	var member Member
	err = retry(ctx, "resolve", func() error {
		organization, member, err = d.resolve(ctx, canonical)
		return err
	})
	if err != nil {
		return Organization{}, Member{}, named(err, a.Profile)
	}
	return organization, member, nil
}

// resolve is one try.
func (d *Directory) resolve(ctx context.Context, a Assertion) (Organization, Member, error) {
	o, index, err := d.organizationOfToken(ctx, a)
	if err != nil {
		return Organization{}, Member{}, err
	}
	found, err := d.candidates(ctx, o.ID, a, index)
	if err != nil {
		return Organization{}, Member{}, err
	}
	organization := o.exported()
	m, err := d.member(ctx, organization, found, a)
	if err != nil {
		return Organization{}, Member{}, err
	}
	return organization, m.exported(), nil
}

// member makes, links or refreshes the member whom the token becomes.
func (d *Directory) member(ctx context.Context, o Organization, found candidates, a Assertion) (*storedMember, error) {
	if found.apart != nil { // whose id is not to be taken
		if a.Namespace = a.Former; a.Apart != nil {
			a.Apart(found.byExternalID.exported(), found.apart.exported())
		}
	}
	choose := found.choose
	if a.SecondOnly {
		choose = found.chooseExisting
	}
	chosen, err := choose(a)
	if err != nil {
		return nil, err
	}
	if chosen.withoutEmail {
		a.withholdEmail()
	}
	if chosen.member == nil {
		return d.createFromToken(ctx, o, a, chosen.loser)
	}
	return chosen.member, d.refresh(ctx, o, chosen, a)
}

// identityKeys are the index names under which the organization would know the
// token's subject: external id, then email, each if the token has one.
func (d *Directory) identityKeys(organizationID string, a Assertion) []string {
	var keys []string
	if a.ExternalID != "" {
		for _, namespace := range a.namespaces() {
			keys = append(keys, d.names.externalID(organizationID, namespace, a.ExternalID))
		}
	}
	if a.Email != "" {
		keys = append(keys, d.names.email(organizationID, a.Email))
	}
	return keys
}

// candidates reads the members that the index records of identityKeys name. The
// two were not read at one moment, so a member who no longer is what the index
// says means that it must be read again.
func (d *Directory) candidates(ctx context.Context, organizationID string, a Assertion, index []store.Record) (candidates, error) {
	var c candidates
	if a.ExternalID != "" {
		var err error
		if c, err = d.byExternalID(ctx, organizationID, a, index); err != nil {
			return c, err
		}
		index = index[len(a.namespaces()):]
	}
	if a.Email == "" {
		return c, nil
	}
	if c.byExternalID != nil && c.byExternalID.Email == a.Email {
		c.byEmail = c.byExternalID
		return c, nil
	}
	m, err := d.indexed(ctx, organizationID, index[0])
	if c.byEmail = m; m != nil && m.Email != a.Email {
		return c, errAgain
	}
	return c, err
}

// byExternalID finds the member of the external id: of the namespaces the last holds that
// knows one.
func (d *Directory) byExternalID(ctx context.Context, organizationID string, a Assertion, index []store.Record) (c candidates, err error) {
	for i, namespace := range a.namespaces() {
		m, err := d.indexed(ctx, organizationID, index[i])
		switch {
		case err != nil:
			return c, err
		case m == nil:
			continue
		case m.ExternalIDs[namespace] != a.ExternalID:
			return c, errAgain
		case c.byExternalID != nil && c.byExternalID.ID != m.ID:
			c.apart = c.byExternalID
		}
		c.byExternalID = m
	}
	return c, nil
}

// indexed is the member an index record names; nil where it names none.
func (d *Directory) indexed(ctx context.Context, organizationID string, r store.Record) (*storedMember, error) {
	entry, err := readIndexEntry(r)
	if err != nil || entry.member == "" {
		return nil, err
	}
	records, err := d.store.Get(ctx, partition(organizationID), memberKey(entry.member))
	if err != nil {
		return nil, fmt.Errorf("directory: member: %w", err)
	}
	m, err := readMember(records[0], organizationID)
	if err == nil && m == nil {
		err = errAgain
	}
	return m, err
}

// refresh keeps what the token says of the member it names, if that is new.
func (d *Directory) refresh(ctx context.Context, o Organization, chosen choice, a Assertion) error {
	m := chosen.member
	if err := a.after(m.NotBefore); err != nil {
		return err
	}
	had := d.names.memberKeys(&m.memberRecord)
	changed, err := m.assert(a)
	if err == nil {
		err = a.permit(o, m)
	}
	if err != nil || !changed {
		return err
	}
	c := change{member: m, had: had, yielding: m.takesFrom(chosen.loser)}
	err = d.saveMember(ctx, c)
	c.notify(a.Demoted, err)
	return err
}

// takesFrom is the loser, if the member has now taken its address.
func (m *storedMember) takesFrom(loser *storedMember) []*storedMember {
	if loser == nil || m.Email != loser.Email {
		return nil
	}
	return []*storedMember{loser}
}

// createFromToken makes the member that the token is the first to name; loser,
// which may be nil, loses the token's address to it.
func (d *Directory) createFromToken(ctx context.Context, o Organization, a Assertion, loser *storedMember) (*storedMember, error) {
	m, err := d.firstMember(o, a)
	if err != nil {
		return nil, err
	}
	c := change{member: m, yielding: m.takesFrom(loser)}
	key := d.names.hash("member", o.ID, a.Profile, a.Namespace, a.ExternalID, a.Email)
	err = d.createOnce(ctx, key, func(ctx context.Context) error { return d.saveFirst(ctx, c, a) })
	c.notify(a.Demoted, err)
	return m, err
}

// firstMember is the member that the token would make. All that can refuse this
// very token is decided here: what happens in flight is the same for all who are
// waiting.
func (d *Directory) firstMember(o Organization, a Assertion) (*storedMember, error) {
	if !a.CreateMembers {
		return nil, ErrMemberNotFound
	}
	m, err := d.newMember(o.ID, StatusActive)
	if err != nil {
		return nil, err
	}
	if _, err := m.assert(a); err != nil {
		return nil, err
	}
	return m, a.permit(o, m)
}

// saveFirst saves the member unless somebody is there in the meantime.
func (d *Directory) saveFirst(ctx context.Context, c change, a Assertion) error {
	entries, err := d.readTouched(ctx, c)
	if err != nil {
		return err
	}
	for _, key := range d.names.memberKeys(&c.member.memberRecord) {
		if holder := entries[key].member; holder != "" && !c.mayTakeFrom(holder) {
			return errAgain
		}
	}
	if err := d.allowMember(c.member.OrganizationID, a); err != nil {
		return err
	}
	err = d.saveOver(ctx, c, entries)
	if err == nil && a.Created != nil {
		a.Created(c.member.OrganizationID, c.member.ID)
	}
	return err
}

func (d *Directory) newMember(organizationID, status string) (*storedMember, error) {
	id, err := d.newID(memberPrefix)
	if err != nil {
		return nil, fmt.Errorf("directory: member id: %w", err)
	}
	return &storedMember{memberRecord: memberRecord{
		ID: id, OrganizationID: organizationID, Status: status, CreatedAt: d.time(),
	}}, nil
}
