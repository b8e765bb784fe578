package caddymodule

import (
	"context"
	"slices"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/store"
)

// StoreBackend is a place where records can be kept: a Caddy module of the
// namespace attest.stores, chosen in JSON by the key `backend` and in a
// Caddyfile by the word after `store` (for which it is a caddyfile.Unmarshaler
// too). Anyone can add one.
//
// What it opens is never trusted with the content of records: the app seals
// them before the store sees them.
type StoreBackend interface {
	caddy.Module

	// PoolKey names what Open would open, as provisioned: a file's absolute path,
	// a server's address and options. Configurations whose backend and key are
	// equal share one open store, so that a reload neither reopens nor loses it.
	// The key may hold secrets; it is never shown.
	PoolKey() string

	// Open opens the store. It is called when the app starts, never in Provision,
	// because `caddy validate` provisions beside a running server. ctx bounds the
	// opening only. A store that cannot be reached yet should be returned all the
	// same and answer faults, so that the gateway starts during an outage; an error
	// is for what will not pass by itself. If the store is an io.Closer, it is
	// closed when the last configuration that uses it is gone.
	Open(ctx context.Context) (store.Store, error)
}

// LocalStore is the second ability of a StoreBackend: being out of reach of
// other machines. Any other backend needs the operator's `secret`, because
// whoever shares the store could otherwise make its records.
type LocalStore interface {
	// Local tells whether only this machine can reach what is kept.
	Local() bool
}

// NamedStore is a further ability of a StoreBackend: to name the store apart from the
// way there.
type NamedStore interface {
	// StoreNames are what the store is called, as provisioned, whatever the
	// credentials, timeouts and certificates: two backends lead to one store if they
	// have a name in common. What this process must not forget is kept under them.
	// Default: PoolKey alone.
	StoreNames() []string
}

const (
	storeNamespace = "attest.stores"
	storeKey       = "backend"
	defaultStore   = "bolt"
)

// storeNames are the backends of this build.
func storeNames() []string {
	var names []string
	for _, info := range caddy.GetModules(storeNamespace) {
		names = append(names, info.ID.Name())
	}
	slices.Sort(names)
	return names
}

// storeIsLocal tells whether the configured backend keeps to this machine. It
// looks at the kind of backend only, so that it can be asked before anything is
// provisioned.
func storeIsLocal(raw []byte) bool {
	if len(raw) == 0 {
		return true
	}
	var chosen struct {
		Backend string `json:"backend"`
	}
	if err := strictjson.Unmarshal(raw, &chosen); err != nil {
		return false
	}
	info, err := caddy.GetModule(storeNamespace + "." + chosen.Backend)
	if err != nil {
		return false
	}
	return isLocal(info.New())
}

// isLocal tells whether a backend keeps to this machine.
func isLocal(backend any) bool {
	local, ok := backend.(LocalStore)
	return ok && local.Local()
}

// readStore reads `store <backend> …`: the rest is the backend's own.
func readStore(r *grammar.Reader, a *App) error {
	if a.StoreRaw != nil {
		return r.Again()
	}
	if !r.NextArg() {
		return r.Wrong()
	}
	name := r.Val()
	if known := storeNames(); !slices.Contains(known, name) {
		return r.Unrecognized("store", name, known...)
	}
	backend, err := caddyfile.UnmarshalModule(r.Dispenser, storeNamespace+"."+name)
	if err != nil {
		return err
	}
	a.StoreRaw = caddyconfig.JSONModuleObject(backend, storeKey, name, nil)
	return nil
}
