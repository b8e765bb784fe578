package trust

import "time"

// Defaults of a Config.
const (
	DefaultLeeway      = 60 * time.Second
	DefaultMaxLifetime = 24 * time.Hour
	DefaultFactorType  = "trusted_auth_token"
)

// MaxLeeway is the widest clock difference a profile may allow: a
// token is accepted for that long after its exp.
const MaxLeeway = 60 * time.Second

// Attributes of an identity that Config.Map may name. MetadataPrefix takes a key
// after it: "trusted_metadata.department".
const (
	AttributeExternalID = "external_id"
	AttributeEmail      = "email"
	AttributeTokenID    = "token_id"
	AttributeName       = "name"
	AttributeRoles      = "roles"
	MetadataPrefix      = "trusted_metadata."
)

// Config is the configuration of a Profile: which tokens it accepts, and what their
// claims mean. The zero value of every field but
// Name, Issuers, Audiences and Keys is useful.
//
// Claims are named by path: the exact name of a top-level claim first (so that
// "https://app/roles" and "cognito:groups" work as they are), else names of
// nested claims joined by dots ("contact.email").
type Config struct {
	// Name of the profile: [a-z0-9][a-z0-9_-]*, but not "any", "off", "own" or "api".
	Name string

	// Issuers are the values of iss that are accepted, byte for byte. One may hold
	// captures, "https://login.microsoftonline.com/{tid}/v2.0": a captured value is
	// 1 to 64 of A–Z a–z 0–9 and -, and a claim of the same name must be absent or
	// equal to it. Several issuers, and any with a capture, are several namespaces
	// (see Namespace).
	Issuers []string

	// WithoutIssuer accepts tokens that have no iss, and none that has one; Issuers is
	// empty then. SubjectPrefix is what the sub of such a token must begin with. Default:
	// anything.
	WithoutIssuer bool
	SubjectPrefix string

	// Audiences are the values of which the token's audience must hold at least
	// one, byte for byte.
	Audiences []string
	// AudienceClaim is the claim the audience is read from. Default: "aud". (An AWS
	// Cognito access token has only "client_id".)
	AudienceClaim string

	// TokenFrom is where proxied requests carry them. Default: Authorization: Bearer. At the
	// session API the call names the profile.
	TokenFrom Place

	// Keys are the keys this profile's tokens are signed with: PEMKeys, FileKeys,
	// NewRemoteKeys, SharedSecrets, or a source of one's own.
	Keys KeySource

	// SecretClaim is the claim whose value says which of SecretFiles signed a token: its
	// installation. The organization must be a function of it, and a person of one
	// installation is never a person of another. Default: one secret for all.
	SecretClaim string

	// Algorithms are the values of alg that are accepted. Default: RS256, RS384,
	// RS512, ES256, ES384, ES512 and EdDSA. PS256, PS384 and PS512 only where
	// listed. With SharedSecrets: HS256, HS384 and HS512.
	Algorithms []string
	// Types are the values of typ that are accepted, in any case, with or without
	// "application/". Default: JWT, at+jwt, or none at all. A list replaces the
	// default, and then a token without typ is refused (RFC 8725 §3.11).
	Types []string

	// Leeway is the clock difference allowed at exp, nbf and iat. Default:
	// DefaultLeeway, which is also the most. Negative: none.
	Leeway time.Duration
	// MaxTokenAge ends a token that long after its iat, whatever its exp; iat is
	// required then. Default: no such end.
	MaxTokenAge time.Duration
	// MaxLifetime is the longest lifetime of a token: from iat, else from now, to
	// exp. Default: DefaultMaxLifetime.
	MaxLifetime time.Duration
	// RequireClaims are claims a token must have, all of them.
	RequireClaims []RequiredClaim

	// When are conditions, all of which must hold: CEL over the variable claims, with the
	// extensions for texts and sets, whole numbers exact up to 64 bits. One that cannot be
	// evaluated refuses the token.
	When []string

	// Conditions are further ones, each with a code and a remedy of its own.
	Conditions []Condition

	// MapExpressions are CEL expressions whose value an attribute is read from, in place
	// of Map. One that has no value for a token is a claim that is absent.
	MapExpressions map[string]string

	// Map names the claim that an attribute is read from: attribute to path. Default:
	// external_id from sub, email from email, token_id from jti; an entry here
	// replaces that of its attribute alone. An external_id or token_id named here is
	// required of every token. See AttributeExternalID and its neighbours.
	Map map[string]string
	// Roles lists what a value of the mapped roles claim gives: value to our roles.
	// Values that are not listed give nothing, and are counted.
	Roles map[string][]string
	// RolesForm says how the mapped claim is written. Default: a text, or an array of
	// texts and numbers.
	RolesForm RolesForm
	// AnyRole lets every value that is a role (1 to 64 of A–Z a–z 0–9 . _ : -) give the role
	// of its name, at most 100 of one token, but ReservedRoles, which only Roles can
	// give. It goes with one issuer without captures.
	AnyRole       bool
	ReservedRoles []string

	// EmailDomains are the domains whose addresses this profile vouches for, "*" for
	// all. Default: none, so that no address identifies anybody.
	EmailDomains []string
	// AssumeEmailVerified takes an address for verified where the token does not say
	// that it is not.
	AssumeEmailVerified bool
	// Namespace is where external ids of this profile live. Default, and "own": the
	// profile's name; with several issuers, or a capture, the name and a digest of the iss,
	// so that a second issuer in the list changes the namespace of the first. Profiles
	// that name the same one share their external ids on purpose. "api" is that of
	// the ids that API callers give; see Profile.FormerNamespace.
	Namespace string
	// DefaultNamespace stands in for Namespace where that is empty and the profile has one
	// issuer. Default: none.
	DefaultNamespace string

	// Organization names the organization that a token is for: a text without
	// placeholder is fixed by the operator, one with {claims.path} is made of the
	// token's claims. Default: the token names none. With a captured issuer it must
	// begin with the captures; see NewProfile.
	Organization string

	// CreateMembers and CreateOrganizations let a token create the member and the
	// organization that it names, at most so many an hour; 0 leaves the rate to the caller
	// (package directory).
	// Public says that it is meant that anybody who registers with the issuer is created.
	Public                     bool
	CreateMembers              bool
	CreateMembersPerHour       int
	CreateOrganizations        bool
	CreateOrganizationsPerHour int

	// ReplayReject takes each token id once: of proxied requests any with the same token
	// go on, and no other of that id. A jti that is no id is then refused.
	ReplayReject bool

	// Observe admits nobody, and records what would become of each token.
	Observe bool

	// Factor is what a token of this profile counts as.
	Factor Factor

	// SessionDuration and SessionIdle bound the implicit sessions of this profile.
	// Default: the end of the token.
	SessionDuration time.Duration
	SessionIdle     time.Duration
	// SessionKey are claims (strings, all required) that name one implicit session
	// for many short tokens. Default: each token has its own.
	SessionKey []string

	// KeepClaims are the paths of claims that are kept of a token: those that a claim
	// template names below "token". Together they may have 2,048 bytes of JSON.
	KeepClaims []string

	// Dev marks a profile whose keys the gateway itself holds, for trying things out.
	Dev bool

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Factor is how a token of a profile counts in a session.
type Factor struct {
	// Type names the kind of proof. Default: DefaultFactorType.
	Type string
	// SecondOnly makes it a proof that never opens a session, only joins one.
	SecondOnly bool
	// ValidFor is how long after it was proved it counts; one that does not say when
	// does not count at all. Default: as long as the session.
	ValidFor time.Duration
	// Proved is where a token without auth_time says when its proof was given:
	// ProvedIssuedAt takes iat, for issuers that make a token only for a new proof (one
	// that refreshes silently makes none), ProvedAge Clerk's fva, ProvedAuthTime nothing.
	// Default: ProvedIssuedAt with SecondOnly, else ProvedAuthTime.
	Proved string
}

// RequiredClaim is a claim that a token must have.
type RequiredClaim struct {
	// Path of the claim.
	Path string `json:"claim"`
	// Value that it must have: a string of that text, or a number or boolean
	// written so. Empty: any value but null and the empty ones.
	Value string `json:"value,omitempty"`
}

// A Condition is one of Config.Conditions.
type Condition struct {
	// Code is the reason code of a token that does not meet it: a–z 0–9 and _.
	Code string
	// When is CEL, as in Config.When.
	When string
	// Remedy says why, and what to do.
	Remedy string
}
