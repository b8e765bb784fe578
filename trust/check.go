package trust

// check is one rule that a token must pass. Verify and Explain run the same list:
// Verify to the first failure, Explain all of it.
type check struct {
	name string
	// needs are checks that must have passed for this one to mean anything.
	needs []string
	// run returns nil if the token passes. It may set fields of the verification.
	run func(*verification) *failure
	// configured describes what the profile asks for, found what the token has. They
	// are called only for a Refusal or a Finding.
	configured func(*Profile) string
	found      func(*verification) string
}

// failure is why a check did not pass.
type failure struct {
	code, remedy string
	// outage is set where the keys are unavailable, so that the check has no result.
	outage error
}

// checks are in the order of Verify. Issuer and audience come before the key, so that
// a token for another audience costs no fetch and is refused with the reason. Nothing
// that they set is used if a later check fails.
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
		{"auth_time", []string{"parse", "issued_at"}, checkProof, configuredProof, foundProof},
		{"proof_age", []string{"parse", "auth_time"}, checkProofAge, configuredProofAge, foundProof},
		{"required_claims", []string{"parse"}, checkRequired, configuredRequired, foundRequired},
		{"when", []string{"parse"}, checkWhen, configuredWhen, foundWhen},
		{"conditions", []string{"parse"}, checkConditions, configuredConditions, foundConditions},
		{"external_id", []string{"parse"}, checkExternalID, configuredMapping(AttributeExternalID), foundMapping(AttributeExternalID)},
		{"email", []string{"parse"}, checkEmail, configuredEmail, foundMapping(AttributeEmail)},
		{"identity", []string{"parse", "external_id", "email"}, checkIdentity, configuredIdentity, foundIdentity},
		{"token_id", []string{"parse"}, checkTokenID, configuredMapping(AttributeTokenID), foundMapping(AttributeTokenID)},
		{"name", []string{"parse"}, checkName, configuredMapping(AttributeName), foundMapping(AttributeName)},
		{"roles", []string{"parse"}, checkRoles, configuredRoles, foundMapping(AttributeRoles)},
		{"metadata", []string{"parse"}, checkMetadata, configuredMetadata, foundMetadata},
		{"organization", []string{"parse", "issuer"}, checkOrganization, configuredOrganization, foundOrganization},
		{"session_key", []string{"parse"}, checkSessionKey, configuredSessionKey, foundSessionKey},
		{"kept_claims", []string{"parse"}, checkKept, configuredKept, foundKept},
	}
}
