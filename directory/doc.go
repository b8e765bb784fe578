// Package directory knows who is known: organizations, their members, and what
// each of them may be called.
//
// # Signing somebody in
//
// A verified token becomes a member of an organization in one call:
//
//	d, err := directory.New(directory.Config{Store: s, IndexKey: key, Organizations: configured})
//	organization, member, err := d.Resolve(ctx, directory.Assertion{
//		Profile: "okta", Namespace: "okta",
//		ExternalID: "00u1", Email: "ada@acme.example", EmailVerified: true,
//		Organization: "acme", OrganizationFixed: true,
//		CreateMembers: true, IssuedAt: issued,
//	})
//
// [Directory.Resolve] finds the organization within the profile's reach, finds
// the member by external id or verified email, makes either of them where the
// profile may, and keeps the roles and metadata that the token asserts. It
// writes only what changed: a token presented a second time costs reads alone.
//
// # Who an address is
//
// An address names a member only if both sides are verified: the token's
// (email_verified: true, or `email_verified assume` of its profile) and the
// member's (an earlier verified token, or the API, which wrote the address or
// called it verified). One side alone is an account pre-hijack: whoever brings
// somebody else's address first would share the member with its owner. A token
// that verifies an address takes it from a member who only claims it, and so does
// the API, which names a member by it; a token that does not verify it is whom its
// external id names, or [ErrEmailNotVerified]. The table
// stands in link.go, and holds for second factors and exchange as well.
//
// Members stored before this rule are read by it too. Their address counts as
// verified where the record says so or where the API wrote it, and no further: a
// member who signed in by an unverified address keeps its external id, and loses
// the address to the first token that verifies it. A factor stored before factors
// recorded their address asserts none.
//
// What it refuses is an [*Error] with a stable code, and is the same for every
// tenant that asks for what is not theirs: an organization that does not admit
// the profile is not found.
//
// # Managing
//
// Callers of the API name organizations by id, external id or slug and members
// by id or external id; the methods are CreateOrganization, UpdateOrganization,
// DeleteOrganization, SearchOrganizations and likewise for members. Nothing that
// was deleted is forgotten: its record stays as a tombstone, which no token
// revives, and its id is never given again.
//
// # Roles
//
// Roles are opaque names. [Member.EffectiveRoles] are those that hold now: the
// operator's always, a profile's only while a factor of that profile counts. What
// a role allows is package rbac's to say.
//
// # Cutting off
//
// RevokeMember, RevokeOrganization and RevokeProfile refuse every token issued until then;
// the NotBefore of [Member] and [Organization] and [Directory.ProfileState] tell
// whoever holds sessions which of them to refuse as well. DisableProfile keeps a
// profile from starting anything new; [AllProfiles] stands for every one.
//
// # What is stored
//
// A member and the indexes that find it live in the partition of their
// organization and change together. Only the references by which organizations
// are found (external ids and slugs) live elsewhere; they are hints, checked
// against the organization they name. No email address and no external id ever
// stands in the name of a record: names are HMACs under [Config.IndexKey].
//
// A configured organization whose external id a profile of its list has already
// given to one created just in time becomes that one: see [Directory.Adopt].
//
// Configured organizations need no record. One is made on demand for what cannot
// be configured: a revocation, or metadata that the API added. What the
// configuration says of them always wins.
//
// The package never logs and reads no clock but [Config.Now].
package directory
