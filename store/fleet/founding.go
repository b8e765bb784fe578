package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/record"
)

const (
	// DefaultFounding is far above the 100 ms in which every node that is connected
	// hears of a change.
	DefaultFounding = time.Second

	// foundingKey lies where the keys lie, so that every node Refreshes when it is
	// written.
	foundingKey    = "founding"
	foundingFormat = 1
	foundingLife   = time.Minute
	foundingPoll   = 20 * time.Millisecond
)

// A store without keys is new, or it was emptied a moment ago while other nodes run:
// they would be in conflict with whoever made new keys. So a node that finds a key
// missing says that it is about to make it, and makes it only if nobody has written it
// back since.

// await answers when the key is there, or nobody has written it back for Founding.
func (s *Store) await(ctx context.Context, name string) error {
	if s.Founding <= 0 {
		return nil
	}
	for {
		switch there, err := store.HasKey(ctx, s.Backend, name); {
		case err != nil:
			return err
		case there:
			return nil
		case s.until.IsZero():
			if err := s.found(ctx); err != nil {
				return err
			}
		case time.Now().After(s.until):
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(foundingPoll):
		}
	}
}

// found tells every node that keys are missing.
func (s *Store) found(ctx context.Context) error {
	value, err := record.Encode(foundingFormat, struct{}{})
	if err != nil {
		return fmt.Errorf("fleet: founding: %w", err)
	}
	err = store.Update(ctx, func(ctx context.Context) error {
		records, err := s.Backend.Get(ctx, keyPartition, foundingKey)
		if err != nil {
			return err
		}
		return s.Backend.Apply(ctx, keyPartition, store.Op{
			Key: foundingKey, Expect: records[0].Version, Value: value, ExpiresAt: time.Now().Add(foundingLife),
		})
	})
	if err != nil {
		return fmt.Errorf("fleet: founding: %w", err)
	}
	s.until = time.Now().Add(s.Founding)
	return nil
}
