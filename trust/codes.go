package trust

// Reason codes of a Refusal and a failed Finding. They are stable: metrics,
// logs and the error details of the API carry them. Those of a token that does
// not parse are of package jose and stand in the table of the package
// documentation with these.
const (
	CodeTypeNotAllowed      = "typ_not_allowed"
	CodeAlgorithmNotAllowed = "alg_not_allowed"

	CodeIssuerMissing    = "issuer_missing"
	CodeIssuerMismatch   = "issuer_mismatch"
	CodeCaptureMismatch  = "issuer_capture_mismatch"
	CodeAudienceMissing  = "audience_missing"
	CodeAudienceMismatch = "audience_mismatch"
	CodeProfileAmbiguous = "profile_ambiguous"

	CodeKeyUnknown       = "key_unknown"
	CodeKeyUnfit         = "key_unfit"
	CodeKeyAmbiguous     = "key_ambiguous"
	CodeKeysUnavailable  = "keys_unavailable"
	CodeSignatureInvalid = "signature_invalid"

	CodeExpiryMissing   = "exp_missing"
	CodeExpiryInvalid   = "exp_invalid"
	CodeExpired         = "token_expired"
	CodeNotBefore       = "nbf_invalid"
	CodeNotYetValid     = "token_not_yet_valid"
	CodeIssuedAtMissing = "iat_missing"
	CodeIssuedAtInvalid = "iat_invalid"
	CodeIssuedInFuture  = "iat_in_future"
	CodeTooOld          = "token_too_old"
	CodeLifetime        = "lifetime_too_long"
	CodeAuthTime        = "auth_time_invalid"
	CodeTokenForm       = "token_form"
	CodeInactive        = "token_inactive"
	CodeAuthTimeMissing = "auth_time_missing"
	CodeProofTooOld     = "proof_too_old"

	CodeClaimMissing  = "claim_missing"
	CodeClaimMismatch = "claim_mismatch"

	CodeConditionFailed = "condition_failed"
	CodeConditionError  = "condition_error"

	CodeExternalIDMissing   = "external_id_missing"
	CodeExternalIDInvalid   = "external_id_invalid"
	CodeIdentityMissing     = "identity_missing"
	CodeTokenIDMissing      = "token_id_missing"
	CodeTokenIDInvalid      = "token_id_invalid"
	CodeOrganizationMissing = "organization_missing"
	CodeOrganizationInvalid = "organization_invalid"
	CodeSessionKeyMissing   = "session_key_missing"
	CodeSessionKeyInvalid   = "session_key_invalid"
	CodeClaimsTooLarge      = "token_claims_too_large"
)
