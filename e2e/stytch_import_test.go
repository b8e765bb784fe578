package e2e_test

import (
	"slices"
	"testing"
)

// One profile as Stytch's guide for trusted tokens has it: nothing is said of namespaces.
const stytchGuide = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		project PROJECT {
			secret API_SECRET
		}
		compat stytch
		store bolt
		profile login {
			issuer ` + loginIssuer + `
			audience ` + loginAudience + `
			public_key_file KEY
			email_domains example.com
			create members
		}
	}
}
:PORT {
	attest_api
}
`

// Members that were imported with their id sign in by the token whose sub it is, and are
// found by it, as are those that a token made.
func TestStytchImportedMembersSignIn(t *testing.T) {
	needNode(t)
	key := newRSAKey(t)
	g := startGateway(t, stytchGuide, "KEY", key.public)
	d := &dialect{startSDK(t, "B2BClient", newCounter(t, g).URL, apiSecret), g, nil, key}
	organization := text(t, d.call(t, "organizations.create", map[string]any{"organization_name": "Acme"}), "organization", "organization_id")
	imported := text(t, d.call(t, "organizations.members.create", map[string]any{
		"organization_id": organization, "email_address": "ada@example.com", "external_id": "user-7",
	}), "member_id")
	for sub, want := range map[string]string{"user-7": imported, "user-8": ""} {
		s := d.call(t, "sessions.attest", map[string]any{"profile_id": "login", "organization_id": organization, "token": key.sign(t, loginIssuer, loginAudience, map[string]any{
			"sub": sub, "email": sub + "@example.com", "email_verified": true,
		})})
		id := text(t, s, "member_id")
		if want != "" && id != want || text(t, s, "member", "external_id") != sub {
			t.Errorf("%s signs in as %v, imported as %s", sub, s["member"], want)
		}
		by := map[string]any{"organization_id": organization, "member_id": sub}
		if got := d.call(t, "organizations.members.get", by); got["member_id"] != id {
			t.Errorf("%s is %v", sub, got["member"])
		}
		if got := sessionIDs(d.call(t, "sessions.get", by)); !slices.Equal(got, []any{at(s, "member_session", "member_session_id")}) {
			t.Errorf("sessions of %s: %v", sub, got)
		}
	}
}
