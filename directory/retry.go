package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/store"
)

// errAgain says: what was read is no longer so.
var errAgain = store.ErrConflict

// retry calls fn until what it read still held when it wrote.
func retry(ctx context.Context, what string, fn func() error) error {
	err := store.Update(ctx, func(context.Context) error { return fn() })
	if errors.Is(err, store.ErrBusy) {
		return fmt.Errorf("directory: %s: %w", what, err)
	}
	return err
}
