package rbac_test

import (
	"slices"
	"testing"

	"github.com/attestgate/caddy-attest/rbac"
)

func policy(t *testing.T) *rbac.Policy {
	t.Helper()
	p, err := rbac.NewPolicy(
		[]rbac.Resource{{ID: "documents", Actions: []string{"read", "write", "delete"}}, {ID: "stytch.organization", Actions: []string{"update"}}},
		[]rbac.Role{
			{ID: "reader", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{"read"}}}},
			{ID: "editor", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{"write", "read"}}}},
			{ID: "admin", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{"*"}}}},
		})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicyActions(t *testing.T) {
	for _, c := range []struct {
		name     string
		roles    []string
		resource string
		want     []string
	}{
		{"additive, each once, in the resource's order", []string{"editor", "reader"}, "documents", []string{"read", "write"}},
		{"any action is every action", []string{"admin"}, "documents", []string{"read", "write", "delete"}},
		{"a role that is not defined allows nothing", []string{"owner"}, "documents", []string{}},
		{"no permission is an empty list and not none", []string{"admin"}, "stytch.organization", []string{}},
		{"a resource that is not defined", []string{"admin"}, "invoices", []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := policy(t).Actions(c.roles, c.resource); !slices.Equal(got, c.want) || got == nil {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	if got := (*rbac.Policy)(nil).Actions([]string{"admin"}, "documents"); got == nil || len(got) != 0 {
		t.Errorf("no policy: got %#v", got)
	}
}

func TestPolicyGrantingIsComplete(t *testing.T) {
	got := policy(t).Granting([]string{"reader", "admin", "nobody"}, "documents", "read")
	if want := []string{"reader", "admin"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := policy(t).Granting([]string{"reader"}, "documents", "write"); len(got) != 0 {
		t.Errorf("reader may write: %v", got)
	}
}

// A permission on something that does not exist allows nothing, so it is refused as a
// typing error.
func TestPolicyRefusesWhatWouldAllowNothing(t *testing.T) {
	documents := []rbac.Resource{{ID: "documents", Actions: []string{"read"}}}
	for want, p := range map[string]rbac.Permission{
		`rbac: role r: resource "invoices" is not defined`:       {Resource: "invoices", Actions: []string{"read"}},
		`rbac: role r: resource documents has no action "write"`: {Resource: "documents", Actions: []string{"write"}},
	} {
		_, err := rbac.NewPolicy(documents, []rbac.Role{{ID: "r", Permissions: []rbac.Permission{p}}})
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
