package store

import (
	"context"
	"fmt"
	"io"

	"github.com/attestgate/caddy-attest/store/record"
)

// KeyBytes is the length of a key made by Key.
const KeyBytes = 32

const (
	keyPartition = "ring"
	keyPrefix    = "key:"
	keyFormat    = 1
)

// keyRecord is a key as it is stored.
type keyRecord struct {
	Key     []byte         `json:"key"`
	Unknown map[string]any `json:",embed"`
}

// Key is the key of that name: made of 32 random bytes when it is first asked
// for, kept in partition "ring" under "key:<name>", and the same ever after, on
// every node, also when several ask first at the same moment. It is as secret as
// the store: give it a sealed one.
func Key(ctx context.Context, s Store, name string, random io.Reader) (key []byte, err error) {
	err = Update(ctx, func(ctx context.Context) error {
		if key, err = loadKey(ctx, s, name); err == nil && key == nil {
			key, err = makeKey(ctx, s, name, random)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: key %q: %w", name, err)
	}
	return key, nil
}

// HasKey tells whether there is a key of that name.
func HasKey(ctx context.Context, s Store, name string) (bool, error) {
	key, err := loadKey(ctx, s, name)
	if err != nil {
		return false, fmt.Errorf("store: key %q: %w", name, err)
	}
	return key != nil, nil
}

// loadKey answers nil where there is no such key yet.
func loadKey(ctx context.Context, s Store, name string) ([]byte, error) {
	records, err := s.Get(ctx, keyPartition, keyPrefix+name)
	if err != nil {
		return nil, err
	}
	if !records[0].Exists() {
		return nil, nil
	}
	var r keyRecord
	if err := record.Decode(records[0].Value, keyFormat, &r); err != nil {
		return nil, err
	}
	if len(r.Key) != KeyBytes {
		return nil, fmt.Errorf("%d bytes, want %d", len(r.Key), KeyBytes)
	}
	return r.Key, nil
}

func makeKey(ctx context.Context, s Store, name string, random io.Reader) ([]byte, error) {
	r := keyRecord{Key: make([]byte, KeyBytes)}
	if _, err := io.ReadFull(random, r.Key); err != nil {
		return nil, fmt.Errorf("random bytes: %w", err)
	}
	value, err := record.Encode(keyFormat, r)
	if err != nil {
		return nil, err
	}
	if err := s.Apply(ctx, keyPartition, Op{Key: keyPrefix + name, Value: value}); err != nil {
		return nil, err
	}
	return r.Key, nil
}
