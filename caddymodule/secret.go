package caddymodule

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"github.com/caddyserver/certmagic"
)

// Where the app keeps its own files in Caddy's storage.
const (
	storedSecret = "attest/secret"
	storedKeys   = "attest/keys/"
	storedJWKS   = "attest/jwks/"
	storedDev    = "attest/dev/"
)

// madeOnce reads a file of Caddy's storage, and makes it if it is not there.
// Processes that share the storage and start together end with the same content:
// who comes second to the lock finds what the first has written.
func madeOnce(ctx context.Context, storage certmagic.Storage, name string, make func() ([]byte, error)) ([]byte, error) {
	if data, err := storage.Load(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if err := storage.Lock(ctx, name); err != nil {
		return nil, fmt.Errorf("attest: lock %s in Caddy's storage: %w", name, err)
	}
	defer func() { _ = storage.Unlock(context.WithoutCancel(ctx), name) }()
	if data, err := storage.Load(ctx, name); !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	data, err := make()
	if err != nil {
		return nil, err
	}
	return data, storage.Store(ctx, name, data)
}

// sealingSecrets are the configured secrets, or the one that Caddy's storage
// keeps for this gateway. A gateway that ran without configured ones still opens
// what it sealed then.
func (a *App) sealingSecrets(ctx context.Context, storage certmagic.Storage) ([][]byte, error) {
	if len(a.Secrets) > 0 {
		return a.configuredSecrets(ctx, storage)
	}
	secret, err := madeOnce(ctx, storage, storedSecret, newSecret)
	if err != nil {
		return nil, fmt.Errorf("attest: the sealing secret: %w", err)
	}
	return [][]byte{secret}, nil
}

func (a *App) configuredSecrets(ctx context.Context, storage certmagic.Storage) ([][]byte, error) {
	list := make([][]byte, len(a.Secrets), len(a.Secrets)+1)
	for i, s := range a.Secrets {
		list[i] = []byte(s)
	}
	if !isLocal(a.backend) {
		return list, nil
	}
	made, err := storage.Load(ctx, storedSecret)
	if errors.Is(err, fs.ErrNotExist) {
		return list, nil
	}
	return append(list, made), err
}

func newSecret() ([]byte, error) {
	var raw [32]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return nil, err
	}
	return base64.RawURLEncoding.AppendEncode(nil, raw[:]), nil
}
