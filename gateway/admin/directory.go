package admin

import (
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// An Organization is a tenant.
type Organization struct {
	ID           string        `json:"organization_id"`
	ConfiguredID string        `json:"configured_id,omitempty"`
	Name         string        `json:"name"`
	Slug         string        `json:"slug,omitempty"`
	ExternalID   string        `json:"external_id,omitempty"`
	Profiles     []string      `json:"profiles"`
	CreatedBy    string        `json:"created_by,omitempty"`
	NotBefore    *time.Time    `json:"not_before,omitempty"`
	CreatedAt    *time.Time    `json:"created_at,omitempty"`
	Metadata     claims.Object `json:"trusted_metadata,omitempty"`
}

func organizationOf(o directory.Organization) Organization {
	profiles := o.Profiles
	if profiles == nil {
		profiles = []string{}
	}
	return Organization{
		ID: o.ID, ConfiguredID: o.ConfiguredID, Name: o.Name, Slug: o.Slug, ExternalID: o.ExternalID, Profiles: profiles,
		CreatedBy: o.CreatedBy, NotBefore: moment(o.NotBefore), CreatedAt: moment(o.CreatedAt), Metadata: o.TrustedMetadata,
	}
}

func (a *Admin) organizations(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	list := []Organization{}
	err = a.Core.EachOrganization(c.Context(), "", func(o directory.Organization) (bool, error) {
		if len(list) == limit {
			c.more()
			return false, nil
		}
		list = append(list, organizationOf(o))
		return true, nil
	})
	return list, err
}

func (a *Admin) organization(c *call) (any, error) {
	o, err := a.Core.Directory.FindOrganization(c.Context(), c.PathValue("organization"))
	return organizationOf(o), err
}

func (a *Admin) revokeOrganization(c *call) (any, error) {
	o, err := a.Core.RevokeOrganization(c.Context(), c.PathValue("organization"))
	return Done{Revoked: o.ID}, err
}

// A Member is a person or machine within one organization.
type Member struct {
	ID             string `json:"member_id"`
	OrganizationID string `json:"organization_id"`
	Status         string `json:"status"`
	Email          string `json:"email_address,omitempty"`
	EmailVerified  bool   `json:"email_verified"`
	// EmailOwner is the profile that wrote the address, or "api".
	EmailOwner      string              `json:"email_owner,omitempty"`
	UnverifiedEmail string              `json:"unverified_email,omitempty"`
	Name            string              `json:"name,omitempty"`
	ExternalIDs     map[string]string   `json:"external_ids,omitempty"`
	Roles           []string            `json:"roles,omitempty"`
	ProfileRoles    map[string][]string `json:"profile_roles,omitempty"`
	NotBefore       *time.Time          `json:"not_before,omitempty"`
	CreatedAt       *time.Time          `json:"created_at,omitempty"`
	Metadata        claims.Object       `json:"trusted_metadata,omitempty"`
}

func memberOf(m directory.Member) Member {
	return Member{
		ID: m.ID, OrganizationID: m.OrganizationID, Status: m.Status, Email: m.Email, EmailVerified: m.EmailVerified, EmailOwner: m.EmailOwner,
		UnverifiedEmail: m.UnverifiedEmail, Name: m.Name, ExternalIDs: m.ExternalIDs, Roles: m.Roles, ProfileRoles: m.ProfileRoles,
		NotBefore: moment(m.NotBefore), CreatedAt: moment(m.CreatedAt), Metadata: m.TrustedMetadata,
	}
}

func (a *Admin) members(c *call) (any, error) {
	limit, err := c.limit()
	if err != nil {
		return nil, err
	}
	list := []Member{}
	err = a.Core.EachMember(c.Context(), c.query("organization"), func(m directory.Member) (bool, error) {
		if len(list) == limit {
			c.more()
			return false, nil
		}
		list = append(list, memberOf(m))
		return true, nil
	})
	return list, err
}

func (a *Admin) member(c *call) (any, error) {
	m, err := a.Core.FindMember(c.Context(), c.query("organization"), c.PathValue("member"))
	return memberOf(m), err
}

func (a *Admin) revokeMember(c *call) (any, error) {
	name := c.PathValue("member")
	return Done{Revoked: name}, a.Core.RevokeMember(c.Context(), c.query("organization"), name)
}
