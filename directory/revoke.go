package directory

import (
	"context"
	"time"
)

// RevokeMember refuses from now on every token of the member that was issued, and
// every session that was started, at or before at. An earlier revocation never replaces
// a later one. The member may be a deleted one.
func (d *Directory) RevokeMember(ctx context.Context, organizationID, memberID string, at time.Time) error {
	return retry(ctx, "revoke member", func() error {
		m, err := d.loadMember(ctx, organizationID, memberID)
		if err != nil {
			return err
		}
		if !m.moveNotBefore(at) {
			return nil
		}
		return d.saveMember(ctx, change{member: m, had: d.names.memberKeys(&m.memberRecord)})
	})
}

// moveNotBefore moves the member's NotBefore and tells whether it moved.
func (m *memberRecord) moveNotBefore(at time.Time) bool {
	before := m.NotBefore
	m.NotBefore = later(before, at.UTC().Round(0))
	return !m.NotBefore.Equal(before)
}

// RevokeOrganization is RevokeMember for all members of an organization, which may be
// a configured one.
func (d *Directory) RevokeOrganization(ctx context.Context, organizationID string, at time.Time) error {
	return retry(ctx, "revoke organization", func() error {
		o, _, err := d.live(ctx, organizationID)
		if err != nil {
			return err
		}
		before := o.NotBefore
		if o.NotBefore = later(before, at.UTC().Round(0)); o.NotBefore.Equal(before) {
			return nil
		}
		return d.saveOrganization(ctx, o)
	})
}
