package gateway_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/store"
)

// Anybody may send health checks: they cost the store one call a second.
func TestHealthChecksDoNotFloodTheStore(t *testing.T) {
	w := newWorld(t)
	core := w.gateway.Core
	before := w.store.reads()
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for range 20 {
				if err := core.PingStore(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := w.store.reads() - before; n != 1 {
		t.Errorf("%d calls of the store", n)
	}
	w.store.set(store.ErrUnavailable)
	w.clock.Advance(time.Second)
	if err := core.PingStore(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a second later: %v", err)
	}
}

// A client that goes away is no outage of the store for the next one.
func TestHealthCheckOfAClientThatWentAway(t *testing.T) {
	w := newWorld(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = w.gateway.Core.PingStore(gone)
	if err := w.gateway.Core.PingStore(t.Context()); err != nil {
		t.Error(err)
	}
}

type changes struct {
	authn.Observer
	mu   sync.Mutex
	list []authn.Event
}

func (c *changes) Changed(_ context.Context, e authn.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, e)
}

func (*changes) Decided(authn.Decided)               {}
func (*changes) Minted(bool, bool)                   {}
func (*changes) Stored(string, time.Duration, error) {}

// An audit record has the ids of a member, also where the caller named them otherwise.
func TestAuditNamesTheMemberThatAReferenceMeans(t *testing.T) {
	told := &changes{}
	w := newWorld(t, func(s *setup) { s.gateway.Core.Observers = authn.Observers{told} })
	made := w.attest("acme", nil)
	member, organization := made["member_id"].(string), at(made, "organization.organization_id").(string)
	if err := w.gateway.Core.Revoke(t.Context(), authn.RevokeRequest{MemberID: "ada-at-crm", OrganizationID: organization}); err == nil {
		t.Fatal("a member who is not there was revoked")
	}
	w.ok("PUT", "/v1/b2b/organizations/"+organization+"/members/"+member, claims.Object{"external_id": "ada-at-crm"})
	if err := w.gateway.Core.Revoke(t.Context(), authn.RevokeRequest{MemberID: "ada-at-crm", OrganizationID: organization}); err != nil {
		t.Fatal(err)
	}
	last := told.list[len(told.list)-1]
	if last.Action != authn.MemberRevoked || last.MemberID != member || last.OrganizationID != organization || last.Failed {
		t.Errorf("told %+v", last)
	}
}
