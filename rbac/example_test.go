package rbac_test

import (
	"fmt"

	"github.com/attestgate/caddy-attest/rbac"
)

func ExampleNewPolicy() {
	policy, err := rbac.NewPolicy(
		[]rbac.Resource{{ID: "documents", Actions: []string{"read", "write"}}},
		[]rbac.Role{{ID: "editor", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{rbac.AnyAction}}}}},
	)
	fmt.Println(policy.Actions([]string{"editor"}, "documents"), policy.Granting([]string{"editor"}, "documents", "write"), err)
	// Output: [read write] [editor] <nil>
}
