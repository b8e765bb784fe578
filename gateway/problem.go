package gateway

import (
	"context"
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// A Problem is the public face of a refusal: what a client may know of it. The
// codes are the error_type names of Stytch's API where it has one.
type Problem struct {
	// Code is stable, and the same in Attest-Error, error_type, log and metrics.
	Code string
	// Proxy is the HTTP status on a proxied request, API the one on a call of the
	// session API.
	Proxy, API int
	// Message is a sentence for a person. It never holds anything of the request.
	Message string
}

// problems is the one table from code to status. What is not in it is a fault of
// ours: 500.
var problems = table(
	// Credentials of a proxied request.
	Problem{"no_credential", 401, 401, "No credential was shown."},
	Problem{"too_many_credentials", 400, 400, "The request shows more than one credential where one is expected."},
	Problem{"invalid_session_credential", 401, 400, "The session credential is not valid."},
	Problem{"profile_not_accepted", 401, 401, "The session does not hold a factor that is accepted here."},
	Problem{"cross_site_request", 403, 403, "The request was not made by a page of this origin."},

	// Credentials of the session API.
	Problem{"unauthorized_credentials", 401, 401, "Unauthorized credentials."},
	Problem{"invalid_authorization_header", 401, 401, "The Authorization header must carry HTTP Basic credentials."},
	Problem{"browser_call_refused", 403, 403, "The project's secret is not for browsers: a call with an Origin is refused."},
	Problem{"scope_not_granted", 403, 403, "The secret is not good for this call."},
	Problem{"route_not_found", 404, 404, "There is no such route."},
	Problem{"method_not_allowed", 405, 405, "The route does not know this method."},
	Problem{"too_many_requests", 429, 429, "Too many requests."},

	// Bodies.
	Problem{"bad_request", 400, 400, "The request is not well formed."},
	Problem{"invalid_argument", 400, 400, "An argument is not valid."},
	Problem{"request_too_large", 413, 413, "The request is too large."},
	Problem{"unsupported_media_type", 415, 415, "The body must be application/json."},

	// Trusted tokens.
	Problem{"invalid_trusted_auth_token", 401, 400, "Invalid trusted auth token."},
	Problem{"trusted_token_profile_not_found", 401, 404, "Trusted token profile could not be found."},
	Problem{"token_missing_organization_id_claim", 403, 400, "Neither the token nor the request names an organization."},
	Problem{"invalid_token_organization_id_claim", 403, 400, "The organization of the token cannot be used."},

	// Sessions.
	Problem{"session_not_found", 401, 404, "Session could not be found."},
	Problem{"no_session_arguments", 400, 400, "A session_token or a session_jwt is required."},
	Problem{"too_many_session_arguments", 400, 400, "Only one of session_token and session_jwt may be given."},
	Problem{"no_session_revoke_arguments", 400, 400, "One of member_session_id, session_token, session_jwt and member_id is required."},
	Problem{"too_many_session_revoke_arguments", 400, 400, "Only one of member_session_id, session_token, session_jwt and member_id may be given."},
	Problem{"invalid_session_token", 401, 400, "The session_token is not valid."},
	Problem{"unable_to_parse_session_jwt", 401, 400, "The session_jwt is not valid."},
	Problem{"invalid_session_id", 400, 400, "The session id is not valid."},
	Problem{"invalid_session_duration_minutes", 400, 400, "session_duration_minutes is out of range."},
	Problem{"session_not_mutable", 400, 400, "The session cannot be changed this way."},
	Problem{"member_session_member_id_mismatch", 403, 400, "The session belongs to another member."},
	Problem{"insufficient_factors_for_session_exchange", 403, 400, "The session's factors do not allow the exchange."},
	Problem{"session_authorization_error", 403, 403, "The member is not authorized to perform the requested action on that resource."},
	Problem{"session_authorization_tenancy_error", 403, 403, "The session belongs to another organization than the authorization check names."},
	Problem{"too_many_factors", 403, 400, "The session holds as many factors as it may."},

	// Claims.
	Problem{"reserved_claims_in_custom_claims", 500, 400, "Custom claims may not use a reserved name."},
	Problem{"stytch_claims_in_custom_claims", 500, 400, "Custom claims may not use a reserved name."},
	Problem{"custom_claims_too_large", 502, 400, "The custom claims exceed four kilobytes."},
	Problem{"unable_to_represent_custom_claims_json", 502, 400, "The custom claims cannot be represented."},

	// Directory.
	Problem{"organization_not_found", 403, 404, "Organization could not be found."},
	Problem{"member_not_found", 403, 404, "Member could not be found."},
	Problem{"organization_not_admitting", 403, 400, "The organization does not admit the profile."},
	Problem{"member_does_not_exist_in_organization", 403, 404, "The member does not exist in the organization."},
	Problem{"duplicate_member_email", 403, 400, "The email address belongs to another member."},
	Problem{"duplicate_member_external_id", 403, 400, "The external id belongs to another member."},
	Problem{"member_identity_conflict", 403, 400, "The external id and the email address name two members."},
	Problem{"email_not_verified", 403, 400, "The email address of the token is not verified."},
	Problem{"member_inactive", 403, 400, "The member is not active."},

	Problem{"organization_slug_already_used", 400, 400, "Another organization has the slug."},
	Problem{"organization_external_id_already_used", 400, 400, "Another organization has the external id."},
	Problem{"invalid_organization_name", 400, 400, "The name of an organization is 1 to 128 characters."},
	Problem{"invalid_organization_slug", 400, 400, "A slug is 2 to 128 of A-Z a-z 0-9 - . _ ~ and no id."},
	Problem{"invalid_organization_external_id", 400, 400, "An external id is at most 128 of A-Z a-z 0-9 . _ : @ | - and no id."},
	Problem{"invalid_role", 403, 400, "A role is not valid."},
	Problem{"too_many_roles", 403, 400, "The member has too many roles."},
	Problem{"metadata_invalid_format", 403, 400, "The metadata cannot be kept."},
	Problem{"metadata_too_large", 403, 400, "The metadata exceeds four kilobytes."},
	Problem{"metadata_too_many_keys", 403, 400, "The metadata has more than 20 keys."},

	// Faults.
	Problem{"service_unavailable", 503, 503, "The service is temporarily unavailable."},
	Problem{"internal_server_error", 500, 500, "Internal server error."},
)

func table(list ...Problem) map[string]Problem {
	t := make(map[string]Problem, len(list))
	for _, p := range list {
		t[p.Code] = p
	}
	return t
}

// A Refusal is a request that does not pass.
type Refusal struct {
	Problem
	// Reason is precise and for the operator: a code of the room that refused.
	Reason string
	// Shown tells whether the request showed a credential at all.
	Shown bool
	// Err is what happened, for the log. It names profiles and claims, never their
	// values, a token or a secret.
	Err error

	clearCookie string // the Set-Cookie line that clears a dead session's cookie
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return "gateway: " + r.Code
	}
	return "gateway: " + r.Code + ": " + r.Err.Error()
}

func (r *Refusal) Unwrap() error { return r.Err }

// refuse makes the refusal with the given code.
func refuse(code string, err error) *Refusal {
	p, known := problems[code]
	if !known {
		p = problems["internal_server_error"]
	}
	return &Refusal{Problem: p, Reason: code, Err: err}
}

// because is refuse with a reason of its own.
func because(code, reason string) *Refusal {
	r := refuse(code, nil)
	r.Reason = reason
	return r
}

// refusal finds the refusal that err amounts to. Whatever no room calls a refusal
// is a fault: it never admits anyone, and never sends anyone to sign in again.
func refusal(err error) *Refusal {
	var known *Refusal
	if errors.As(err, &known) {
		return known
	}
	code, reason := codeOf(err)
	r := refuse(code, err)
	if reason != "" {
		r.Reason = reason
	}
	return r
}

func codeOf(err error) (code, reason string) {
	var (
		token  *trust.Refusal
		claim  *claims.Error
		person *directory.Error
	)
	switch {
	case errors.As(err, &token):
		return "invalid_trusted_auth_token", token.Code
	case errors.As(err, &claim):
		return claim.Code, ""
	case errors.As(err, &person):
		return person.Code, person.Reason
	}
	return sessionCode(err)
}

func sessionCode(err error) (code, reason string) {
	switch {
	case errors.Is(err, session.ErrRevoked):
		return "session_not_found", "session_revoked"
	case errors.Is(err, session.ErrExpired):
		return "session_not_found", "session_expired"
	case errors.Is(err, session.ErrIdle):
		return "session_not_found", "session_idle"
	case errors.Is(err, session.ErrNotFound):
		return "session_not_found", ""
	case errors.Is(err, session.ErrMismatch):
		return "member_session_member_id_mismatch", ""
	case errors.Is(err, session.ErrFactors):
		return "too_many_factors", ""
	case errors.Is(err, session.ErrDuration):
		return "invalid_session_duration_minutes", ""
	case errors.Is(err, session.ErrImplicit):
		return "session_not_mutable", ""
	case errors.Is(err, trust.ErrKeysUnavailable):
		return "service_unavailable", "keys_unavailable"
	case errors.Is(err, context.Canceled):
		return "service_unavailable", "canceled"
	}
	return "service_unavailable", "store_unavailable"
}

// Unavailable is the refusal for when there is nobody to decide: 503.
func Unavailable(err error) *Refusal { return refuse("service_unavailable", err) }

// isFault tells an outage from an answer.
func isFault(err error) bool { return refusal(err).Proxy >= http.StatusInternalServerError }
