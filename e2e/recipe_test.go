package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The recipe for a login of one's own: RS256 with a key of OpenSSL, roles under
// another name, the token id in plain base64.
const (
	loginIssuer   = "https://login.example.com"
	loginAudience = "example-web"

	recipe = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		project PROJECT {
			secret API_SECRET
		}
		profile legacy {
			issuer ` + loginIssuer + `
			audience ` + loginAudience + `
			public_key_file KEY
			map roles assignments
			roles editor reader
			email_domains example.com
			organization acme
			create members organizations
		}
	}
}
:PORT {
	attest_api
	attest legacy
	reverse_proxy APP
}
`
)

// A login makes the recipe's tokens.
type login struct {
	t   *testing.T
	key rsaKey
}

func newLogin(t *testing.T) login {
	t.Helper()
	needNode(t)
	return login{t, newRSAKey(t)}
}

// token is one of Ada's, whose id is the nth.
func (l login) token(n int) string {
	l.t.Helper()
	return l.key.sign(l.t, loginIssuer, loginAudience, map[string]any{
		"sub": "user-7", "email": "ada@example.com", "assignments": []string{"editor", "owner"}, "jti": tokenID(n),
	})
}

// tokenID is base64 with the two characters that URLs do not like.
func tokenID(n int) string { return fmt.Sprintf("mZAYn5aLEqKUlZ+Ad9U/fWr38GaAQ1oFAhT8ds2%d==", n) }

func startRecipe(t *testing.T) (*gateway, login, *app) {
	t.Helper()
	l, a := newLogin(t), newApp(t)
	return startGateway(t, recipe, "KEY", l.key.public, "APP", a.URL), l, a
}

// Stytch's guide for custom factors, with a real key, a real signer and a real
// verifier.
func TestRecipeFromLoginToUpstream(t *testing.T) {
	g, l, a := startRecipe(t)
	token := l.token(1)
	if header := part(t, token, 0); !cmp.Equal(header, map[string]any{"alg": "RS256"}) {
		t.Fatalf("the recipe's token has the header %v", header)
	}
	made := g.attest("legacy", token, nil)
	session, _ := made["session_token"].(string)
	jwt, _ := made["session_jwt"].(string)
	if session == "" || jwt == "" {
		t.Fatalf("attest answered %v", made)
	}
	if got := tokenIDs(made); !slices.Equal(got, []string{tokenID(1)}) {
		t.Errorf("factors %q", got)
	}
	wantAda(t, verified(t, g, project, jwt), made)
	for name, credential := range map[string]string{"the same token": token, "a new token": l.token(2), "session token": session, "session JWT": jwt} {
		t.Run(name, func(t *testing.T) {
			received := g.admitted(a, "/", credential)
			if received == credential || strings.Contains(fmt.Sprint(a.received()), credential) {
				t.Error("the credential reached the app")
			}
			wantAda(t, verified(t, g, g.url(""), received), made)
		})
	}
}

// wantAda looks at what a verifier learns: who, where, and of the roles the one
// that the profile may give.
func wantAda(t *testing.T, claims, made map[string]any) {
	t.Helper()
	if claims["sub"] != at(made, "member", "member_id") || at(claims, "organization", "organization_id") != at(made, "organization", "organization_id") {
		t.Errorf("sub %v of %v, want %v of %v", claims["sub"], claims["organization"], at(made, "member", "member_id"), at(made, "organization", "organization_id"))
	}
	if diff := cmp.Diff([]any{"editor"}, at(claims, "session", "roles")); diff != "" {
		t.Errorf("roles: %s", diff)
	}
}

func tokenIDs(answer map[string]any) []string {
	list, _ := at(answer, "member_session", "authentication_factors").([]any)
	ids := make([]string, len(list))
	for i, factor := range list {
		ids[i], _ = at(factor, "trusted_auth_token_factor", "token_id").(string)
	}
	return ids
}

// A second token of the same person is a second factor of the same session.
func TestRecipeSecondAttestAddsAFactor(t *testing.T) {
	g, l, _ := startRecipe(t)
	first := g.attest("legacy", l.token(1), nil)
	second := g.attest("legacy", l.token(2), map[string]any{"session_token": first["session_token"]})
	for _, path := range [][]string{{"session_token"}, {"member_session", "member_session_id"}, {"member_session", "started_at"}, {"member", "member_id"}} {
		if before, after := at(first, path...), at(second, path...); before == nil || before != after {
			t.Errorf("%v: %v, then %v", path, before, after)
		}
	}
	got := tokenIDs(second)
	slices.Sort(got)
	if want := []string{tokenID(1), tokenID(2)}; !slices.Equal(got, want) {
		t.Errorf("factors %q, want %q", got, want)
	}
	claims := verified(t, g, project, second["session_jwt"].(string))
	if list, _ := at(claims, "session", "authentication_factors").([]any); len(list) != 2 || at(claims, "session", "id") != at(first, "member_session", "member_session_id") {
		t.Errorf("the JWT says %v", claims["session"])
	}
}
