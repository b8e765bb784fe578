package trust

import (
	"context"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// trial is one token before one profile: what is known so far.
type trial struct {
	ctx     context.Context
	profile *Profile
	now     time.Time
	raw     string

	token      *jose.Token
	captured   map[string]string
	candidates []Key
	key        Key

	expiry, issuedAt, notBefore time.Time
	// id is what Verify answers. It is kept apart from the trial, so that whoever
	// remembers it does not keep the token.
	id *Identity
}

// check is one question to a token. The list of them is the one that Verify
// walks to the first failure and Explain to the end.
type check struct {
	name string
	// needs are checks that must have passed for this one to mean anything.
	needs []string
	// run asks it: nil is a yes. It may fill the trial in.
	run func(*trial) *failure
	// configured and found say what the profile asks for and what the token has;
	// they are called where somebody reads it.
	configured func(*Profile) string
	found      func(*trial) string
}

// failure is the no of a check.
type failure struct {
	code, remedy string
	// outage is set where nothing can be said about the token.
	outage error
}

// checks in their order. Issuer and audience come before the key, because a
// token meant for somebody else should cost no fetch and be told so; what they
// say of a token that fails later counts for nothing.
func checks() []check {
	return []check{
		{"parse", nil, checkParse, describeParse, foundToken},
		{"type", []string{"parse"}, checkType, configuredTypes, foundType},
		{"algorithm", []string{"parse"}, checkAlgorithm, configuredAlgorithms, foundAlgorithm},
		{"issuer", []string{"parse"}, checkIssuer, configuredIssuers, foundClaim("iss")},
		{"audience", []string{"parse"}, checkAudience, configuredAudiences, foundAudience},
		{"key", []string{"parse", "algorithm"}, checkKey, configuredKeys, foundKeyID},
		{"signature", []string{"parse", "algorithm", "key"}, checkSignature, configuredKeys, foundKey},
		{"expiry", []string{"parse"}, checkExpiry, configuredLeeway, foundTime("exp")},
		{"not_before", []string{"parse"}, checkNotBefore, configuredLeeway, foundTime("nbf")},
		{"issued_at", []string{"parse"}, checkIssuedAt, configuredLeeway, foundTime("iat")},
		{"age", []string{"parse", "issued_at"}, checkAge, configuredAge, foundTime("iat")},
		{"lifetime", []string{"parse", "expiry", "issued_at"}, checkLifetime, configuredLifetime, foundLifetime},
		{"auth_time", []string{"parse", "issued_at"}, checkAuthTime, configuredLeeway, foundTime("auth_time")},
		{"required_claims", []string{"parse"}, checkRequired, configuredRequired, foundRequired},
		{"external_id", []string{"parse"}, checkExternalID, configuredMap(AttributeExternalID), foundMapped(AttributeExternalID)},
		{"email", []string{"parse"}, checkEmail, configuredEmail, foundMapped(AttributeEmail)},
		{"identity", []string{"parse", "external_id", "email"}, checkIdentity, configuredIdentity, foundIdentity},
		{"token_id", []string{"parse"}, checkTokenID, configuredMap(AttributeTokenID), foundMapped(AttributeTokenID)},
		{"name", []string{"parse"}, checkName, configuredMap(AttributeName), foundMapped(AttributeName)},
		{"roles", []string{"parse"}, checkRoles, configuredRoles, foundMapped(AttributeRoles)},
		{"metadata", []string{"parse"}, checkMetadata, configuredMetadata, foundMetadata},
		{"organization", []string{"parse", "issuer"}, checkOrganization, configuredOrganization, foundOrganization},
		{"session_key", []string{"parse"}, checkSessionKey, configuredSessionKey, foundSessionKey},
	}
}
