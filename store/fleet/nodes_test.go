package fleet_test

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/fleet"
	"github.com/attestgate/caddy-attest/store/memory"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// listed are the nodes of a list.
func listed(t *testing.T, l *fleet.Nodes) []fleet.Node {
	t.Helper()
	nodes, err := l.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

func tell(t *testing.T, l *fleet.Nodes, n fleet.Node) {
	t.Helper()
	if err := l.Tell(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

func TestNodeIsListedAsItToldUntilItIsSilent(t *testing.T) {
	now := epoch
	backend := memory.New(func() time.Time { return now })
	defer backend.Close()
	l := fleet.NewNodes(backend)
	skew := -1500 * time.Millisecond
	a := fleet.Node{
		ID: "a1", Version: "v1.2.3", Config: "c", StartedAt: epoch.Add(-time.Hour), SeenAt: epoch, Key: "kid", ConnectedAt: epoch, ClockSkew: &skew,
		Frozen: true, NotBefore: epoch.Add(-time.Minute), Disabled: []string{"acme"},
	}
	b := fleet.Node{ID: "b2", StartedAt: epoch, SeenAt: epoch}
	tell(t, l, b)
	tell(t, l, a)
	if got := listed(t, l); !reflect.DeepEqual(got, []fleet.Node{a, b}) {
		t.Errorf("listed %+v", got)
	}
	now = epoch.Add(fleet.NodeLife + skew) // the store's clock is behind: by it, a ends earlier
	if got := listed(t, l); len(got) != 1 || got[0].ID != "b2" {
		t.Errorf("after a's end: %+v", got)
	}
	now = epoch.Add(fleet.NodeLife)
	if got := listed(t, l); len(got) != 0 {
		t.Errorf("silent nodes: %+v", got)
	}
	if fleet.NodeEvery*2 >= fleet.NodeLife {
		t.Error("a node that misses one turn is no longer listed")
	}
}

// A reload starts the new configuration before the old one ends, in one process.
func TestOldConfigurationOfANodeSaysNothingOverTheNewOne(t *testing.T) {
	backend := memory.New(func() time.Time { return epoch })
	defer backend.Close()
	l := fleet.NewNodes(backend)
	before := fleet.Node{ID: "a1", Config: "before", StartedAt: epoch.Add(-time.Hour), SeenAt: epoch}
	after := fleet.Node{ID: "a1", Config: "after", StartedAt: epoch, SeenAt: epoch}
	tell(t, l, before)
	tell(t, l, after)
	tell(t, l, before)
	if err := l.Leave(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if got := listed(t, l); len(got) != 1 || got[0].Config != "after" {
		t.Errorf("listed %+v", got)
	}
	for range 2 {
		if err := l.Leave(t.Context(), after); err != nil {
			t.Fatal(err)
		}
	}
	if got := listed(t, l); len(got) != 0 {
		t.Errorf("left, and listed: %+v", got)
	}
}

func TestManyNodesTellAtOnce(t *testing.T) {
	backend := memory.New(func() time.Time { return epoch })
	defer backend.Close()
	l := fleet.NewNodes(backend)
	var nodes sync.WaitGroup
	for i := range 64 {
		nodes.Go(func() {
			if err := l.Tell(t.Context(), fleet.Node{ID: fmt.Sprint("n", i%32), SeenAt: epoch}); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	if got := listed(t, l); len(got) != 32 {
		t.Errorf("%d nodes", len(got))
	}
}
