package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	storefleet "github.com/attestgate/caddy-attest/store/fleet"
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

// A gateway that starts right after the store was emptied is given back what the others
// know, before it makes keys of its own or reads that no lever is pulled.
func TestFleetNodeThatStartsOnAJustEmptiedStore(t *testing.T) {
	for name, empty := range map[string]func(*redistest.Server){
		"flushed":         func(s *redistest.Server) { s.CLI("flushall") },
		"restarted empty": func(s *redistest.Server) { s.Kill(); s.Wipe(); s.Restart() },
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			nodes := fleet(t, 2, config(server))
			a := nodes[0]
			a.attest("acme", nil)
			a.must(a.gateway.Core.DisableProfile(t.Context(), "other", true))
			a.freeze()
			empty(server)
			c := fleet(t, 1, config(server), func(s *setup) { s.signers, s.founding = a.signers, storefleet.DefaultFounding })[0]
			res, _ := c.through(c.route, bearer(c.token("acme", claims.Object{"jti": "new"})))
			refusedWith(t, res, 503, "sign_ins_frozen")
			state, err := c.gateway.Core.ProfileState(t.Context(), "other")
			if err != nil || !state.Disabled {
				t.Errorf("the disabled profile: %+v, %v", state, err)
			}
			c.must(c.gateway.Core.DisableProfile(t.Context(), directory.AllProfiles, false))
			for _, n := range append(nodes, c) {
				n.must(n.gateway.Core.Fleet.Refresh(t.Context()))
				if n.ring.ActiveID() != a.ring.ActiveID() {
					t.Error("the nodes sign with different keys")
				}
				n.until(204, n.token("acme", claims.Object{"jti": fmt.Sprint("after ", n.gateway.Core.Node.ID)}))
				if made := n.attest("acme", nil); made["member_id"] != c.attest("acme", nil)["member_id"] {
					t.Error("one person is two members")
				}
			}
		})
	}
}
