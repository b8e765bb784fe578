package store

import (
	"context"
	"fmt"
)

// Rewriter is the third ability of a store: showing everything it holds, and
// changing how the bytes of a record are written without changing the record. It
// is what a change of the secret or of the format of sealed records needs.
type Rewriter interface {
	// Scan calls fn with the name of every record, at least once, in no order,
	// never twice at once. A record that is there from the beginning to the end is
	// always named; one that is made or goes meanwhile may be or not; one that is
	// named may be gone, so the caller reads each. Scan holds nothing while fn runs,
	// which may call the store, and keeps no writer waiting for long. It ends with
	// the first error of fn, which it returns as it is.
	Scan(ctx context.Context, fn func(Ref) error) error

	// Rewrite puts new in the place of old, the bytes of the record's value now;
	// where they are others, or the record is gone, it is an ErrConflict and nothing
	// is done. The record's version, end, time-to-live and tags stay, and it causes
	// no event: to every reader the two must mean the same.
	Rewrite(ctx context.Context, ref Ref, old, new []byte) error
}

// CheckRewrite is what a backend asks before a Rewrite: names and sizes. The error
// is an ErrName, ErrTooLarge or ErrOp.
func CheckRewrite(ref Ref, old, new []byte) error {
	if err := CheckKeys(ref.Partition, ref.Key); err != nil {
		return err
	}
	if len(old) == 0 || len(new) == 0 {
		return fmt.Errorf("%w: empty value", ErrOp)
	}
	if len(new) > MaxValue {
		return fmt.Errorf("%w: value of %d bytes", ErrTooLarge, len(new))
	}
	return nil
}
