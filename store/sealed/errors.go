package sealed

import (
	"errors"
	"fmt"
)

// ErrBroken reports a record that does not open: what the store holds under that
// name was not written there, or not by a gateway with one of these secrets.
var ErrBroken = errors.New("sealed: record does not open")

// Error is an ErrBroken that says which record.
type Error struct {
	Partition, Key string
	// Reason is for the operator: "malformed", "newer format", "unknown secret",
	// "forged" (or damaged, moved, replayed: they look the same), or "end
	// moved".
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("sealed: record %s/%s does not open: %s", e.Partition, e.Key, e.Reason)
}

// Unwrap makes it an ErrBroken.
func (e *Error) Unwrap() error { return ErrBroken }

const (
	malformed     = "malformed"
	newerFormat   = "newer format"
	unknownSecret = "unknown secret"
	forged        = "forged"
	endMoved      = "end moved"
)
