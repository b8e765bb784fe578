package store

import (
	"context"
	"errors"
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
func Key(ctx context.Context, s Store, name string, random io.Reader) ([]byte, error) {
	key, err := loadKey(ctx, s, name)
	if err != nil || key != nil {
		return key, err
	}
	switch key, err = makeKey(ctx, s, name, random); {
	case err == nil:
		return key, nil
	case !errors.Is(err, ErrConflict):
		return nil, err
	}
	key, err = loadKey(ctx, s, name)
	if err == nil && key == nil {
		err = fmt.Errorf("store: key %q: %w", name, ErrConflict)
	}
	return key, err
}

// loadKey answers nil where there is no such key yet.
func loadKey(ctx context.Context, s Store, name string) ([]byte, error) {
	records, err := s.Get(ctx, keyPartition, keyPrefix+name)
	if err != nil {
		return nil, fmt.Errorf("store: key %q: %w", name, err)
	}
	if !records[0].Exists() {
		return nil, nil
	}
	var r keyRecord
	if err := record.Decode(records[0].Value, keyFormat, &r); err != nil {
		return nil, fmt.Errorf("store: key %q: %w", name, err)
	}
	if len(r.Key) != KeyBytes {
		return nil, fmt.Errorf("store: key %q has %d bytes, want %d", name, len(r.Key), KeyBytes)
	}
	return r.Key, nil
}

func makeKey(ctx context.Context, s Store, name string, random io.Reader) ([]byte, error) {
	r := keyRecord{Key: make([]byte, KeyBytes)}
	if _, err := io.ReadFull(random, r.Key); err != nil {
		return nil, fmt.Errorf("store: key %q: random bytes: %w", name, err)
	}
	value, err := record.Encode(keyFormat, r)
	if err != nil {
		return nil, fmt.Errorf("store: key %q: %w", name, err)
	}
	if err := s.Apply(ctx, keyPartition, Op{Key: keyPrefix + name, Value: value}); err != nil {
		return nil, fmt.Errorf("store: key %q: %w", name, err)
	}
	return r.Key, nil
}
