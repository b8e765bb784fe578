package trust

import (
	"errors"
	"fmt"
)

// ErrKeysUnavailable reports that a profile's keys are not available now, so that
// the token can be neither verified nor refused: an outage, never a refusal.
var ErrKeysUnavailable = errors.New("trust: keys unavailable")

// keysUnavailable wraps any error of a key source in ErrKeysUnavailable.
func keysUnavailable(err error) error {
	if errors.Is(err, ErrKeysUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrKeysUnavailable, err)
}

// Refusal is the error of a token that is not accepted. Its text names profile and
// check and quotes nothing of the token.
type Refusal struct {
	// Profile is empty where none was selected.
	Profile string
	// Code is one of the reason codes of the package documentation.
	Code string
	// Check that failed, as in Finding.
	Check string
	// Configured is what the profile asks for, Found what the token has. Found may
	// be personal and is for the operator alone.
	Configured, Found string
	// Remedy says what would help.
	Remedy string
}

func (r *Refusal) Error() string {
	if r.Profile == "" {
		return "trust: no profile: " + r.Check + ": " + r.Code
	}
	return "trust: profile " + r.Profile + ": " + r.Check + ": " + r.Code
}

// Finding is the result of one check of Explain.
type Finding struct {
	Check           string
	Passed, Skipped bool
	// Code is the reason code where the check failed.
	Code string
	// Configured, Found and Remedy are those of Refusal.
	Configured, Found, Remedy string
	// Dropped is what of the claim was left out, and why; the check passes all the same.
	Dropped string
}
