package e2e_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const hasura = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		profile demo {
			dev
			email_domains example.com
			organization acme
			create members organizations
			map trusted_metadata.roles roles
		}
		template hasura <<TEMPLATE
			{
				"https://hasura.io/jwt/claims": {
					"x-hasura-default-role": "reader",
					"x-hasura-allowed-roles": {{ member.trusted_metadata.roles }},
					"x-hasura-user-id": {{ member.member_id }}
				}
			}
			TEMPLATE
	}
}
:PORT {
	attest_api
	handle /graphql {
		attest demo {
			audience hasura
			template hasura
		}
		reverse_proxy APP
	}
	handle {
		attest demo
		reverse_proxy APP
	}
}
`

// The claims that Hasura wants are exactly there, beside those of the gateway and
// nothing else, and only where the template applies.
func TestHasuraTemplate(t *testing.T) {
	needNode(t)
	a := newApp(t)
	g := startGateway(t, hasura, "APP", a.URL)
	own := []string{"iss", "sub", "aud", "iat", "nbf", "exp", "session", "organization"}
	for _, c := range []struct {
		name, path, audience, email, roles string
		allowed                            any
	}{
		{"roles", "/graphql", "hasura", "ada@example.com", `roles=["editor","reader"]`, []any{"editor", "reader"}},
		{"roles taken away", "/graphql", "hasura", "ada@example.com", `roles=[]`, nil},
		{"no roles", "/graphql", "hasura", "bob@example.com", `roles=null`, nil},
		{"no template", "/", g.url(""), "ada@example.com", `roles=["editor","reader"]`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims := verified(t, g, c.audience, g.admitted(a, c.path, g.mint("demo", "--email", c.email, "--claim", c.roles)))
			want := map[string]any{}
			if c.path == "/graphql" {
				inner := map[string]any{"x-hasura-default-role": "reader", "x-hasura-user-id": claims["sub"]}
				if c.allowed != nil {
					inner["x-hasura-allowed-roles"] = c.allowed
				}
				want["https://hasura.io/jwt/claims"] = inner
			}
			for _, name := range own {
				if claims[name] == nil {
					t.Errorf("no claim %s", name)
				}
				delete(claims, name)
			}
			if diff := cmp.Diff(want, claims); diff != "" {
				t.Error(diff)
			}
		})
	}
}
