package caddymodule_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"

	"github.com/attestgate/caddy-attest/caddymodule"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

// guestVariable makes this test binary one that a guest store is built into. The
// others have none, because messages list the stores there are.
const guestVariable = "ATTEST_TEST_GUEST_STORE"

func init() {
	if os.Getenv(guestVariable) != "" {
		caddy.RegisterModule(new(guestStore))
	}
}

// guestAway tells whether the guest store's backend is away.
var guestAway atomic.Bool

// guestStore is a store module as somebody else would write it: it knows the
// contract of package store and none of our backends.
type guestStore struct{}

func (*guestStore) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "attest.stores.guest", New: func() caddy.Module { return new(guestStore) }}
}

func (*guestStore) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	return nil
}

func (*guestStore) PoolKey() string { return "" }

func (*guestStore) Open(context.Context) (store.Store, error) {
	return &guest{memory.New(nil)}, nil
}

type guest struct{ *memory.Store }

func (g *guest) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	if guestAway.Load() {
		return nil, fmt.Errorf("guest: no route to host: %w", store.ErrUnavailable)
	}
	return g.Store.Get(ctx, partition, keys...)
}

var (
	_ caddymodule.StoreBackend = (*guestStore)(nil)
	_ caddyfile.Unmarshaler    = (*guestStore)(nil)
)

// An outage has one name for every backend: a gateway whose guest store is away
// when it starts answers 503, and serves as soon as the store does.
func TestCaddyStartsWhileAGuestStoreIsAway(t *testing.T) {
	if os.Getenv(guestVariable) == "" {
		child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		child.Env = append(os.Environ(), guestVariable+"=1")
		if out, err := child.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	guestAway.Store(true)
	t.Cleanup(func() { guestAway.Store(false) })
	s := newSite(t, strings.Replace(plainSite, "store bolt DIR/sessions.db", "secret \""+sealSecret+"\"\n\t\tstore guest", 1))
	refused(t, s.get("/", "Authorization", "Bearer "+s.token(nil)), 503, "service_unavailable")
	guestAway.Store(false)
	for range 300 {
		if s.get("/", "Authorization", "Bearer "+s.token(nil)).StatusCode == 200 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the store is back and the gateway is not")
}
