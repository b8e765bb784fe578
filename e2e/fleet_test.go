package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

const fleetSite = `{
	admin 127.0.0.1:ADMIN
	persist_config off
	default_bind 127.0.0.1
	attest {
		issuer http://fleet.test
		secret 0123456789-0123456789-0123456789
		store redis REDIS
		profile demo {
			dev
			email_domains example.com
			organization demo
			create members organizations
		}
	}
}
:PORT {
	attest_api
	attest demo
	respond ok
}
`

// A fleetNode is a gateway of a fleet, whose admin endpoint is asked.
type fleetNode struct {
	*gateway
	admin string
}

// startNode starts a gateway of a fleet, in a process and a home of its own.
func startNode(t *testing.T, redis string) fleetNode {
	t.Helper()
	admin := fmt.Sprint(freePort(t))
	return fleetNode{startGateway(t, fleetSite, "REDIS", redis, "ADMIN", admin), "127.0.0.1:" + admin}
}

func (n fleetNode) attest(args ...string) string {
	n.t.Helper()
	res := n.run("", append(append([]string{"attest"}, args...), "--address", n.admin)...)
	if res.status != 0 {
		n.t.Fatalf("%v: exit status %d\n%s%s", args, res.status, res.stderr, n.output)
	}
	return res.stdout
}

// A nodeStatus is what one gateway says of another.
type nodeStatus struct {
	ID     string `json:"node_id"`
	Config string `json:"config_digest"`
	Key    string `json:"kid"`
	Levers struct{ Frozen bool }
}

// untilNodes asks until the node lists as many, each of which satisfies.
func (n fleetNode) untilNodes(count int, holds func(nodeStatus) bool) []nodeStatus {
	n.t.Helper()
	var status struct{ Nodes []nodeStatus }
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err := json.Unmarshal([]byte(n.attest("status", "--json")), &status); err != nil {
			n.t.Fatal(err)
		}
		good := 0
		for _, each := range status.Nodes {
			if holds(each) {
				good++
			}
		}
		if good == count && len(status.Nodes) == count {
			return status.Nodes
		}
	}
	n.t.Fatalf("the nodes stay %+v", status.Nodes)
	return nil
}

// Two processes on one Redis: each shows both, obeys what an operator does at the other,
// takes over what the other knows from a Redis that was emptied, and is gone when it
// ends.
func TestFleetOfProcesses(t *testing.T) {
	server := redistest.Start(t)
	a := startNode(t, "redis://"+server.Addr)
	b := startNode(t, "redis://"+server.Addr)
	nodes := a.untilNodes(2, func(nodeStatus) bool { return true })
	if nodes[0].Key != nodes[1].Key || nodes[0].ID == nodes[1].ID {
		t.Errorf("they are %+v", nodes)
	}
	a.attest("levers", "freeze")
	b.untilNodes(2, func(n nodeStatus) bool { return n.Levers.Frozen })
	token := "Bearer " + b.mint("demo", "--email", "ada@example.com")
	if got := try(newRequest(t, b.url("/"), "Authorization", token)); got.status != http.StatusServiceUnavailable {
		t.Errorf("frozen at A, at B: %d %v", got.status, got.err)
	}

	server.CLI("flushall")
	c := startNode(t, "redis://"+server.Addr)
	for _, n := range []fleetNode{a, b, c} {
		n.untilNodes(3, func(seen nodeStatus) bool { return seen.Levers.Frozen && seen.Key == nodes[0].Key })
	}

	b.terminate()
	b.exit()
	a.untilNodes(2, func(nodeStatus) bool { return true })
	a.attest("levers", "clear")
	c.untilNodes(2, func(n nodeStatus) bool { return !n.Levers.Frozen })
}
