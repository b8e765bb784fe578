package authn

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/trust"
)

// A Kind is the nature of a refusal. Each door maps kinds to its own statuses; the
// core knows none.
type Kind int

// The kinds of refusals.
const (
	// Internal is a fault of the gateway itself. It is the zero value, so that what
	// nobody classified is never taken for an answer about the caller.
	Internal Kind = iota
	// Unavailable: the store or an issuer's keys cannot be asked now.
	Unavailable
	// Malformed: the request cannot be read, or an argument is not valid.
	Malformed
	// Unauthenticated: no credential, or none that is accepted here.
	Unauthenticated
	// InvalidCredential: the credential shown is not valid.
	InvalidCredential
	// UnknownCredential: the credential names a session or profile that is not there.
	UnknownCredential
	// Forbidden: the caller may not do this.
	Forbidden
	// UnusableIdentity: the token is valid, and what it says of the member or the
	// organization cannot be used.
	UnusableIdentity
	// UnknownIdentity: the organization or member named is not there.
	UnknownIdentity
	// NotFound: there is no such route.
	NotFound
	// MethodNotAllowed: the route does not know the method.
	MethodNotAllowed
	// TooLarge: the request exceeds a limit.
	TooLarge
	// UnsupportedMedia: the body is not application/json.
	UnsupportedMedia
	// TooManyRequests: a rate is used up.
	TooManyRequests
	// ReservedClaims: custom claims use a reserved name.
	ReservedClaims
	// UnusableClaims: the session's claims cannot be put into a JWT.
	UnusableClaims
)

// A Problem is what a client may know of a refusal. The codes are the error_type
// names of Stytch's API where it has one.
type Problem struct {
	// Code is stable, and the same in Attest-Error, error_type, log and metrics.
	Code string
	// Kind decides the status at each door.
	Kind Kind
	// Message is a sentence for a person. It never holds anything of the request.
	Message string
}

// problems is the one table of codes. What is not in it is a fault: 500.
var problems = table(
	// Credentials of a proxied request.
	Problem{"no_credential", Unauthenticated, "No credential was shown."},
	Problem{"too_many_credentials", Malformed, "The request shows more than one credential where one is expected."},
	Problem{"invalid_session_credential", InvalidCredential, "The session credential is not valid."},
	Problem{"profile_not_accepted", Unauthenticated, "The session does not hold a factor that is accepted here."},
	Problem{"requirement_not_met", Forbidden, "The session does not have what is required here."},
	Problem{"insufficient_user_authentication", Unauthenticated, "A further factor, or a more recent one, is required here."},
	Problem{"ambiguous_path", Malformed, "The path can be read as another one."},
	Problem{"cross_site_request", Forbidden, "The request was not made by a page of this origin."},
	Problem{"not_a_navigation", InvalidCredential, "A token in an address or a form is taken only from a person who goes to the page."},
	Problem{"session_of_another_member", Forbidden, "The browser has a session of another member, which the token would replace."},

	// Questions of other proxies.
	Problem{"untrusted_proxy", Forbidden, "The peer is not a proxy that may ask."},
	Problem{"invalid_forwarded_request", Malformed, "The proxy must say, once each, which method, URI, host and scheme it asks about."},
	Problem{"unknown_host", Forbidden, "Nothing is answered about this host."},
	Problem{"unremovable_header", Malformed, "The request has a header that only the gateway may set, in a spelling that the proxy does not remove."},

	// Credentials of the session API.
	Problem{"unauthorized_credentials", Unauthenticated, "Unauthorized credentials."},
	Problem{"browser_call_refused", Forbidden, "The project's secret is not for browsers: a call with an Origin is refused."},
	Problem{"scope_not_granted", Forbidden, "The secret is not good for this call."},
	Problem{"route_not_found", NotFound, "There is no such route."},
	Problem{"method_not_allowed", MethodNotAllowed, "The route does not know this method."},
	Problem{"too_many_requests", TooManyRequests, "Too many requests."},

	// Bodies.
	Problem{"bad_request", Malformed, "The request is not well formed."},
	Problem{"invalid_argument", Malformed, "An argument is not valid."},
	Problem{"request_too_large", TooLarge, "The request is too large."},
	Problem{"unsupported_media_type", UnsupportedMedia, "The body must be application/json."},

	// Trusted tokens.
	Problem{"invalid_trusted_auth_token", InvalidCredential, "Invalid trusted auth token."},
	Problem{"token_replayed", InvalidCredential, "The trusted auth token was used before."},
	Problem{"profile_disabled", InvalidCredential, "The profile is disabled."},
	Problem{"sign_ins_frozen", Unavailable, "No new sign-ins are taken for now."},
	Problem{"trusted_token_profile_not_found", UnknownCredential, "Trusted token profile could not be found."},
	Problem{"token_missing_organization_id_claim", UnusableIdentity, "Neither the token nor the request names an organization."},
	Problem{"invalid_token_organization_id_claim", UnusableIdentity, "The organization of the token cannot be used."},

	// Sessions.
	Problem{"session_not_found", UnknownCredential, "Session could not be found."},
	Problem{"no_session_arguments", Malformed, "A session_token or a session_jwt is required."},
	Problem{"too_many_session_arguments", Malformed, "Only one of session_token and session_jwt may be given."},
	Problem{"no_session_revoke_arguments", Malformed, "One of member_session_id, session_token, session_jwt and member_id is required."},
	Problem{"too_many_session_revoke_arguments", Malformed, "Only one of member_session_id, session_token, session_jwt and member_id may be given."},
	Problem{"invalid_session_token", InvalidCredential, "The session_token is not valid."},
	Problem{"unable_to_parse_session_jwt", InvalidCredential, "The session_jwt is not valid."},
	Problem{"invalid_session_duration_minutes", Malformed, "session_duration_minutes is out of range."},
	Problem{"profile_not_configured", InvalidCredential, "No profile that the session rests on is configured here."},
	Problem{"session_not_mutable", Malformed, "The session cannot be changed this way."},
	Problem{"member_session_member_id_mismatch", UnusableIdentity, "The session belongs to another member."},
	Problem{"insufficient_factors_for_session_exchange", UnusableIdentity, "The session's factors do not allow the exchange."},
	Problem{"session_authorization_error", Forbidden, "The member is not authorized to perform the requested action on that resource."},
	Problem{"session_authorization_tenancy_error", Forbidden, "The session belongs to another organization than the authorization check names."},
	Problem{"too_many_factors", UnusableIdentity, "The session holds as many factors as it may."},

	// Claims.
	Problem{"reserved_claims_in_custom_claims", ReservedClaims, "Custom claims may not use a reserved name."},
	Problem{"stytch_claims_in_custom_claims", ReservedClaims, "Custom claims may not use a reserved name."},
	Problem{"custom_claims_too_large", UnusableClaims, "The custom claims exceed four kilobytes."},
	Problem{"session_jwt_too_large", UnusableClaims, "The session JWT exceeds 16 KiB."},
	Problem{"copied_claims_too_large", UnusableClaims, "The claims that are copied into headers exceed eight kilobytes."},
	Problem{"unable_to_represent_custom_claims_json", UnusableClaims, "The custom claims cannot be represented."},

	// Directory.
	Problem{"organization_not_found", UnknownIdentity, "Organization could not be found."},
	Problem{"member_not_found", UnknownIdentity, "Member could not be found."},
	Problem{"organization_not_admitting", UnusableIdentity, "The organization does not admit the profile."},
	Problem{"duplicate_member_email", UnusableIdentity, "The email address belongs to another member."},
	Problem{"duplicate_member_external_id", UnusableIdentity, "The external id belongs to another member."},
	Problem{"member_identity_conflict", UnusableIdentity, "The external id and the email address name two members."},
	Problem{"email_not_verified", UnusableIdentity, "The email address of the token is not verified."},
	Problem{"organization_slug_already_used", Malformed, "Another organization has the slug."},
	Problem{"organization_external_id_already_used", Malformed, "Another organization has the external id."},
	Problem{"invalid_organization_name", Malformed, "The name of an organization is 1 to 128 characters."},
	Problem{"invalid_organization_slug", Malformed, "A slug is 2 to 128 of A-Z a-z 0-9 - . _ ~ and no id."},
	Problem{"invalid_organization_external_id", Malformed, "An external id is at most 128 of A-Z a-z 0-9 . _ : @ | - and no id."},
	Problem{"invalid_role", UnusableIdentity, "A role is not valid."},
	Problem{"too_many_roles", UnusableIdentity, "The member has too many roles."},
	Problem{"metadata_invalid_format", UnusableIdentity, "The metadata cannot be kept."},
	Problem{"metadata_too_large", UnusableIdentity, "The metadata exceeds four kilobytes."},
	Problem{"metadata_too_many_keys", UnusableIdentity, "The metadata has more than 20 keys."},

	// Faults.
	Problem{"service_unavailable", Unavailable, "The service is temporarily unavailable."},
	Problem{"internal_server_error", Internal, "Internal server error."},
)

func table(list ...Problem) map[string]Problem {
	t := make(map[string]Problem, len(list))
	for _, p := range list {
		t[p.Code] = p
	}
	return t
}

// Problems are all codes, each with its kind and message.
func Problems() []Problem {
	list := make([]Problem, 0, len(problems))
	for _, p := range problems {
		list = append(list, p)
	}
	return list
}

// A Refusal is a request or call that is not granted.
type Refusal struct {
	Problem
	// Reason is precise and for the operator: a code of the package that refused.
	Reason string
	// CredentialShown tells whether the request showed a credential at all (RFC 6750
	// §3.1: a challenge without one carries no error).
	CredentialShown bool
	// ClearCookie tells that the session cookie of the request is dead.
	ClearCookie bool
	// StepUp is what would help, of insufficient_user_authentication.
	StepUp *StepUp
	// Location is where a browser is sent to sign in; the door sets it.
	Location string
	// SignIn is where a person signs in, for the page that tells of a refusal; the door sets
	// it.
	SignIn string
	// Err is what happened, for the log. It names profiles and claims, never their
	// values, a token or a secret.
	Err error

	token string // that was shown, for TokenFacts
}

// trustRefusal is that of package trust; nil where the refusal is about something
// else.
func (r *Refusal) trustRefusal() *trust.Refusal {
	var t *trust.Refusal
	errors.As(r.Err, &t)
	return t
}

// profile is that of the token that was refused, where one was selected.
func (r *Refusal) profile() string {
	var person *directory.Error
	switch t := r.trustRefusal(); {
	case t != nil:
		return t.Profile
	case errors.As(r.Err, &person):
		return person.Profile
	}
	return ""
}

func (r *Refusal) Error() string {
	if r.Err == nil {
		return "authn: " + r.Code
	}
	return "authn: " + r.Code + ": " + r.Err.Error()
}

func (r *Refusal) Unwrap() error { return r.Err }

// RetryAfter is how long it takes until a rate allows the same again, or an issuer is asked
// for its keys again; zero where
// that is not known.
func (r *Refusal) RetryAfter() time.Duration {
	var person *directory.Error
	if errors.As(r.Err, &person) {
		return person.RetryAfter
	}
	var keys interface{ RetryAfter() time.Duration }
	if errors.As(r.Err, &keys) {
		return keys.RetryAfter()
	}
	return 0
}

// Details are what the session API answers beside the code: the reason, and where
// claims cannot be put into a JWT, which claim of which template, and whose. They are
// names and ids, never values.
func (r *Refusal) Details() map[string]string {
	details := map[string]string{"reason": r.Reason}
	if r.Reason == r.Code {
		details["reason"] = ""
	}
	var whose *unusableClaims
	if errors.As(r.Err, &whose) {
		details["organization"], details["member"] = whose.organization, whose.member
	}
	var which *claims.Error
	if errors.As(r.Err, &which) {
		details["template"], details["claim"] = which.Template, which.Claim
	}
	maps.DeleteFunc(details, func(_, value string) bool { return value == "" })
	return details
}

// Refuse makes the refusal with the given code of the table.
func Refuse(code string, err error) *Refusal {
	p, known := problems[code]
	if !known {
		p = problems["internal_server_error"]
	}
	return &Refusal{Problem: p, Reason: code, Err: err}
}

// RefuseFor is Refuse with a reason of its own.
func RefuseFor(code, reason string) *Refusal {
	r := Refuse(code, nil)
	r.Reason = reason
	return r
}

// RefusalOf finds the refusal that err amounts to. What no package calls a refusal
// is a fault: it never admits anyone, and never sends anyone to sign in again.
func RefusalOf(err error) *Refusal {
	var known *Refusal
	if errors.As(err, &known) {
		return known
	}
	code, reason := codeOf(err)
	r := Refuse(code, err)
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
	}
	return faultCode(err)
}

// faultCode tells an outage, which ends by itself or is ended by an operator, from
// an error that nobody foresaw.
func faultCode(err error) (code, reason string) {
	switch {
	case errors.Is(err, mint.ErrTooLarge):
		return "session_jwt_too_large", ""
	case errors.Is(err, trust.ErrKeysUnavailable):
		return "service_unavailable", "keys_unavailable"
	case errors.Is(err, context.Canceled):
		return "service_unavailable", "canceled"
	case errors.Is(err, store.ErrBusy):
		return "service_unavailable", "store_busy"
	case errors.Is(err, store.ErrFull):
		return "service_unavailable", "store_full"
	case isOutage(err):
		return "service_unavailable", "store_unavailable"
	}
	return "internal_server_error", ""
}

func isOutage(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrClosed) || errors.Is(err, context.DeadlineExceeded)
}

// IsFault tells an outage or a fault from an answer.
func IsFault(err error) bool {
	k := RefusalOf(err).Kind
	return k == Unavailable || k == Internal || k == ReservedClaims || k == UnusableClaims
}
