package caddymodule

import (
	"context"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

func init() {
	caddy.RegisterModule(new(MemoryStore))
}

// MemoryStore keeps everything in this process: sessions survive a reload of the
// configuration and end with the process. For tests, and for read-only
// containers that may forget. When it holds four million records, new sessions
// are refused as in an outage until old ones end; none is dropped.
type MemoryStore struct{}

// CaddyModule returns the Caddy module information.
func (*MemoryStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  storeNamespace + ".memory",
		New: func() caddy.Module { return new(MemoryStore) },
	}
}

// UnmarshalCaddyfile reads `memory`.
func (*MemoryStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	return grammar.NewReader(d, grammar.Place{"store", "memory"}, "").End()
}

// PoolKey is the same for all: a process has one memory.
func (*MemoryStore) PoolKey() string { return "" }

// Open makes an empty store.
func (*MemoryStore) Open(context.Context) (store.Store, error) {
	return memory.NewBounded(nil, maxMemoryRecords), nil
}

// maxMemoryRecords bounds the memory of a process: a session is two records of
// less than 1 kB each.
const maxMemoryRecords = 4_000_000

// Local reports that nothing leaves the process.
func (*MemoryStore) Local() bool { return true }

var (
	_ StoreBackend          = (*MemoryStore)(nil)
	_ caddyfile.Unmarshaler = (*MemoryStore)(nil)
	_ LocalStore            = (*MemoryStore)(nil)
)
