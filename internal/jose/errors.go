package jose

import (
	"errors"
	"fmt"
)

// ErrSignature reports a signature that the key did not make.
var ErrSignature = errors.New("jose: signature does not verify")

// Codes of a ParseError. They are stable: logs and operators read them.
const (
	CodeTooLarge  = "token_too_large"  // more than MaxTokenBytes
	CodeMalformed = "token_malformed"  // not three non-empty parts
	CodeEncoding  = "token_encoding"   // a part is not strict base64url
	CodeEncrypted = "token_encrypted"  // a JWE: five parts, or enc or zip in the header
	CodeHeader    = "header_invalid"   // the header is not a strict JSON object
	CodePayload   = "payload_invalid"  // the payload is not a strict JSON object
	CodeAlgorithm = "alg_missing"      // no alg, or not a string
	CodeNone      = "alg_none"         // alg none, in any spelling
	CodeCritical  = "crit_unsupported" // crit or b64: extensions we do not have
	CodeKeyID     = "kid_invalid"      // kid is not a string of at most MaxKeyID bytes
	CodeType      = "typ_invalid"      // typ is not a string
)

// ParseError reports text that is not a token. Its message says what is wrong
// and where, and never what stands there.
type ParseError struct {
	Code string
	err  error
}

func (e *ParseError) Error() string {
	if e.err == nil {
		return "jose: " + e.Code
	}
	return fmt.Sprintf("jose: %s: %v", e.Code, e.err)
}

// Unwrap returns the error of the JSON or base64 reader, if there was one.
func (e *ParseError) Unwrap() error { return e.err }

// KeyError reports a key that cannot be used, or not for what was asked of it.
type KeyError struct{ Reason string }

func (e *KeyError) Error() string { return "jose: key: " + e.Reason }

func keyErrorf(format string, args ...any) *KeyError {
	return &KeyError{Reason: fmt.Sprintf(format, args...)}
}
