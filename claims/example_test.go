package claims_test

import (
	"fmt"

	"github.com/attestgate/caddy-attest/claims"
)

func ExamplePolicy_ParseTemplate() {
	template, err := policy.ParseTemplate("test", `{
		"https://hasura.io/jwt/claims": {
			"x-hasura-default-role": "reader",
			"x-hasura-allowed-roles": {{ member.trusted_metadata.roles }},
			"x-hasura-user-id": {{ member.member_id }}
		}
	}`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(template.Render(claims.Variables{
		"member": claims.Object{
			"member_id":        "member-1",
			"trusted_metadata": claims.Object{"roles": []any{"reader", "editor"}},
		},
	}))
	// Output: map[https://hasura.io/jwt/claims:map[x-hasura-allowed-roles:[reader editor] x-hasura-default-role:reader x-hasura-user-id:member-1]]
}

func ExamplePolicy_ParseTemplate_mistake() {
	_, err := policy.ParseTemplate("test", "{\n\t\"greeting\": \"Hi {{ member.name }}\"\n}")
	fmt.Println(err)
	// Output: claims: template 2:18: a variable inside a string; write it alone, without quotes
}

func ExamplePolicy_Patch() {
	overlay, err := policy.Patch(claims.Object{"plan": "pro", "beta": nil})
	fmt.Println(overlay.Apply(claims.Object{"plan": "free", "beta": true}), err)

	_, err = policy.Patch(claims.Object{"sub": "admin"})
	fmt.Println(err)
	// Output:
	// map[plan:pro] <nil>
	// claims: "sub": reserved name
}

func ExampleOverlay_Then() {
	first, _ := policy.Patch(claims.Object{"b": "s"})
	second, _ := policy.Patch(claims.Object{"b": claims.Object{}})
	both := first.Then(second)

	base := claims.Object{"b": claims.Object{"a": "s"}}
	fmt.Println(both.Apply(base), second.Apply(base))
	// Output: map[b:map[]] map[b:map[a:s]]
}

func ExamplePolicy_Effective() {
	template, _ := policy.ParseTemplate("test", `{"plan": {{ member.trusted_metadata.plan }}, "ui": {"a": 1, "b": 2}}`)
	overlay, _ := policy.Patch(claims.Object{"ui": claims.Object{"a": nil, "c": 3}})

	for _, plan := range []string{"free", "pro"} {
		member := claims.Object{"trusted_metadata": claims.Object{"plan": plan}}
		fmt.Println(policy.Effective(template, claims.Variables{"member": member}, overlay))
	}
	// Output:
	// map[plan:free ui:map[b:2 c:3]] <nil>
	// map[plan:pro ui:map[b:2 c:3]] <nil>
}
