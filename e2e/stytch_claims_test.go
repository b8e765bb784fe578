package e2e_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// claimed is a session of the client's, and its claims after the patches, which
// are those of the answer, of the JWT and of the stored session alike.
func claimed(t *testing.T, d *dialect, token string, patches ...string) any {
	t.Helper()
	made := d.call(t, "sessions.attest", map[string]any{"profile_id": "tenants", "token": token})
	for _, patch := range patches {
		made = d.call(t, "sessions.authenticate", map[string]any{
			"session_token": made["session_token"], "session_custom_claims": object(t, patch),
		})
	}
	claims := at(made, "member_session", "custom_claims")
	local := d.call(t, "sessions.authenticateJwtLocal", map[string]any{"session_jwt": made["session_jwt"]})
	if diff := cmp.Diff(claims, local["custom_claims"]); diff != "" {
		t.Errorf("the JWT says otherwise: %s", diff)
	}
	stored := d.call(t, "sessions.authenticate", map[string]any{"session_token": made["session_token"]})
	if diff := cmp.Diff(claims, at(stored, "member_session", "custom_claims")); diff != "" {
		t.Errorf("what is stored says otherwise: %s", diff)
	}
	return claims
}

// Every example of Stytch's guide to custom claims, and what its rules imply.
func TestStytchCustomClaims(t *testing.T) {
	d := startB2B(t)
	token := d.token(t, "acme", "editor")
	for _, c := range []struct {
		name, want string
		patches    []string
	}{
		{"guide: add", `{"key_1":1,"key_2":2}`, []string{`{"key_1":1,"key_2":2}`}},
		{"guide: update", `{"key_1":9,"key_2":2}`, []string{`{"key_1":1,"key_2":2}`, `{"key_1":9}`}},
		{"guide: delete", `{"key_2":2}`, []string{`{"key_1":1,"key_2":2}`, `{"key_1":null}`}},
		{
			"guide: add an object and delete", `{"c":3.5,"d":4,"e":{"nested1":"val1","nested2":"val2"}}`,
			[]string{`{"b":2,"c":3,"d":4}`, `{"b":null,"c":3.5,"e":{"nested1":"val1","nested2":"val2"}}`},
		},
		{
			"guide: merge and delete in an object", `{"c":3.5,"d":4,"e":{"nested2":"val2","nested3":"val3"}}`,
			[]string{`{"c":3.5,"d":4,"e":{"nested1":"val1","nested2":"val2"}}`, `{"e":{"nested1":null,"nested3":"val3"}}`},
		},
		{"delete what is absent", `{"a":1}`, []string{`{"a":1}`, `{"b":null}`}},
		{"arrays are replaced", `{"a":[3]}`, []string{`{"a":[1,2]}`, `{"a":[3]}`}},
		{"an object replaces a number", `{"a":{"y":{}}}`, []string{`{"a":1}`, `{"a":{"x":null,"y":{}}}`}},
		{"an empty object changes no object", `{"a":{"b":1}}`, []string{`{"a":{"b":1}}`, `{"a":{}}`}},
		{"an empty patch changes nothing", `{"a":1}`, []string{`{"a":1}`, `{}`}},
		{"deleted, then set", `{"a":2}`, []string{`{"a":1}`, `{"a":null}`, `{"a":2}`}},
		{
			"Hasura's name is free", `{"https://hasura.io/jwt/claims":{"x-hasura-default-role":"reader"}}`,
			[]string{`{"https://hasura.io/jwt/claims":{"x-hasura-default-role":"reader"}}`},
		},
		{"reserved names are free inside", `{"a":{"sub":"x"}}`, []string{`{"a":{}}`, `{"a":{"sub":"x"}}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(object(t, c.want), claimed(t, d, token, c.patches...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What is refused is refused whole: the rest of the patch and the duration do not
// happen either.
func TestStytchCustomClaimsRefused(t *testing.T) {
	d := startB2B(t)
	token := d.token(t, "acme", "editor")
	made := d.call(t, "sessions.attest", map[string]any{
		"profile_id": "tenants", "token": token, "session_custom_claims": map[string]any{"kept": "yes"},
	})
	const reserved, stytchs, large = "reserved_claims_in_custom_claims", "stytch_claims_in_custom_claims", "custom_claims_too_large"
	cases := map[string]struct{ kind, claim, value string }{
		"a null one":           {reserved, "sub", `null`},
		"Stytch's namespace":   {stytchs, "https://stytch.com/session", `{}`},
		"Stytch's, any name":   {stytchs, "https://stytch.com/x", `1`},
		"over four kilobytes":  {large, "big", `"` + strings.Repeat("x", 4096) + `"`},
		"over, with the kept":  {large, "big", `"` + strings.Repeat("x", fits+1) + `"`},
		"over, in escapes too": {large, "big", `"` + strings.Repeat("é", 2048) + `"`},
	}
	for _, name := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti"} {
		cases[name] = struct{ kind, claim, value string }{reserved, name, `"x"`}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			patch := object(t, `{"kept":"no","`+c.claim+`":`+c.value+`}`)
			if c.kind == large {
				delete(patch, "kept")
			}
			d.refused(t, "400", c.kind, "sessions.authenticate", map[string]any{
				"session_token": made["session_token"], "session_custom_claims": patch, "session_duration_minutes": 600,
			})
			wantUnchanged(t, d, made)
		})
	}
	t.Run("at attest", func(t *testing.T) {
		who := map[string]any{"organization_id": at(made, "organization", "organization_id"), "member_id": made["member_id"]}
		before := sessionIDs(d.call(t, "sessions.get", who))
		d.refused(t, "400", reserved, "sessions.attest", map[string]any{
			"profile_id": "tenants", "token": token, "session_custom_claims": map[string]any{"sub": "x"},
		})
		d.refused(t, "400", large, "sessions.attest", map[string]any{
			"profile_id": "tenants", "token": token, "session_custom_claims": map[string]any{"big": strings.Repeat("x", 4096)},
		})
		if diff := cmp.Diff(before, sessionIDs(d.call(t, "sessions.get", who))); diff != "" {
			t.Errorf("a refused attest left a session: %s", diff)
		}
	})
}

// fits is how long "big" may be beside {"kept":"yes"}: 4096 bytes in all.
const fits = 4096 - len(`{"big":"","kept":"yes"}`)

func wantUnchanged(t *testing.T, d *dialect, made map[string]any) {
	t.Helper()
	after := d.call(t, "sessions.authenticate", map[string]any{"session_token": made["session_token"]})
	if diff := cmp.Diff(map[string]any{"kept": "yes"}, at(after, "member_session", "custom_claims")); diff != "" {
		t.Errorf("the refused call changed the claims: %s", diff)
	}
	same(t, made, after, []string{"member_session", "expires_at"})
}

func TestStytchCustomClaimsOfFourKilobytes(t *testing.T) {
	d := startB2B(t)
	got := claimed(t, d, d.token(t, "acme", "editor"), `{"kept":"yes"}`, `{"big":"`+strings.Repeat("x", fits)+`"}`)
	if big, _ := at(got, "big").(string); len(big) != fits {
		t.Errorf("%d bytes came back, want %d", len(big), fits)
	}
}
