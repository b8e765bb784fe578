package directory

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

// recordFormat is the format of every record of this package.
const recordFormat = 1

// memberRecord is a member as stored. What a newer release adds stays in
// Unknown.
type memberRecord struct {
	ID                string                   `json:"id"`
	OrganizationID    string                   `json:"organization"`
	Status            string                   `json:"status"`
	Email             string                   `json:"email,omitzero"`
	EmailOwner        string                   `json:"email_owner,omitzero"`
	EmailVerified     bool                     `json:"email_verified,omitzero"`
	RetiredEmails     []string                 `json:"retired_emails,omitzero"`
	UnverifiedEmail   string                   `json:"unverified_email,omitzero"`
	UnverifiedOwner   string                   `json:"unverified_owner,omitzero"`
	Name              string                   `json:"name,omitzero"`
	NameOwner         string                   `json:"name_owner,omitzero"`
	ExternalIDs       externalIDs              `json:"external_ids,omitempty"`
	Roles             []string                 `json:"roles,omitempty"`
	Profiles          map[string]profileRecord `json:"profiles,omitempty"`
	TrustedMetadata   map[string]any           `json:"trusted_metadata,omitempty"`
	UntrustedMetadata map[string]any           `json:"untrusted_metadata,omitempty"`
	MetadataOwners    map[string]string        `json:"metadata_owners,omitempty"`
	NotBefore         time.Time                `json:"not_before,omitzero"`
	CreatedAt         time.Time                `json:"created_at,omitzero"`
	UpdatedAt         time.Time                `json:"updated_at,omitzero"`
	Unknown           map[string]any           `json:",embed"`
}

// profileRecord is what a profile's tokens said of a member.
type profileRecord struct {
	// IssuedAt is the newest token's that wrote anything into the member.
	IssuedAt time.Time      `json:"issued_at,omitzero"`
	Roles    []string       `json:"roles,omitempty"`
	Unknown  map[string]any `json:",embed"`
}

// organizationRecord is an organization as stored. Of a configured one it holds
// only what the configuration cannot say.
type organizationRecord struct {
	ID              string         `json:"id"`
	Configured      bool           `json:"configured,omitzero"`
	Name            string         `json:"name,omitzero"`
	Slug            string         `json:"slug,omitzero"`
	ExternalID      string         `json:"external_id,omitzero"`
	Profiles        []string       `json:"profiles,omitzero"` // nil: no list
	CreatedBy       string         `json:"created_by,omitzero"`
	AdoptedBy       string         `json:"adopted_by,omitzero"` // the operator's id
	Status          string         `json:"status"`
	TrustedMetadata map[string]any `json:"trusted_metadata,omitempty"`
	NotBefore       time.Time      `json:"not_before,omitzero"`
	CreatedAt       time.Time      `json:"created_at,omitzero"`
	UpdatedAt       time.Time      `json:"updated_at,omitzero"`
	Unknown         map[string]any `json:",embed"`
}

// indexRecord says which member has an external id or address.
type indexRecord struct {
	Member  string         `json:"member"`
	Unknown map[string]any `json:",embed"`
}

// referenceRecord says which organization has an external id or slug. It is
// believed only if the organization says so too.
type referenceRecord struct {
	Organization string         `json:"organization"`
	At           time.Time      `json:"at"`
	Unknown      map[string]any `json:",embed"`
}

// stateRecord is a ProfileState as it is stored.
type stateRecord struct {
	NotBefore time.Time      `json:"not_before"`
	Disabled  bool           `json:"disabled,omitempty"`
	Unknown   map[string]any `json:",embed"`
}

// decode reads a record that exists. Neither name nor content is in the error:
// the key says what it is to whoever has the store.
func decode(r store.Record, v any) error {
	if err := record.Decode(r.Value, recordFormat, v); err != nil {
		return fmt.Errorf("directory: record %s: %w", r.Key, err)
	}
	return nil
}

// write is the op that puts v where a record of version expect stands now.
func write(key string, expect uint64, v any, tags ...string) (store.Op, error) {
	data, err := record.Encode(recordFormat, v)
	if err != nil {
		return store.Op{}, fmt.Errorf("directory: record %s: %w", key, err)
	}
	return store.Op{Key: key, Expect: expect, Value: data, Tags: tags}, nil
}

func (m *memberRecord) deleted() bool { return m.Status == StatusDeleted }

// tidy drops empty maps, so that a member just written is the same as one read.
func (m *memberRecord) tidy() {
	if len(m.ExternalIDs) == 0 {
		m.ExternalIDs = nil
	}
	if len(m.MetadataOwners) == 0 {
		m.MetadataOwners = nil
	}
}

// export is the member as others see it, sharing no map with the record.
func (m *memberRecord) export(version uint64) Member {
	return Member{
		ID: m.ID, OrganizationID: m.OrganizationID, Status: m.Status,
		Email: m.Email, EmailVerified: m.EmailVerified, EmailOwner: m.EmailOwner, RetiredEmails: slices.Clone(m.RetiredEmails),
		UnverifiedEmail: m.UnverifiedEmail, Name: m.Name,
		ExternalIDs: maps.Clone(m.ExternalIDs), Roles: slices.Clone(m.Roles), ProfileRoles: m.profileRoles(),
		TrustedMetadata: maps.Clone(m.TrustedMetadata), UntrustedMetadata: maps.Clone(m.UntrustedMetadata),
		MetadataOwners: maps.Clone(m.MetadataOwners),
		NotBefore:      m.NotBefore, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Version: version,
	}
}

func (m *memberRecord) profileRoles() map[string][]string {
	if len(m.Profiles) == 0 {
		return nil
	}
	roles := make(map[string][]string, len(m.Profiles))
	for name, p := range m.Profiles {
		if len(p.Roles) > 0 {
			roles[name] = slices.Clone(p.Roles)
		}
	}
	return roles
}
