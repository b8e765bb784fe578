package mint

import (
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

var (
	// ErrInvalid is what every *VerifyError is: the JWT is not one of ours, or not
	// good.
	ErrInvalid = errors.New("mint: not a valid session JWT")
	// ErrFiles reports a rotation of keys that come from files: there, whoever keeps
	// the files rotates.
	ErrFiles = errors.New("mint: signing keys come from files")
	// ErrUnknownKey reports an emergency rotation away from a key that the ring does
	// not hold.
	ErrUnknownKey = errors.New("mint: no such key in the ring")
)

// Codes of a VerifyError. They are stable: logs and operators read them.
const (
	CodeMalformed = "jwt_malformed"        // not a JWT, or without what ours have
	CodeIssuer    = "jwt_issuer"           // somebody else's: it may be a trusted token
	CodeKey       = "jwt_key_unknown"      // signed with a key the ring does not hold, or no longer
	CodeSignature = "jwt_signature"        // not signed by that key
	CodeAudience  = "jwt_audience"         // without the project id: an injected JWT, no credential
	CodeExpired   = "jwt_expired"          // past its exp
	CodeNotYet    = "jwt_not_yet_valid"    // before its nbf
	CodeClaims    = "jwt_claims_malformed" // verified, but not in our shape
)

// VerifyError reports a JWT that Verify does not take, and why. Its message
// repeats nothing of the JWT.
type VerifyError struct {
	Code string
	err  error
	// foreign is the token, where it is well formed and of another issuer.
	foreign *jose.Token
}

// ForeignToken is the token of an error of Read, where it is well formed and says that it is
// another issuer's: whoever looks at it next need not parse it again. Nothing of it is
// verified. It is nil otherwise.
func ForeignToken(err error) *jose.Token {
	var refused *VerifyError
	if errors.As(err, &refused) {
		return refused.foreign
	}
	return nil
}

func (e *VerifyError) Error() string {
	if e.err == nil {
		return "mint: " + e.Code
	}
	return fmt.Sprintf("mint: %s: %v", e.Code, e.err)
}

// Unwrap returns what was found underneath, if anything.
func (e *VerifyError) Unwrap() error { return e.err }

// Is tells that every VerifyError is an ErrInvalid.
func (e *VerifyError) Is(target error) bool { return target == ErrInvalid }

// TooEarlyError reports a rotation before the next key has been published for
// long enough.
type TooEarlyError struct {
	// ReadyAt is when it will have been.
	ReadyAt time.Time
}

func (e *TooEarlyError) Error() string {
	return "mint: the next key may not sign before " + e.ReadyAt.UTC().Format(time.RFC3339) +
		", as upstreams may not know it yet"
}
