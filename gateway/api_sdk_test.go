package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const (
	stytchSession      = "https://stytch.com/session"
	stytchOrganization = "https://stytch.com/organization"
)

// What the stricter of Stytch's SDKs ask of a session JWT, all at once (Python:
// RS256 only, all of the session and the slug; Go: kid, iat, both timestamps; no
// jti, which it would take for a custom claim; no leeway for nbf anywhere).
func TestSDKsBelieveTheJWT(t *testing.T) {
	w := newWorld(t, compat, template(`{"plan": "pro"}`))
	w.clock.Advance(1234 * time.Millisecond)
	answer := w.attest("acme", claims.Object{"session_custom_claims": claims.Object{"cart": 1}})
	text := answer["session_jwt"].(string)
	token, err := jose.Parse(text)
	w.must(err)
	if h := token.Header; h.Algorithm != "RS256" || h.Type != "JWT" || h.KeyID == "" {
		t.Errorf("header: %+v", h)
	}
	jwt := w.decode(text)
	is(t, jwt, "iss", "stytch.com/"+project)
	is(t, jwt, "aud", []any{project})
	is(t, jwt, "sub", answer["member_id"])
	is(t, jwt, "nbf", jwt["iat"])
	if iat, exp := unix(t, jwt["iat"]), unix(t, jwt["exp"]); exp-iat != 300 || iat > w.clock.Now().Unix() {
		t.Errorf("iat %d, exp %d, now %d", iat, exp, w.clock.Now().Unix())
	}
	want := []string{"aud", "cart", "exp", stytchOrganization, stytchSession, "iat", "iss", "nbf", "plan", "sub"}
	if got := slices.Sorted(maps.Keys(jwt)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("claims: %v", got)
	}
	session := jwt[stytchSession].(map[string]any)
	is(t, session, "id", at(answer, "member_session.member_session_id"))
	is(t, session, "roles", []any{"stytch_member"})
	for _, name := range []string{"started_at", "last_accessed_at", "expires_at"} {
		is(t, session, name, at(answer, "member_session."+name))
	}
	factors := session["authentication_factors"].([]any)
	if len(factors) != 1 {
		t.Fatalf("%d factors", len(factors))
	}
	is(t, factors[0].(map[string]any), "type", "trusted_auth_token")
	is(t, factors[0].(map[string]any), "trusted_auth_token_factor", map[string]any{"token_id": "t-1772366401"})
	is(t, jwt[stytchOrganization].(map[string]any), "organization_id", at(answer, "organization.organization_id"))
	is(t, jwt[stytchOrganization].(map[string]any), "slug", at(answer, "organization.organization_slug"))
	noEmptyTimes(t, "jwt", map[string]any(jwt))
}

func unix(t *testing.T, v any) (n int64) {
	t.Helper()
	if _, err := fmt.Sscan(fmt.Sprint(v), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// SDKs select the key by kid, and take RSA keys for signing only.
func TestSDKsFindTheKey(t *testing.T) {
	w := newWorld(t, compat)
	token, err := jose.Parse(w.attest("acme", nil)["session_jwt"].(string))
	w.must(err)
	for _, path := range []string{"/v1/b2b/sessions/jwks/", "//v1/b2b/sessions/jwks/", "/v1/sessions/jwks/"} {
		_, set := w.send(request("GET", path+project, ""))
		found := 0
		for _, v := range set["keys"].([]any) {
			key := v.(map[string]any)
			for name, want := range map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "d": nil} {
				is(t, key, name, want)
			}
			if key["n"] == nil || key["e"] == nil {
				t.Errorf("%s: a key without n or e", path)
			}
			if key["kid"] == token.Header.KeyID {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: %d keys with the JWT's kid", path, found)
		}
	}
}

// isStamp tells the members that the SDKs read as timestamps.
func isStamp(name string) bool { return strings.HasSuffix(name, "_at") }

// noEmptyTimes looks at every timestamp of an answer: Go's SDK reads RFC 3339 or
// nothing, and breaks on "".
func noEmptyTimes(t *testing.T, where string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && isStamp(name) {
				if at, err := time.Parse(time.RFC3339, text); err != nil || at.Year() < 2000 || !strings.HasSuffix(text, "Z") {
					t.Errorf("%s.%s is %q", where, name, text)
				}
			}
			noEmptyTimes(t, where+"."+name, inner)
		}
	case []any:
		for _, inner := range v {
			noEmptyTimes(t, where, inner)
		}
	}
}

// What Go's SDK decodes into types: each member it names has the type it expects,
// or is not there.
func TestSDKsDecodeTheAnswers(t *testing.T) {
	w := newWorld(t, compat, policy)
	session := w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"iat": nil, "auth_time": nil, "roles": []any{"editor"}})})
	member, org := session["member_id"].(string), at(session, "organization.organization_id").(string)
	user := w.user(nil)
	for name, answer := range map[string]claims.Object{
		"attest":            session,
		"attest user":       user,
		"authenticate":      w.ok("POST", authenticatePath, named(session)),
		"authenticate user": w.ok("POST", consumerPath+"/authenticate", named(user)),
		"list":              w.ok("GET", sessionsPath+"?organization_id="+org+"&member_id="+member, nil),
		"organization":      w.ok("GET", orgsPath+"/"+org, nil),
		"configured":        w.ok("GET", orgsPath+"/consumers", nil),
		"member":            w.ok("GET", orgsPath+"/"+org+"/member?member_id="+member, nil),
		"members":           w.ok("POST", orgsPath+"/members/search", claims.Object{"organization_ids": []any{org, "consumers"}}),
		"policy":            w.ok("GET", "/v1/b2b/rbac/policy", nil),
		"revoke":            w.ok("POST", revokePath, claims.Object{"session_token": session["session_token"]}),
	} {
		noEmptyTimes(t, name, map[string]any(answer))
		is(t, answer, "status_code", 200)
		if id, _ := answer["request_id"].(string); !strings.HasPrefix(id, "request-id-") {
			t.Errorf("%s: request_id is %v", name, answer["request_id"])
		}
		if _, has := answer["error"]; has { // Node's SDK would read an OAuth error
			t.Errorf("%s: has a member called error", name)
		}
	}
	is(t, session, "member.roles", roleObjects("editor", "stytch_member"))
	is(t, session, "member_session.roles", []any{"editor", "stytch_member"})
	factor := at(session, "member_session.authentication_factors").([]any)[0].(map[string]any)
	is(t, factor, "trusted_auth_token_factor", map[string]any{"token_id": "t-1772366400"})
}

// SDKs send what our strict reading would refuse: unknown members, an empty body
// on DELETE, a content type on GET.
func TestSDKsMaySendMore(t *testing.T) {
	w := newWorld(t, compat)
	session := w.attest("acme", claims.Object{"telemetry_id": "x", "some_day": true})
	id := w.organization(claims.Object{"organization_name": "New", "email_invites": "ALL_ALLOWED", "sso_jit_provisioning": "NOT_ALLOWED"})
	w.ok("PUT", orgsPath+"/"+id, claims.Object{"organization_name": "Newer", "mfa_policy": "OPTIONAL"})
	member := w.member(id, claims.Object{"email_address": "a@b.test", "is_breakglass": false, "roles": []any{"stytch_member", "editor"}})
	is(t, w.ok("GET", orgsPath+"/"+id+"/member?member_id="+member, nil), "member.roles", roleObjects("editor", "stytch_member"))
	w.ok("POST", authenticatePath, with(named(session), claims.Object{"session_custom_claims": claims.Object{}}))
	r := request("DELETE", orgsPath+"/"+id, "")
	r.SetBasicAuth(project, secret)
	if status, answer := w.send(r); status != 200 {
		t.Errorf("DELETE without a body: %d %v", status, answer)
	}
}

// The curl of Stytch's launch post works with the project's secret added.
func TestLaunchPostWorks(t *testing.T) {
	w := newWorld(t, compat)
	text, err := strictjson.Marshal(claims.Object{"token_profile_id": "acme", "token": w.token("acme", nil)})
	w.must(err)
	r := request("POST", "/b2b/v1/sessions/attest", string(text))
	r.SetBasicAuth(project, secret)
	status, answer := w.send(r)
	if status != 200 || answer["session_jwt"] == "" {
		t.Errorf("%d %v", status, answer)
	}
}

// Every operation of the API, called once with success; each answer is held
// against the description (see world.send).
func TestEveryOperationAnswersAsDescribed(t *testing.T) {
	w := newWorld(t, compat, policy, func(s *setup) { s.gateway.Core.Issuer = issuer })
	session, another, user := w.attest("acme", nil), w.attest("acme", nil), w.user(nil)
	org := w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "organization_external_id": "g-1", "profiles": []any{"acme"}})
	ada := w.member(org, claims.Object{"email_address": "ada@example.com", "external_id": "e-1"})
	at1 := orgsPath + "/globex"
	called := map[string]bool{}
	for _, row := range []struct {
		method, pattern, path string
		body                  any
	}{
		{"POST", attestPath, attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", nil)}},
		{"POST", authenticatePath, authenticatePath, named(session)},
		{"POST", exchangePath, exchangePath, with(named(session), claims.Object{"organization_id": org})},
		{"GET", sessionsPath, sessionsPath + "?organization_id=globex&member_id=" + ada, nil},
		{"POST", revokePath, revokePath, named(another)},
		{"POST", consumerPath + "/attest", consumerPath + "/attest", claims.Object{"profile_id": "app", "token": w.token("app", nil)}},
		{"POST", consumerPath + "/authenticate", consumerPath + "/authenticate", named(user)},
		{"GET", consumerPath, consumerPath + "?user_id=" + user["user_id"].(string), nil},
		{"POST", consumerPath + "/revoke", consumerPath + "/revoke", named(user)},
		{"GET", "/v1/b2b/rbac/policy", "/v1/b2b/rbac/policy", nil},
		{"GET", "/v1/b2b/rbac/organizations/{organization_id}", "/v1/b2b/rbac/organizations/globex", nil},
		{"GET", "/v1/debug/whoami", "/v1/debug/whoami", nil},
		{"GET", "/v1/b2b/sessions/jwks/{project_id}", "/v1/b2b/sessions/jwks/" + project, nil},
		{"GET", "/v1/sessions/jwks/{project_id}", "/v1/sessions/jwks/" + project, nil},
		{"GET", "/.well-known/jwks.json", "/.well-known/jwks.json", nil},
		{"GET", "/.well-known/openid-configuration", "/.well-known/openid-configuration", nil},
		{"GET", "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server", nil},
		{"GET", "/v1/openapi.json", "/v1/openapi.json", nil},
		{"POST", orgsPath, orgsPath, claims.Object{"organization_name": "New"}},
		{"POST", orgsPath + "/search", orgsPath + "/search", claims.Object{}},
		{"GET", orgsPath + "/{organization_id}", at1, nil},
		{"PUT", orgsPath + "/{organization_id}", at1, claims.Object{}},
		{"DELETE", orgsPath + "/{organization_id}/external_id", at1 + "/external_id", nil},
		{"POST", orgsPath + "/{organization_id}/members", at1 + "/members", claims.Object{"external_id": "e-2"}},
		{"GET", orgsPath + "/{organization_id}/member", at1 + "/member?email_address=ada@example.com", nil},
		{"POST", orgsPath + "/members/search", orgsPath + "/members/search", claims.Object{"organization_ids": []any{org}}},
		{"GET", orgsPath + "/members/dangerously_get/{member_id}", orgsPath + "/members/dangerously_get/" + ada, nil},
		{"PUT", orgsPath + "/{organization_id}/members/{member_id}", at1 + "/members/e-1", claims.Object{"name": "Ada"}},
		{"DELETE", orgsPath + "/{organization_id}/members/{member_id}/external_id", at1 + "/members/" + ada + "/external_id", nil},
		{"DELETE", orgsPath + "/{organization_id}/members/{member_id}", at1 + "/members/" + ada, nil},
		{"PUT", orgsPath + "/{organization_id}/members/{member_id}/reactivate", at1 + "/members/" + ada + "/reactivate", claims.Object{}},
		{"DELETE", orgsPath + "/{organization_id}", at1, nil},
	} {
		body := row.body
		if o, ok := body.(claims.Object); ok {
			body = with(o, claims.Object{"some_day": claims.Object{"a": []any{1}}, "Some_Other": nil})
		}
		w.ok(row.method, row.path, body)
		called[row.method+" "+row.pattern] = true
	}
	for pattern, methods := range w.api.Routes() {
		for _, method := range methods {
			if method != "HEAD" && !called[method+" "+pattern] {
				t.Errorf("%s %s was not called", method, pattern)
			}
		}
	}
}
