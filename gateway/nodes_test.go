package gateway_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/gateway/admin"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// statusOf is what an operator is answered at a node.
func statusOf(n node) (s admin.Status) {
	n.t.Helper()
	desk, err := admin.New(admin.Config{Core: n.gateway.Core})
	n.must(err)
	rec := httptest.NewRecorder()
	desk.Handler().ServeHTTP(rec, httptest.NewRequest("GET", "/attest/status", nil))
	n.must(json.Unmarshal(rec.Body.Bytes(), &s))
	return s
}

// untilNodes asks until every node of the list satisfies, and tells how long it took.
func (n node) untilNodes(count int, holds func(admin.Node) bool) time.Duration {
	n.t.Helper()
	began := time.Now()
	var last []admin.Node
	for time.Since(began) < 10*time.Second {
		last = statusOf(n).Nodes
		good := 0
		for _, each := range last {
			if holds(each) {
				good++
			}
		}
		if good == count && len(last) == count {
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	n.t.Fatalf("the list stays %+v", last)
	return 0
}

func anyNode(admin.Node) bool { return true }

// Every gateway shows every gateway: what it signs with, how it hears, and the levers
// it obeys, as soon as it does.
func TestFleetStatusShowsEveryNode(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server))
	a, b := nodes[0], nodes[1]
	for _, n := range nodes {
		n.untilNodes(2, func(seen admin.Node) bool {
			return seen.Key == a.ring.ActiveID() && seen.WatchLag != nil && *seen.WatchLag < 1 && seen.ClockSkew != nil && *seen.ClockSkew < 2 &&
				seen.This == (seen.ID == n.gateway.Core.Node.ID) && !seen.Levers.Frozen
		})
	}
	a.freeze()
	took := b.untilNodes(2, func(seen admin.Node) bool { return seen.Levers.Frozen })
	t.Logf("the freeze shows on every node after %s", took)
	a.must(a.gateway.Core.DisableProfile(t.Context(), "acme", true))
	b.untilNodes(2, func(seen admin.Node) bool { return len(seen.Levers.Disabled) == 1 && seen.Levers.Disabled[0] == "acme" })
	server.CLI("flushall")
	a.untilNodes(2, func(seen admin.Node) bool { return seen.Levers.Frozen })
}

// A node that ends leaves the list at once.
func TestFleetNodeThatEndsLeavesTheList(t *testing.T) {
	server := redistest.Start(t)
	a := fleet(t, 1, config(server))[0]
	t.Run("another", func(t *testing.T) {
		fleet(t, 1, config(server), func(s *setup) { s.signers = a.signers })
		a.untilNodes(2, anyNode)
	})
	a.untilNodes(1, func(n admin.Node) bool { return n.This })
}

// Where the store is away, a gateway still shows itself, and that it is.
func TestStatusOfAGatewayWithoutItsStore(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.node = "lonely" })
	w.store.set(store.ErrUnavailable)
	s := statusOf(node{world: w})
	if len(s.Nodes) != 1 || !s.Nodes[0].This || s.Nodes[0].ID != "lonely" || len(s.Degraded) == 0 {
		t.Errorf("status %+v", s)
	}
}
