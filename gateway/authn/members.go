package authn

import (
	"context"

	"github.com/attestgate/caddy-attest/directory"
)

// Changes to members and organizations go through here, so that they take effect
// on this node at once: what it has cached of them is dropped.

// FindMember finds a member by id, or by id or external id within an organization.
func (a *Authenticator) FindMember(ctx context.Context, organization, member string) (directory.Member, error) {
	if organization == "" {
		return a.Directory.LocateMember(ctx, member)
	}
	o, err := a.Directory.FindOrganization(ctx, organization)
	if err != nil {
		return directory.Member{}, err
	}
	return a.Directory.FindMember(ctx, o.ID, member)
}

// CreateMember creates a member of an organization.
func (a *Authenticator) CreateMember(ctx context.Context, organization string, n directory.NewMember) (directory.Member, error) {
	n.Check, n.Demoted = a.checkMemberClaims, a.cache.dropMember
	return a.changedMember(ctx, MemberCreated)(a.Directory.CreateMember(ctx, organization, n))
}

// UpdateMember changes a member.
func (a *Authenticator) UpdateMember(ctx context.Context, organization, member string, c directory.MemberChange) (directory.Member, error) {
	if addsMetadata(c.TrustedMetadata) {
		c.Check = a.checkMemberClaims
	}
	c.Demoted = a.cache.dropMember
	return a.changedMember(ctx, MemberChanged)(a.Directory.UpdateMember(ctx, organization, member, c))
}

// ReactivateMember makes a deleted member active. Sessions that ended with the
// deletion stay ended.
func (a *Authenticator) ReactivateMember(ctx context.Context, organization, member string) (directory.Member, error) {
	return a.changedMember(ctx, MemberChanged)(a.Directory.ReactivateMember(ctx, organization, member))
}

// RemoveMemberExternalID removes the external id that the API gave. Ids that
// profiles know the member by stay.
func (a *Authenticator) RemoveMemberExternalID(ctx context.Context, organization, member string) (directory.Member, error) {
	return a.changedMember(ctx, MemberChanged)(a.Directory.RemoveExternalID(ctx, organization, member, directory.NamespaceAPI))
}

// DeleteMember deletes a member and ends its sessions. Should the store fail in
// between, they are refused all the same, and for good.
func (a *Authenticator) DeleteMember(ctx context.Context, organization, member string) (directory.Member, error) {
	m, err := a.FindMember(ctx, organization, member)
	if err != nil {
		return directory.Member{}, err
	}
	if err := a.Directory.DeleteMember(ctx, m.OrganizationID, m.ID); err != nil {
		return directory.Member{}, err
	}
	if m, err = a.changedMember(ctx, MemberDeleted)(m, nil); err != nil {
		return m, err
	}
	return m, a.revokeSessionsOf(ctx, m)
}

// changedMember makes a change of a member take effect here, and tells of it.
func (a *Authenticator) changedMember(ctx context.Context, action Action) func(directory.Member, error) (directory.Member, error) {
	return func(m directory.Member, err error) (directory.Member, error) {
		if err == nil {
			a.cache.dropMember(m)
			a.Tell(ctx, Event{Action: action, OrganizationID: m.OrganizationID, MemberID: m.ID})
		}
		return m, err
	}
}
