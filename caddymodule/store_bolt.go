package caddymodule

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/bolt"
)

func init() {
	caddy.RegisterModule(new(BoltStore))
}

// BoltStore keeps everything in one file, which one process at a time may have
// open. What was written survives a crash and a restart.
type BoltStore struct {
	// The file. Placeholders of the forms {env.NAME} and {file.PATH} are
	// replaced. Default: attest/sessions.db in Caddy's data directory.
	Path string `json:"path,omitempty"`
}

// CaddyModule returns the Caddy module information.
func (*BoltStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  storeNamespace + ".bolt",
		New: func() caddy.Module { return new(BoltStore) },
	}
}

// UnmarshalCaddyfile reads `bolt [<path>]`.
func (b *BoltStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	r := grammar.NewReader(d, boltPlace, "[<path>]")
	if r.CountRemainingArgs() > 0 {
		if err := r.Text(&b.Path); err != nil {
			return err
		}
	}
	if err := r.End(); err != nil {
		return err
	}
	if p := firstProblem(false, b.check); p != nil {
		return r.Locate(p)
	}
	return nil
}

var boltPlace = grammar.Place{"store", "bolt"}

// check refuses a path with placeholders that mean nothing.
func (b *BoltStore) check(c *checker) { c.Known(boltPlace, b.Path) }

// Provision makes the path absolute: it names the one open file of a process.
func (b *BoltStore) Provision(caddy.Context) error {
	if err := provision(b.check, func(r *grammar.Replacer) { r.Text(boltPlace, &b.Path) }); err != nil {
		return err
	}
	if b.Path == "" {
		b.Path = filepath.Join(caddy.AppDataDir(), "attest", "sessions.db")
	}
	path, err := filepath.Abs(b.Path)
	if err != nil {
		return fmt.Errorf("store bolt: %w", err)
	}
	b.Path = path
	return nil
}

// PoolKey is the file's absolute path.
func (b *BoltStore) PoolKey() string { return b.Path }

// Open opens the file, or makes it and its directory.
func (b *BoltStore) Open(context.Context) (store.Store, error) {
	s, err := bolt.Open(b.Path, bolt.Options{})
	if errors.Is(err, bolt.ErrLocked) {
		return nil, fmt.Errorf("%w; one process has a file: name another path, or use 'store redis' for several gateways", err)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Local reports that the file is this machine's.
func (*BoltStore) Local() bool { return true }

var (
	_ StoreBackend          = (*BoltStore)(nil)
	_ caddy.Provisioner     = (*BoltStore)(nil)
	_ caddyfile.Unmarshaler = (*BoltStore)(nil)
	_ LocalStore            = (*BoltStore)(nil)
)
