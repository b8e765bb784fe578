package claims_test

import (
	"encoding/json"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
)

const benchTemplate = `{
	"https://hasura.io/jwt/claims": {
		"x-hasura-default-role": "reader",
		"x-hasura-allowed-roles": {{ member.trusted_metadata.roles }},
		"x-hasura-user-id": {{ member.member_id }},
		"x-hasura-org-id": {{ organization.organization_id }}
	},
	"plan": {{ organization.organization_metadata.plan }},
	"documents": {{ member.rbac.documents.actions }},
	"email": {{ member.email_address }}
}`

func benchVariables() claims.Variables {
	return claims.Variables{
		"member": claims.Object{
			"member_id":        "member-live-32fc5024-9c09-4da3-bd2e-c9ce4da9375f",
			"email_address":    "ada@example.com",
			"trusted_metadata": claims.Object{"roles": []any{"reader", "editor"}, "other": true},
			"rbac":             claims.Object{"roles": []string{"editor"}, "documents": claims.Object{"actions": []string{"read", "write"}}},
		},
		"organization": claims.Object{
			"organization_id":  "organization-live-07971b06-ac8b-4cdb-9c15-63b17e653931",
			"trusted_metadata": claims.Object{"plan": "pro"},
		},
	}
}

func benchPatches(b *testing.B) (o, next claims.Overlay) {
	hasura := "https://hasura.io/jwt/claims"
	o = patch(b, claims.Object{"plan": "trial", hasura: claims.Object{"x-hasura-default-role": "editor"}, "cart": json.Number("17")})
	next = patch(b, claims.Object{"cart": nil, hasura: claims.Object{"x-hasura-org-id": nil}, "flags": []any{"beta"}})
	return o, next
}

func BenchmarkRender(b *testing.B) {
	template, err := policy.ParseTemplate("test", benchTemplate)
	if err != nil {
		b.Fatal(err)
	}
	variables := benchVariables()
	b.ReportAllocs()
	for b.Loop() {
		template.Render(variables)
	}
}

func BenchmarkThen(b *testing.B) {
	o, next := benchPatches(b)
	b.ReportAllocs()
	for b.Loop() {
		o.Then(next)
	}
}

// BenchmarkEffective is what every mint pays.
func BenchmarkEffective(b *testing.B) {
	template, err := policy.ParseTemplate("test", benchTemplate)
	if err != nil {
		b.Fatal(err)
	}
	variables := benchVariables()
	o, _ := benchPatches(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Effective(template, variables, o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTemplate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.ParseTemplate("test", benchTemplate); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRestore is what reading a session pays for its overlay.
func BenchmarkRestore(b *testing.B) {
	o, next := benchPatches(b)
	text, err := o.Then(next).MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var back claims.Overlay
		if err := back.UnmarshalJSON(text); err != nil {
			b.Fatal(err)
		}
	}
}
