package directory

import (
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

// ByAPI stands where a profile's name would: for what the API has made or
// written. No profile can be called so.
const ByAPI = "@api"

// Organization is a tenant. What a Directory answers is the caller's own, but
// the values inside its metadata are shared and must not be changed.
type Organization struct {
	// ID is what the operator called a configured organization, else
	// "organization-<uuid>". It is never given twice.
	ID string
	// ConfiguredID is what the operator called it, where it is configured: the ID,
	// unless it was adopted (see Directory.Adopt).
	ConfiguredID string
	// NoAdoption keeps a configured organization from adopting another.
	NoAdoption bool
	// Name is for people: 1 to 128 characters.
	Name string
	// Slug is for URLs: 2 to 128 of A–Z a–z 0–9 - . _ ~. Every organization that
	// is not configured has one.
	Slug string
	// ExternalID is what tokens call the organization; it may be empty.
	ExternalID string
	// Profiles are those whose tokens may name the organization; see Admits. Nil
	// means that there is no list, which is not the same as an empty one; a configured
	// organization always has one.
	Profiles []string
	// CreatedBy is the profile whose token made the organization, or ByAPI; empty
	// for a configured one.
	CreatedBy string
	// Configured tells that the operator's configuration holds it.
	Configured bool
	// TrustedMetadata is at most 20 keys and 4,096 bytes.
	TrustedMetadata claims.Object
	// Status is StatusActive or StatusDeleted.
	Status string
	// NotBefore is when all access to the organization was last revoked: tokens
	// issued and sessions started at or before it are refused. Zero: never.
	NotBefore time.Time
	// CreatedAt and UpdatedAt are zero for a configured organization without a
	// record.
	CreatedAt, UpdatedAt time.Time
	// Version is the version of the organization's record, 0 where it has none.
	Version uint64
}

// Admits tells whether tokens of the profile may sign members of the
// organization in. The organization admits the profiles it lists and the one
// that made it; one that the API made without a list admits any profile as well,
// but only where a caller of the API names the organization (namedByAPI), never
// by what a token says.
func (o Organization) Admits(profile string, namedByAPI bool) bool {
	switch {
	case profile == "" || profile == ByAPI:
		return false
	case slices.Contains(o.Profiles, profile), o.CreatedBy == profile:
		return true
	}
	return namedByAPI && o.CreatedBy == ByAPI && o.Profiles == nil
}

// answersTo tells whether a caller of the API means this organization by ref.
func (o Organization) answersTo(ref string) bool {
	return ref != "" && (o.ID == ref || o.ConfiguredID == ref || o.ExternalID == ref || o.Slug == ref)
}
