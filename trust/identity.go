package trust

import "time"

// Identity is the result of a verification. It is shared between requests and must not
// be changed.
type Identity struct {
	// Profile that verified the token, and the token's iss.
	Profile, Issuer string
	// Namespace and ExternalID name a person or machine; ExternalID may be empty
	// where Email is covered.
	Namespace, ExternalID string

	// Email is the address in lower case where the profile vouches for it
	// (EmailCovered); any other is UnverifiedEmail, as the token spells it, and
	// does not identify a member.
	Email           string
	EmailCovered    bool
	UnverifiedEmail string
	// EmailVerified tells that the token itself says email_verified: true.
	EmailVerified bool

	// Name for display; may be empty.
	Name string
	// TokenID is the mapped claim, jti by default, else the Digest in hexadecimal.
	TokenID string

	// Roles that the profile gives for the token's values, sorted, each once.
	// HasRoles tells that the profile maps roles and the token has the claim;
	// DroppedRoles counts the values the profile does not list.
	Roles        []string
	HasRoles     bool
	DroppedRoles int

	// Metadata holds the mapped trusted_metadata keys that the token has.
	Metadata map[string]any

	// Dropped says which claims could not be taken for an attribute, and why, without
	// their values.
	Dropped []string

	// Claims are those of Config.KeepClaims that the token has, by their paths.
	Claims map[string]any

	// Organization that the token is for.
	Organization OrganizationRef

	// IssuedAt is the token's iat; where it has none the earliest that a token of this
	// exp may have, exp − MaxLifetime.
	IssuedAt time.Time
	// ProvedAt is when the person proved who they are, as Factor.Proved says, never later
	// than iat; zero where the token does not say, and then it is never fresh.
	ProvedAt time.Time
	// Until is when the token ceases to be a credential: the earliest of exp + leeway,
	// iat + MaxTokenAge and ProvedAt + Factor.ValidFor.
	Until time.Time
	// ExpiresAt is the token's exp.
	ExpiresAt time.Time

	// Digest names the token: its SHA-256, with ECDSA that of its header and payload.
	// (Of an ECDSA signature anybody can make a second valid one. It
	// must have the same digest, or a revoked token could be used again.)
	Digest [32]byte
	// SessionKey holds the values of Config.SessionKey, in its order.
	SessionKey []string
	// KeyThumbprint names the key that signed (RFC 7638).
	KeyThumbprint string
	// Factor is what the token counts as.
	Factor Factor
}

// OrganizationRef names an organization. The zero value names none.
type OrganizationRef struct {
	// Value is an id or an external id.
	Value string
	// Fixed tells that the value is set by the operator: the id of a configured
	// organization, else an external id. Otherwise it comes from a token, and may match
	// an external id only.
	Fixed bool
}
