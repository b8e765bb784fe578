package directory_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store/memory"
)

func ExampleNew() {
	now := func() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }
	people, err := directory.New(directory.Config{
		Store:         memory.New(now),
		IndexKey:      []byte("see store.Key for one that lasts"),
		Organizations: []directory.Organization{{ID: "acme", Name: "Acme Inc.", Profiles: []string{"okta"}}},
		Now:           now,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	organization, member, err := people.Resolve(context.Background(), directory.Assertion{
		Profile: "okta", Namespace: "okta", ExternalID: "00u1", Email: "Ada@acme.example",
		Roles: []string{"editor"}, HasRoles: true, IssuedAt: now(),
		Organization: "acme", OrganizationFixed: true, CreateMembers: true,
	})
	fmt.Println(organization.Name, member.Email, member.EffectiveRoles([]string{"okta"}), err)

	_, _, err = people.Resolve(context.Background(), directory.Assertion{
		Profile: "evil", Namespace: "evil", ExternalID: "mallory", IssuedAt: now(),
		Organization: "acme", CreateMembers: true,
	})
	fmt.Println(errors.Is(err, directory.ErrOrganizationNotFound))
	// Output:
	// Acme Inc. ada@acme.example [editor] <nil>
	// true
}
