package mint_test

import (
	"context"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store/memory"
)

func ExampleNew() {
	ctx := context.Background()
	ring, err := mint.OpenRing(ctx, mint.RingConfig{Store: memory.New(nil)})
	if err != nil {
		panic(err)
	}
	m, err := mint.New(mint.Config{Ring: ring, Issuer: "https://gw.example.com", ProjectID: "project-1"})
	if err != nil {
		panic(err)
	}
	s := session.Session{ // as a session.Manager answers it
		ID: "session-01234567-89ab-cdef-0123-456789abcdef", OrganizationID: "organization-1", MemberID: "member-1",
		StartedAt: time.Now(), LastAccessedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour),
	}
	jwt, err := m.Mint(mint.Request{
		Session: s, OrganizationID: s.OrganizationID, MemberID: s.MemberID,
		Claims: map[string]any{"plan": "pro"}, API: true, Lifetime: 5 * time.Minute,
	})
	if err != nil {
		panic(err)
	}
	id, err := m.Verify(ctx, jwt.Text, mint.VerifyOptions{})
	fmt.Println(id, err)
	// Output: session-01234567-89ab-cdef-0123-456789abcdef <nil>
}

func ExampleOpenRing() {
	ctx, stop := context.WithCancel(context.Background())
	ring, err := mint.OpenRing(ctx, mint.RingConfig{Store: memory.New(nil), Algorithm: "EdDSA"})
	if err != nil {
		panic(err)
	}
	done := make(chan error)
	go func() { done <- ring.Run(ctx) }() // follows the store and rotates

	for _, k := range ring.Status().Keys {
		fmt.Println(k.State, k.Algorithm)
	}
	stop()
	fmt.Println(<-done)
	// Output:
	// active EdDSA
	// next EdDSA
	// context canceled
}
