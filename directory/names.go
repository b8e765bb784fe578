package directory

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/store"
)

// Partitions, keys and tags. A partition o:<organization> holds
//
//	org               the organization
//	m:<member>        a member
//	x:<hmac>          which member has an external id
//	e:<hmac>          which member has an email address
//
// and the partition orgs
//
//	r:<hmac>          which organization has an external id or slug
//	p:<profile>       when a profile was revoked
//
// Slugs and external ids share one index, so that nobody can be given the slug
// that is somebody else's external id: a caller of the API may mean either.
const (
	referencePartition = "orgs"
	organizationKey    = "org"
	organizationsTag   = "organizations"

	memberKeyPrefix  = "m:"
	profileKeyPrefix = "p:"
)

// OrganizationRef names the record that changes when the organization does.
func OrganizationRef(organizationID string) store.Ref {
	return store.Ref{Partition: partition(organizationID), Key: organizationKey}
}

// MemberRef names the record that changes when the member does.
func MemberRef(organizationID, memberID string) store.Ref {
	return store.Ref{Partition: partition(organizationID), Key: memberKey(memberID)}
}

// ProfileRef names the record that changes when the state of a profile does.
func ProfileRef(profile string) store.Ref {
	return store.Ref{Partition: referencePartition, Key: profileKeyPrefix + profile}
}

func partition(organizationID string) string { return "o:" + organizationID }

func organizationOf(partition string) (string, bool) { return strings.CutPrefix(partition, "o:") }

func memberKey(memberID string) string { return memberKeyPrefix + memberID }

// membersTag is on every member of the organization, memberTag on one member.
func membersTag(organizationID string) string { return "members:" + organizationID }
func memberTag(memberID string) string        { return "member:" + memberID }

// isOrganizationID tells whether there could be such an organization; a text
// outside the store's alphabet is nobody's id rather than a fault.
func isOrganizationID(id string) bool {
	return id != "" && store.CheckName(membersTag(id)) == nil
}

func isMemberID(id string) bool {
	return looksGenerated(id, memberPrefix) && store.CheckName(memberKey(id)) == nil
}

// namer makes names from what strangers choose. It holds its key where no verb
// of fmt prints it.
type namer struct{ mac func() hash.Hash }

func newNamer(key []byte) namer {
	key = slices.Clone(key)
	return namer{func() hash.Hash { return hmac.New(sha256.New, key) }}
}

// hash is the HMAC of the parts, each with its length before it so that no two
// lists of parts are one text.
func (n namer) hash(parts ...string) string {
	mac := n.mac()
	for _, part := range parts {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (n namer) reference(text string) string {
	return "r:" + n.hash("organization", text)
}

// The organization is part of a member's names, so that who sees them cannot
// tell that two organizations share a person.
func (n namer) externalID(organizationID, namespace, id string) string {
	return "x:" + n.hash("external_id", organizationID, namespace, id)
}

func (n namer) email(organizationID, address string) string {
	return "e:" + n.hash("email", organizationID, address)
}

// memberKeys are the index names of a member, in no order.
func (n namer) memberKeys(m *memberRecord) []string {
	var keys []string
	for namespace, id := range m.ExternalIDs {
		keys = append(keys, n.externalID(m.OrganizationID, namespace, id))
	}
	if m.Email != "" {
		keys = append(keys, n.email(m.OrganizationID, m.Email))
	}
	return keys
}

// isMemberRef tells whether a listed record can be a member of the organization.
func isMemberRef(ref store.Ref, organizationID string) bool {
	return ref.Partition == partition(organizationID) && strings.HasPrefix(ref.Key, memberKeyPrefix)
}
