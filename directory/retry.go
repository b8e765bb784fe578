package directory

import (
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/store"
)

// maxTries is how often a change is decided anew because others changed the same
// records in between.
const maxTries = 32

// errAgain says: what was read is no longer so.
var errAgain = store.ErrConflict

// retry calls fn until what it read still held when it wrote.
func retry(what string, fn func() error) error {
	for range maxTries {
		if err := fn(); !errors.Is(err, errAgain) {
			return err
		}
	}
	return fmt.Errorf("directory: %s: %w", what, store.ErrConflict)
}
