package directory

import (
	"errors"
	"time"
)

// Error is a refusal: the caller asked for something it may not have, or that
// does not make sense. Faults of the store are other errors.
type Error struct {
	// Code is stable and for the client: an error_type of the session API.
	Code string
	// Reason is stable, finer, and for the operator; it may be empty. It never
	// holds a value from a token or a request.
	Reason string
	// Profile is the profile whose token was refused, where there was one.
	Profile string
	// RetryAfter is how long it takes until the same may be asked again; zero where
	// waiting does not help.
	RetryAfter time.Duration
}

// Error implements error.
func (e *Error) Error() string {
	text := "directory: "
	if e.Profile != "" {
		text += "profile " + e.Profile + ": "
	}
	text += e.Code
	if e.Reason != "" {
		text += " (" + e.Reason + ")"
	}
	return text
}

// Is matches an *Error of the same code, and of the same reason where target
// has one: errors.Is(err, ErrMemberNotFound) holds for every reason of it.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && e.Code == t.Code && (t.Reason == "" || e.Reason == t.Reason)
}

// because is the same refusal for a finer reason.
func (e *Error) because(reason string) *Error {
	return &Error{Code: e.Code, Reason: reason, Profile: e.Profile}
}

// The refusals, to be compared with errors.Is.
var (
	// ErrOrganizationNotFound: there is no such organization, or none that this
	// profile may reach.
	ErrOrganizationNotFound = &Error{Code: "organization_not_found"}
	// ErrNotAdmitted: the organization that a caller of the API names does not admit
	// the profile.
	ErrNotAdmitted = &Error{Code: "organization_not_admitting"}
	// ErrMemberNotFound: there is no such member and the profile may not make one,
	// or the member was deleted.
	ErrMemberNotFound = &Error{Code: "member_not_found"}
	// ErrMissingOrganization: neither the token nor the caller names an
	// organization.
	ErrMissingOrganization = &Error{Code: "token_missing_organization_id_claim"}
	// ErrOrganizationClaim: the token's organization cannot be used, or is another
	// than the caller's.
	ErrOrganizationClaim = &Error{Code: "invalid_token_organization_id_claim"}
	// ErrDuplicateExternalID: the external id is another member's, or the member
	// has another one.
	ErrDuplicateExternalID = &Error{Code: "duplicate_member_external_id"}
	// ErrDuplicateEmail: the email address is another member's.
	ErrDuplicateEmail = &Error{Code: "duplicate_member_email"}
	// ErrIdentityConflict: the external id names one member and the verified email
	// address another.
	ErrIdentityConflict = &Error{Code: "member_identity_conflict"}
	// ErrEmailNotVerified: the token could only be somebody by its email address,
	// and nobody has verified that. It needs email_verified: true, or the profile
	// `email_verified assume`.
	ErrEmailNotVerified = &Error{Code: "email_not_verified"}
	// ErrMemberMismatch: a second factor names no member, or not just one.
	ErrMemberMismatch = &Error{Code: "member_session_member_id_mismatch"}
	// ErrTooManyRequests: the profile has made as many members or organizations as
	// it may for now.
	ErrTooManyRequests = &Error{Code: "too_many_requests"}
	// ErrRevoked: the token was not issued after the member, the organization or
	// the profile was revoked.
	ErrRevoked = &Error{Code: "invalid_trusted_auth_token", Reason: "revoked"}
	// ErrSlugUsed: another organization is called so.
	ErrSlugUsed = &Error{Code: "organization_slug_already_used"}
	// ErrOrganizationExternalIDUsed: another organization is called so.
	ErrOrganizationExternalIDUsed = &Error{Code: "organization_external_id_already_used"}
	// ErrConfigured: the configuration says this, and the API cannot change it.
	ErrConfigured = &Error{Code: "invalid_argument", Reason: "organization_is_configured"}
)

// Refusals that carry a reason wherever they are made.
var (
	errIdentity         = &Error{Code: "invalid_trusted_auth_token"}
	errMemberDeleted    = ErrMemberNotFound.because("member_deleted")
	errArgument         = &Error{Code: "invalid_argument"}
	errOrganizationName = &Error{Code: "invalid_organization_name"}
	errSlug             = &Error{Code: "invalid_organization_slug"}
	errOrgExternalID    = &Error{Code: "invalid_organization_external_id"}
	errRole             = &Error{Code: "invalid_role"}
	errTooManyRoles     = &Error{Code: "too_many_roles"}
	errMetadataFormat   = &Error{Code: "metadata_invalid_format"}
	errMetadataSize     = &Error{Code: "metadata_too_large"}
	errMetadataKeys     = &Error{Code: "metadata_too_many_keys"}
)

// named puts the profile's name on a refusal.
func named(err error, profile string) error {
	var refusal *Error
	if !errors.As(err, &refusal) {
		return err
	}
	copied := *refusal
	copied.Profile = profile
	return &copied
}
