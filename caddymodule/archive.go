package caddymodule

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"time"

	"github.com/caddyserver/certmagic"
)

// An archive keeps the last good key set of each issuer in Caddy's storage, so
// that an issuer's outage and a restart together are not an outage of ours. It is
// the Archive of the trust package.
type archive struct {
	storage certmagic.Storage
}

func (a archive) name(url string) string {
	sum := sha256.Sum256([]byte(url))
	return storedJWKS + hex.EncodeToString(sum[:16]) + ".json"
}

// Load implements trust.Archive. The file begins with the time of the fetch.
func (a archive) Load(ctx context.Context, url string) ([]byte, time.Time, error) {
	data, err := a.storage.Load(ctx, a.name(url))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil || len(data) < 8 {
		return nil, time.Time{}, err
	}
	return data[8:], time.UnixMilli(int64(binary.BigEndian.Uint64(data))), nil
}

// Save implements trust.Archive.
func (a archive) Save(ctx context.Context, url string, data []byte, fetchedAt time.Time) error {
	file := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(fetchedAt.UnixMilli()))
	return a.storage.Store(ctx, a.name(url), append(file, data...))
}
