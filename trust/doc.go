// Package trust verifies third parties' JWTs: it turns one into an identity, or
// returns why it is refused. It never signs and never logs.
//
// # To trust an issuer
//
// A [Profile] is an issuer, its keys, the audience of its tokens, and what its claims
// mean. [NewProfile] checks a [Config]; its error names the option:
//
//	keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: "https://idp.example/jwks"})
//	acme, err := trust.NewProfile(trust.Config{
//		Name: "acme", Issuers: []string{"https://idp.example"}, Audiences: []string{"my-app"}, Keys: keys,
//	})
//
// Keys come from [PEMKeys], [FileKeys], [NewRemoteKeys] or any other [KeySource]:
// an interface of one method, which a program may implement. Remote keys are kept
// fresh by [RemoteKeys.Run], which the caller must start: a key that the issuer
// removes is refused after the next refresh, at most [MaxRefresh] later.
//
// # To verify a token
//
// A [Set] holds all profiles. [Set.CheckRoute] and [Set.CheckIssuer] belong to
// the loading of a configuration; [Set.Verify] to a request:
//
//	identity, err := set.Verify(ctx, token, []string{"acme", "partner"})
//	var refusal *trust.Refusal
//	switch {
//	case err == nil:                                 // good until identity.Until
//	case errors.As(err, &refusal):                   // the token is bad: refusal.Code
//	case errors.Is(err, trust.ErrKeysUnavailable):   // an outage: answer 503, never 401
//	}
//
// The profile is selected by the token's issuer and audience, never by trying one
// after the other. A verification is cached by the digest of the token; time, key and
// choice of profile are checked each time, the signature is not.
//
// # To explain a refusal
//
// [Profile.Verify] stops at the first failed check. [Profile.Explain] runs all of
// them, in the same order, and reports for each what is configured, what the token
// has and what would help. It caches nothing.
//
// # Checks and reason codes
//
//	parse            token_too_large         more than 16 KiB
//	                 token_malformed         not three non-empty parts
//	                 token_encoding          not strict base64url
//	                 token_encrypted         a JWE, enc or zip
//	                 header_invalid          the header is no strict JSON object
//	                 payload_invalid         the payload is no strict JSON object
//	                 alg_missing             no alg, or not a text
//	                 alg_none                alg none
//	                 crit_unsupported        crit or b64
//	                 kid_invalid             kid is no text of at most 256 bytes
//	                 typ_invalid             typ is no text
//	type             typ_not_allowed         a token of another kind
//	algorithm        alg_not_allowed         not in the profile's list
//	issuer           issuer_missing          no iss, or not a text
//	                 issuer_mismatch         not an issuer of the profile
//	                 issuer_capture_mismatch a claim contradicts what iss captures
//	audience         audience_missing        no audience, or neither text nor texts
//	                 audience_mismatch       for another audience
//	                 profile_ambiguous       for several profiles of the route
//	key              key_unknown             no key of that kid
//	                 key_unfit               the key is not for the algorithm
//	                 key_ambiguous           more than one key fits, by kid or without
//	                 keys_unavailable        Explain only: Verify returns ErrKeysUnavailable
//	signature        signature_invalid       no candidate key made it
//	expiry           exp_missing             no exp, or null
//	                 exp_invalid             exp is no NumericDate
//	                 token_expired           past exp and leeway
//	introspection    token_form              no text that can be such a token
//	                 token_inactive          the issuer does not know it, or no more
//	not_before       nbf_invalid             nbf is no NumericDate
//	                 token_not_yet_valid     nbf is to come
//	issued_at        iat_invalid             iat is no NumericDate
//	                 iat_in_future           iat is to come
//	age              iat_missing             max_token_age is set and there is no iat
//	                 token_too_old           past iat and max_token_age
//	lifetime         lifetime_too_long       from iat to exp more than max_lifetime
//	auth_time        auth_time_invalid       auth_time is no NumericDate, or to come
//	proof_age        auth_time_missing       valid_for is set, and the token does not say when it was proved
//	                 proof_too_old           past that and valid_for
//	required_claims  claim_missing           a required claim is absent or empty
//	                 claim_mismatch          a required claim has another value
//	when             condition_failed        a condition does not hold
//	                 condition_error         a condition has no value, for lack of a claim
//	external_id      external_id_missing     the claim it is mapped to is absent
//	                 external_id_invalid     no text of at most 256 bytes, and no integer
//	identity         identity_missing        neither external id nor covered email
//	token_id         token_id_missing        the claim it is mapped to is absent
//	                 token_id_invalid        no text of at most 256 bytes, and no integer
//	organization     organization_missing    a claim it is made of is absent
//	                 organization_invalid    not a reference to an organization
//	session_key      session_key_missing     a claim of it is absent
//	                 session_key_invalid     no text of at most 256 bytes, and no integer
//	kept_claims      token_claims_too_large  more than 2048 bytes of claims that templates name
//
// A claim that is null or empty ("" [] {}) is absent; exp, nbf, iat and auth_time
// only where they are null: anything else that is no number of seconds (RFC 7519
// §2) is refused. Of ids an integer is its exact digits. What is no text or array as the
// mapping wants it is left out of email, name, roles and metadata, and told
// (Identity.Dropped).
package trust
