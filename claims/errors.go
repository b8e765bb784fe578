package claims

import "fmt"

// Codes of [Error], as the session API answers them.
const (
	CodeReserved        = "reserved_claims_in_custom_claims"
	CodeStytchReserved  = "stytch_claims_in_custom_claims"
	CodeTooLarge        = "custom_claims_too_large"
	CodeUnrepresentable = "unable_to_represent_custom_claims_json"
)

// Codes of [SyntaxError], beside CodeReserved, CodeStytchReserved and
// CodeTooLarge.
const (
	CodeTemplateJSON       = "jwt_template_invalid_json"
	CodeTemplateTag        = "jwt_template_invalid_tag"
	CodeTemplateMismatched = "jwt_template_mismatched_tag"
)

// Error tells why claims are refused. It never holds a value of a claim.
type Error struct {
	// Code is one of the constants above.
	Code string
	// Template is the name of the template that was rendered, empty where there was
	// none.
	Template string
	// Claim is the top-level name of the claim at fault, the longest where only the
	// sum is; empty where there is no such claim.
	Claim string

	reason string
}

func (e *Error) Error() string {
	text := "claims: "
	if e.Template != "" {
		text += "template " + quote(e.Template) + ": "
	}
	if e.Claim != "" {
		text += quote(e.Claim) + ": "
	}
	return text + e.reason
}

// forClaim is a copy of the fault, found in the claim.
func (e *Error) forClaim(claim string) *Error {
	return &Error{Code: e.Code, Template: e.Template, Claim: claim, reason: e.reason}
}

// forTemplate is a copy of the fault, found in what the template rendered to.
func (e *Error) forTemplate(t *Template) *Error {
	fault := e.forClaim(e.Claim)
	if t != nil {
		fault.Template = t.name
	}
	return fault
}

// withLongest names the claim that has most of a sum that is too large.
func (e *Error) withLongest(claim string, size int) *Error {
	fault := e.forClaim(claim)
	fault.reason += fmt.Sprintf("; this one, the longest, has %d", size)
	return fault
}

// Faults without a place; what is returned is always a copy.
var (
	errReserved  = &Error{Code: CodeReserved, reason: "reserved name"}
	errStytch    = &Error{Code: CodeStytchReserved, reason: "reserved name"}
	errTooDeep   = &Error{Code: CodeTooLarge, reason: fmt.Sprintf("nested more than %d deep", MaxDepth)}
	errNotUTF8   = &Error{Code: CodeUnrepresentable, reason: "text that is not UTF-8"}
	errNotNumber = &Error{Code: CodeUnrepresentable, reason: "a number that is not one in JSON"}
	errNotJSON   = &Error{Code: CodeUnrepresentable, reason: "a value that JSON cannot express"}
	errFolded    = &Error{Code: CodeUnrepresentable, reason: "two names of one object fold to one"}
)

func tooLarge(what string, size int) *Error {
	return &Error{Code: CodeTooLarge, reason: fmt.Sprintf("%s come to %d bytes of JSON, the limit is %d", what, size, MaxBytes)}
}

// SyntaxError tells what is wrong with the text of a template, and where.
type SyntaxError struct {
	// Line and Column count from 1; columns count characters, not bytes.
	Line, Column int
	// Code is one of the constants above.
	Code string
	// Message is what was found and what was expected.
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("claims: template %d:%d: %s", e.Line, e.Column, e.Message)
}

// quote shows a name from outside, at a length fit for a log line.
func quote(name string) string {
	const most = 64
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
