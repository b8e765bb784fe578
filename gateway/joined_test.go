package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

// holding is a store that holds one change of a session until it is released.
type holding struct {
	store.Store
	once    sync.Once
	held    chan struct{}
	release chan struct{}
}

func (h *holding) Apply(ctx context.Context, partition string, ops ...store.Op) error {
	if strings.HasPrefix(partition, "s") {
		h.once.Do(func() {
			close(h.held)
			<-h.release
		})
	}
	return h.Store.Apply(ctx, partition, ops...)
}

// A token's session is being written when its organization is deleted, and confirmed to be.
// Who comes with the same token after that joins the start under way, and must not get what
// was decided before.
func TestAttackJoinsAStartFromBeforeARevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		route := acme()
		h := &holding{held: make(chan struct{}), release: make(chan struct{})}
		h.once.Do(func() {}) // until there is somebody to delete
		w := newWorld(t, routes(route), func(s *setup) {
			m := memory.New(s.clock.Now)
			h.Store = m
			s.store = &faulty{Store: h, Watcher: m}
		})
		made := w.attest("acme", nil)
		org := made["member_session"].(claims.Object)["organization_id"].(string)
		token := w.token("acme", claims.Object{"jti": "joined"})
		h.once = sync.Once{}
		status := func() int {
			resp, _ := w.through(route, bearer(token))
			return resp.StatusCode
		}
		var both sync.WaitGroup
		both.Go(func() { status() })
		<-h.held
		w.ok("DELETE", orgsPath+"/"+org, nil)
		both.Go(func() {
			if got := status(); got == http.StatusNoContent {
				t.Error("a request after the deletion was admitted")
			}
		})
		synctest.Wait()
		close(h.release)
		both.Wait()
	})
}
