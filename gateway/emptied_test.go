package gateway_test

import (
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

// A store that came back empty split a fleet: the gateways that ran named people by
// the keys that they remembered, and the next one to start made keys of its own, so
// that one organization became two.
func TestFleetOnAnEmptiedStoreStaysOneDirectory(t *testing.T) {
	server := redistest.Start(t)
	nodes := fleet(t, 2, config(server))
	a, b := nodes[0], nodes[1]
	a.attest("acme", nil)
	server.CLI("flushall")
	for deadline := time.Now().Add(30 * time.Second); server.CLI("exists", "attest:r:{ring}key:index", "attest:r:{ring}key:id") != "2"; {
		if time.Now().After(deadline) {
			t.Fatal("the keys are not written back")
		}
		time.Sleep(10 * time.Millisecond)
	}
	c := fleet(t, 1, config(server), func(s *setup) { s.signers = a.signers })[0]
	var people []string
	for _, n := range []node{a, b, c} {
		made := n.attest("acme", nil)
		people = append(people, at(made, "member.organization_id").(string)+" "+made["member_id"].(string))
	}
	if people[0] != people[1] || people[1] != people[2] {
		t.Errorf("one person is %q", people)
	}
	if string(c.ring.JWKS()) == "" || c.ring.ActiveID() != a.ring.ActiveID() {
		t.Error("the nodes sign with different keys")
	}
}
