package directory

import (
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

// Entity names what a record of a directory is about: an organization
// (OrganizationID alone), a member (both ids), or when a profile was revoked
// (Profile).
type Entity struct {
	OrganizationID, MemberID, Profile string
}

// Changed tells which entity has changed, and false where the event is about
// none: a record of another package, or an index.
func Changed(e store.Event) (Entity, bool) {
	if e.Partition == referencePartition {
		profile, ok := strings.CutPrefix(e.Key, profileKeyPrefix)
		return Entity{Profile: profile}, ok
	}
	id, ok := organizationOf(e.Partition)
	if !ok {
		return Entity{}, false
	}
	if e.Key == organizationKey {
		return Entity{OrganizationID: id}, true
	}
	member, ok := strings.CutPrefix(e.Key, memberKeyPrefix)
	return Entity{OrganizationID: id, MemberID: member}, ok
}
