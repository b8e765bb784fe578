package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// object reads a JSON object.
func object(t *testing.T, text string) claims.Object {
	t.Helper()
	o, err := strictjson.Object([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// The examples of Stytch's guide to custom claims, each through all ways by which
// claims come: attest with both patches, and attest and then authenticate.
func TestAPICustomClaimsMerge(t *testing.T) {
	for name, row := range map[string]struct{ had, patch, want string }{
		"add":                        {`{"a":1}`, `{"b":2}`, `{"a":1,"b":2}`},
		"update":                     {`{"a":1,"b":2}`, `{"a":9}`, `{"a":9,"b":2}`},
		"delete by null":             {`{"a":1,"b":2}`, `{"a":null}`, `{"b":2}`},
		"delete what is not there":   {`{"a":1}`, `{"b":null}`, `{"a":1}`},
		"nested":                     {`{"d":4,"e":{"n1":"v1","n2":"v2"}}`, `{"e":{"n1":null,"n3":"v3"}}`, `{"d":4,"e":{"n2":"v2","n3":"v3"}}`},
		"a list is replaced":         {`{"a":[1,2]}`, `{"a":[3]}`, `{"a":[3]}`},
		"a null in a list stays":     {`{}`, `{"a":[1,null]}`, `{"a":[1,null]}`},
		"an object over a scalar":    {`{"a":1}`, `{"a":{"x":null,"y":{}}}`, `{"a":{"y":{}}}`},
		"an object over nothing":     {`{}`, `{"a":{"x":null,"y":1}}`, `{"a":{"y":1}}`},
		"empty over an object":       {`{"a":{"x":1}}`, `{"a":{}}`, `{"a":{"x":1}}`},
		"empty over a scalar":        {`{"a":1}`, `{"a":{}}`, `{"a":{}}`},
		"nothing":                    {`{"a":1}`, `{}`, `{"a":1}`},
		"a scalar over an object":    {`{"a":{"x":1}}`, `{"a":"s"}`, `{"a":"s"}`},
		"numbers keep their digits":  {`{}`, `{"a":1.50,"b":12345678901234567890}`, `{"a":1.50,"b":12345678901234567890}`},
		"the name of a URL":          {`{}`, `{"https://hasura.io/jwt/claims":{"x-hasura-role":"u"}}`, `{"https://hasura.io/jwt/claims":{"x-hasura-role":"u"}}`},
		"a name reserved elsewhere":  {`{}`, `{"a":{"sub":"x","iss":1}}`, `{"a":{"iss":1,"sub":"x"}}`},
		"a name that is almost ours": {`{}`, `{"subject":"x","https://stytch.org/x":1}`, `{"https://stytch.org/x":1,"subject":"x"}`},
	} {
		w := newWorld(t)
		want := object(t, row.want)
		first := w.attest("acme", claims.Object{"session_custom_claims": object(t, row.had)})
		check := func(way string, answer claims.Object) {
			t.Helper()
			if got := at(answer, "member_session.custom_claims"); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s by %s: %v, want %v", name, way, got, want)
			}
			jwt := w.decode(answer["session_jwt"].(string))
			for _, ours := range []string{"iss", "sub", "aud", "iat", "nbf", "exp", "session", "organization"} {
				delete(jwt, ours)
			}
			if fmt.Sprint(jwt) != fmt.Sprint(want) {
				t.Errorf("%s by %s: the JWT says %v, want %v", name, way, jwt, want)
			}
		}
		patch := claims.Object{"session_custom_claims": object(t, row.patch)}
		check("authenticate", w.ok("POST", authenticatePath, with(named(first), patch)))
		check("authenticate without a patch", w.ok("POST", authenticatePath, named(first)))
		second := w.attest("acme", claims.Object{"session_custom_claims": object(t, row.had)})
		check("attest", w.attest("acme", with(named(second), patch)))
	}
}

func TestAPICustomClaimsRefused(t *testing.T) {
	w := newWorld(t)
	big := strings.Repeat("x", 4090)
	w.attest("acme", nil)
	for code, patch := range map[string]claims.Object{
		"custom_claims_too_large": {"a": big}, "stytch_claims_in_custom_claims": {"https://stytch.com/session": 1},
	} {
		w.refused(400, code, "POST", attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", nil), "session_custom_claims": patch})
	}
	session := w.attest("acme", claims.Object{"session_custom_claims": claims.Object{"kept": true}})
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "session", "organization", "amr", "acr", "auth_time", "act", "cnf", "azp",
		"client_id", "scope", "sid", "Sub", "ſub",
	} {
		for _, v := range []any{"x", nil, claims.Object{}} {
			patch := claims.Object{"session_custom_claims": claims.Object{"more": 1, name: v}}
			w.refused(400, "reserved_claims_in_custom_claims", "POST", authenticatePath, with(named(session), patch))
			w.refused(400, "reserved_claims_in_custom_claims", "POST", attestPath,
				with(patch, claims.Object{"profile_id": "acme", "token": w.token("acme", nil)}))
		}
	}
	w.refused(400, "stytch_claims_in_custom_claims", "POST", authenticatePath,
		with(named(session), claims.Object{"session_custom_claims": claims.Object{"https://stytch.com/x": nil}}))
	w.refused(400, "custom_claims_too_large", "POST", authenticatePath,
		with(named(session), claims.Object{"session_duration_minutes": 120, "session_custom_claims": claims.Object{"a": big}}))
	answer := w.ok("POST", authenticatePath, named(session))
	is(t, answer, "member_session.custom_claims", map[string]any{"kept": true})
	is(t, answer, "member_session.expires_at", "2026-03-01T13:00:00Z")
}

// 4,096 bytes of compact JSON fit, one more does not.
func TestAPICustomClaimsLimitIsExact(t *testing.T) {
	w := newWorld(t)
	session := w.attest("acme", nil)
	fits := strings.Repeat("x", 4096-len(`{"a":""}`))
	patch := func(v string) claims.Object {
		return with(named(session), claims.Object{"session_custom_claims": claims.Object{"a": v}})
	}
	w.refused(400, "custom_claims_too_large", "POST", authenticatePath, patch(fits+"x"))
	w.ok("POST", authenticatePath, patch(fits))
	w.refused(400, "custom_claims_too_large", "POST", authenticatePath,
		with(named(session), claims.Object{"session_custom_claims": claims.Object{"b": 1}}))
	w.ok("POST", authenticatePath, with(named(session), claims.Object{"session_custom_claims": claims.Object{"a": nil, "b": 1}}))
}

const propagating = `{
	"plan": {{ member.trusted_metadata.plan }}, "tier": {{ organization.trusted_metadata.tier }}, "named": {{ member.name }},
	"roles": {{ member.rbac.roles }}, "may": {{ member.rbac.documents.actions }}, "company": {{ organization.organization_name }},
	"ui": {"a": 1, "b": 2}
}`

// What changes about a member, an organization or a role shows in the next JWT of
// sessions that there are, and what callers set or deleted stays so.
func TestAPIChangesShowInTheNextJWT(t *testing.T) {
	w := newWorld(t, policy, template(propagating))
	org := at(w.attest("acme", nil), "organization.organization_id").(string)
	session := w.attest("acme", claims.Object{"session_custom_claims": claims.Object{"ui": claims.Object{"a": nil, "c": 3}, "extra": true}})
	old := session["session_jwt"].(string)
	member := orgsPath + "/" + org + "/members/" + session["member_id"].(string)
	for _, step := range []struct {
		path string
		body claims.Object
		want map[string]any
	}{
		{member, claims.Object{}, map[string]any{"plan": nil, "tier": nil, "roles": []any{}, "may": []any{}}},
		{member, claims.Object{"trusted_metadata": claims.Object{"plan": "free"}}, map[string]any{"plan": "free"}},
		{member, claims.Object{"trusted_metadata": claims.Object{"plan": "pro"}, "name": "Ada"}, map[string]any{"plan": "pro", "named": "Ada"}},
		{member, claims.Object{"roles": []any{"editor"}}, map[string]any{"roles": []any{"editor"}, "may": []any{"read", "write"}, "session.roles": []any{"editor"}}},
		{orgsPath + "/" + org, claims.Object{"trusted_metadata": claims.Object{"tier": 1}}, map[string]any{"tier": 1, "plan": "pro"}},
		{orgsPath + "/" + org, claims.Object{"organization_name": "New", "organization_slug": "new"}, map[string]any{"company": "New", "organization.slug": "new"}},
		{member, claims.Object{"trusted_metadata": claims.Object{"plan": nil}, "roles": []any{}}, map[string]any{"plan": nil, "roles": []any{}, "may": []any{}, "tier": 1}},
	} {
		w.ok("PUT", step.path, step.body)
		jwt := w.decode(w.ok("POST", authenticatePath, named(session))["session_jwt"].(string))
		for path, want := range step.want {
			is(t, jwt, path, want)
		}
		is(t, jwt, "ui", map[string]any{"b": 2, "c": 3})
		is(t, jwt, "extra", true)
	}
	is(t, w.decode(old), "plan", nil)
}

// Metadata that pushes a session past 4 KB refuses its mints with a clear code,
// and nothing of the refused call is kept; when it fits again, all is as before.
func TestAPIMetadataThatGrowsTooLargeRefusesTheMint(t *testing.T) {
	w := newWorld(t, template(`{"m": {{ member.trusted_metadata }}, "o": {{ organization.trusted_metadata.x }}}`))
	session := w.attest("acme", claims.Object{"session_custom_claims": claims.Object{"kept": true}})
	w.ok("PUT", orgsPath+"/acme", claims.Object{"trusted_metadata": claims.Object{"x": strings.Repeat("x", 2500)}})
	member := orgsPath + "/acme/members/" + session["member_id"].(string)
	w.ok("PUT", member, claims.Object{"trusted_metadata": claims.Object{"x": strings.Repeat("x", 2500)}})
	w.refused(400, "custom_claims_too_large", "POST", authenticatePath, named(session))
	_, refused := w.call("POST", authenticatePath, named(session))
	is(t, refused, "error_details", map[string]any{
		"organization": at(session, "organization.organization_id"), "member": session["member_id"], "template": "default", "claim": "m",
	})
	w.refused(400, "custom_claims_too_large", "POST", authenticatePath,
		with(named(session), claims.Object{"session_duration_minutes": 120, "session_custom_claims": claims.Object{"more": 1}}))
	w.refused(400, "custom_claims_too_large", "POST", attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", nil)})
	listed := w.ok("GET", sessionsPath+"?organization_id=acme&member_id="+session["member_id"].(string), nil)
	if n := len(listed["member_sessions"].([]any)); n != 1 {
		t.Errorf("%d sessions are listed", n)
	}
	w.ok("PUT", member, claims.Object{"trusted_metadata": claims.Object{"x": "small"}})
	w.ok("PUT", orgsPath+"/acme", claims.Object{"trusted_metadata": claims.Object{"x": nil}})
	answer := w.ok("POST", authenticatePath, named(session))
	is(t, answer, "member_session.custom_claims", map[string]any{"kept": true, "m": map[string]any{"x": "small"}})
	is(t, answer, "member_session.expires_at", "2026-03-01T13:00:00Z")
}
