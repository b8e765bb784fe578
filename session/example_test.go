package session_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/store/memory"
)

func ExampleNewManager() {
	m, err := session.NewManager(session.Config{
		Store: memory.New(nil),
		IDKey: make([]byte, 32), // store.Key makes one that a fleet shares
	})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()

	s, err := m.Start(ctx, session.Start{
		OrganizationID: "organization-1", MemberID: "member-1",
		Duration: time.Hour, Factor: session.Factor{Profile: "github"},
	})
	if err != nil {
		panic(err)
	}
	token, _ := m.Token(s)
	carried := token.Reveal() // what the client gets

	token, err = session.ParseToken(carried)
	if err != nil {
		panic(err)
	}
	s, err = m.ByToken(ctx, token)
	fmt.Println(s.MemberID, err)

	if _, err := m.Revoke(ctx, s.ID); err != nil {
		panic(err)
	}
	_, err = m.ByToken(ctx, token)
	fmt.Println(errors.Is(err, session.ErrRevoked))
	// Output:
	// member-1 <nil>
	// true
}

func ExampleManager_Implicit() {
	m, err := session.NewManager(session.Config{Store: memory.New(nil), IDKey: make([]byte, 32)})
	if err != nil {
		panic(err)
	}
	shown := session.Implicit{
		Profile: "github", Issuer: "https://token.actions.githubusercontent.com",
		OrganizationID: "organization-1", MemberID: "member-1",
		Digest: sha256.Sum256([]byte("the token")), Until: time.Now().Add(5 * time.Minute),
		Factor: session.Factor{Profile: "github"},
	}
	first, _ := m.Implicit(context.Background(), shown)
	again, _ := m.Implicit(context.Background(), shown)
	fmt.Println(first.ID == again.ID)
	// Output: true
}

func ExampleManager_Change() {
	m, err := session.NewManager(session.Config{Store: memory.New(nil), IDKey: make([]byte, 32)})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	s, err := m.Start(ctx, session.Start{OrganizationID: "organization-1", MemberID: "member-1", Duration: time.Hour})
	if err != nil {
		panic(err)
	}
	s, err = m.Change(ctx, s.ID, func(s *session.Session) error {
		if err := s.Extend(time.Now(), 8*time.Hour, m.MaxDuration()); err != nil {
			return err // and nothing is written
		}
		return nil
	})
	fmt.Println(s.ExpiresAt.Sub(s.StartedAt).Round(time.Minute), err)
	// Output: 8h0m0s <nil>
}

func ExampleNewRevocations() {
	// One for the process: managers come and go with the configuration.
	shared := session.NewRevocations(nil)
	m, err := session.NewManager(session.Config{Store: memory.New(nil), IDKey: make([]byte, 32), Revocations: shared})
	if err != nil {
		panic(err)
	}
	s, err := m.Start(context.Background(), session.Start{OrganizationID: "o", MemberID: "m", Duration: time.Hour})
	if err != nil {
		panic(err)
	}
	if _, err := m.Revoke(context.Background(), s.ID); err != nil {
		panic(err)
	}
	fmt.Println(shared.Covers(s), shared.Len())
	// Output: true 1
}
