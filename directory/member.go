package directory

import (
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

// The states of members; organizations are only ever active or deleted.
const (
	// StatusActive: has signed in, or was made so.
	StatusActive = "active"
	// StatusInvited and StatusPending: made by the API and not seen yet. The first
	// sign-in makes them active.
	StatusInvited = "invited"
	StatusPending = "pending"
	// StatusDeleted: a tombstone, which only the API can reactivate.
	StatusDeleted = "deleted"
)

// NamespaceAPI is the namespace of the external ids that callers of the API
// give.
const NamespaceAPI = "api"

// Member is a person or machine within one organization. The same email address
// in two organizations is two members. What a Directory answers is the caller's
// own, but the values inside its metadata are shared and must not be changed.
type Member struct {
	// ID is "member-<uuid>" and never given twice.
	ID             string
	OrganizationID string
	// Status is one of the Status constants.
	Status string
	// Email identifies the member: lower case, ASCII, written only by the API or
	// by a profile whose email_domains cover it. It may be empty.
	Email string
	// EmailVerified tells that a token verified Email, or the operator did by the
	// profile or by the API. Unless it holds, or the API wrote Email, no token is
	// this member by its address.
	EmailVerified bool
	// EmailOwner is who wrote Email: a profile, or ByAPI; empty where there is none.
	EmailOwner string
	// RetiredEmails are former values of Email, the newest last, at most 10. They
	// identify nobody.
	RetiredEmails []string
	// UnverifiedEmail is an address that no covering profile asserted, or that is
	// another member's. Nothing is looked up by it.
	UnverifiedEmail string
	Name            string
	// ExternalIDs are the member's ids by namespace.
	ExternalIDs map[string]string
	// Roles are the operator's: they hold always.
	Roles []string
	// ProfileRoles are those that tokens asserted, by profile; they hold while a
	// factor of that profile counts.
	ProfileRoles map[string][]string
	// TrustedMetadata and UntrustedMetadata are at most 20 keys and 4,096 bytes
	// each.
	TrustedMetadata, UntrustedMetadata claims.Object
	// MetadataOwners says who wrote each key of TrustedMetadata: a profile, or
	// ByAPI.
	MetadataOwners map[string]string
	// NotBefore is when the member was last revoked: tokens issued and sessions
	// started at or before it are refused. Zero: never.
	NotBefore            time.Time
	CreatedAt, UpdatedAt time.Time
	// Version is the version of the member's record.
	Version uint64
}

// ExternalID is the id that a caller of the API gave; it may be empty.
func (m Member) ExternalID() string { return m.ExternalIDs[NamespaceAPI] }

// EffectiveRoles are the operator's roles and those of the profiles a factor of
// which counts now, sorted, each once.
func (m Member) EffectiveRoles(countingProfiles []string) []string {
	roles := slices.Clone(m.Roles)
	for _, profile := range countingProfiles {
		roles = append(roles, m.ProfileRoles[profile]...)
	}
	return sortedSet(roles)
}

// sortedSet sorts names in place and drops repetitions.
func sortedSet(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
