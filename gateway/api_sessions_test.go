package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/session"
)

func TestAPIAttestAnswersASession(t *testing.T) {
	w := newWorld(t)
	answer := w.attest("acme", claims.Object{"session_duration_minutes": 90})
	for path, want := range map[string]any{
		"member.email_address": "ada@example.com", "organization.organization_external_id": "acme",
		"member_session.member_id": answer["member_id"], "member_session.started_at": "2026-03-01T12:00:00Z",
		"member_session.last_accessed_at": "2026-03-01T12:00:00Z", "member_session.expires_at": "2026-03-01T13:30:00Z",
		"member_session.custom_claims": map[string]any{}, "verdict": nil,
	} {
		is(t, answer, path, want)
	}
	jwt := w.decode(answer["session_jwt"].(string))
	is(t, jwt, "session.id", at(answer, "member_session.member_session_id"))
	is(t, jwt, "sub", answer["member_id"])
	if _, has := jwt["jti"]; has {
		t.Error("the JWT has a jti")
	}
}

func TestAPIAttestRefusals(t *testing.T) {
	w := newWorld(t, unbound("other"), func(s *setup) {
		second := *s.profiles["acme"]
		second.Issuers, second.CreateMembers, second.CreateOrganizations = []string{"https://second.test"}, false, false
		second.Factor.SecondOnly = true
		s.profiles["second"] = &second
	})
	w.attest("acme", nil)
	good := w.token("acme", nil)
	for _, row := range []struct {
		status int
		code   string
		body   claims.Object
	}{
		{400, "invalid_argument", claims.Object{"profile_id": "acme"}},
		{400, "invalid_argument", claims.Object{"token": good}},
		{400, "invalid_argument", claims.Object{"profile_id": "acme", "token_profile_id": "other", "token": good}},
		{404, "trusted_token_profile_not_found", claims.Object{"profile_id": "unknown", "token": good}},
		{400, "invalid_trusted_auth_token", claims.Object{"profile_id": "acme", "token": "x"}},
		{400, "invalid_trusted_auth_token", claims.Object{"profile_id": "acme", "token": w.token("other", nil)}},
		{400, "token_missing_organization_id_claim", claims.Object{"profile_id": "other", "token": w.token("other", nil)}},
		{404, "organization_not_found", claims.Object{"profile_id": "other", "token": w.token("other", nil), "organization_id": "nobody"}},
		{400, "invalid_token_organization_id_claim", claims.Object{"profile_id": "acme", "token": good, "organization_id": "nobody"}},
		{400, "invalid_session_duration_minutes", claims.Object{"profile_id": "acme", "token": good, "session_duration_minutes": 4}},
		{400, "invalid_session_duration_minutes", claims.Object{"profile_id": "acme", "token": good, "session_duration_minutes": 527041}},
		{400, "invalid_session_duration_minutes", claims.Object{"profile_id": "acme", "token": good, "session_duration_minutes": 43201}},
		{400, "too_many_session_arguments", claims.Object{"profile_id": "acme", "token": good, "session_token": "a", "session_jwt": "b"}},
		{400, "invalid_session_token", claims.Object{"profile_id": "acme", "token": good, "session_token": "a"}},
		{400, "unable_to_parse_session_jwt", claims.Object{"profile_id": "acme", "token": good, "session_jwt": "b"}},
		{400, "insufficient_factors_for_session_exchange", claims.Object{"profile_id": "second", "token": w.token("second", nil)}},
	} {
		w.refused(row.status, row.code, "POST", attestPath, row.body)
	}
	w.ok("POST", attestPath, claims.Object{"token_profile_id": "acme", "token": good})
}

// Attest with a session adds a factor to it: id, token, start and end stay.
func TestAPIAttestAddsAFactor(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.profiles["other"].Organization, s.profiles["other"].Namespace = "acme", "shared" },
		func(s *setup) {
			s.organizations = []directory.Organization{{ID: "acme", Name: "Acme", Profiles: []string{"acme", "other"}}}
		})
	first := w.attest("acme", nil)
	w.clock.Advance(time.Minute)
	for _, by := range []string{"session_token", "session_jwt"} {
		second := w.attest("other", claims.Object{by: first[by], "session_custom_claims": claims.Object{"by": by}})
		for _, path := range []string{
			"session_token", "member_id", "member_session.member_session_id", "member_session.started_at", "member_session.expires_at",
		} {
			is(t, second, path, at(first, path))
		}
		is(t, second, "member_session.custom_claims.by", by)
		factors := at(second, "member_session.authentication_factors").([]any)
		if len(factors) != 2 {
			t.Fatalf("%d factors", len(factors))
		}
		is(t, factors[0].(map[string]any), "profile", "acme")
		is(t, factors[0].(map[string]any), "sequence_order", "PRIMARY")
		is(t, factors[1].(map[string]any), "profile", "other")
		is(t, factors[1].(map[string]any), "sequence_order", "SECONDARY")
	}
	longer := w.attest("other", with(named(first), claims.Object{"session_duration_minutes": 120}))
	is(t, longer, "member_session.expires_at", "2026-03-01T14:01:00Z")
}

// A factor is no younger for being shown again.
func TestAPIFactorShownAgainIsNoYounger(t *testing.T) {
	w := newWorld(t)
	token := w.token("acme", nil)
	first := w.attest("acme", claims.Object{"token": token})
	w.clock.Advance(2 * time.Minute)
	again := w.attest("acme", with(named(first), claims.Object{"token": token}))
	factor := at(again, "member_session.authentication_factors").([]any)[0].(map[string]any)
	is(t, factor, "last_authenticated_at", "2026-03-01T12:00:00Z")
	is(t, factor, "proved_at", "2026-03-01T12:00:00Z")
	is(t, factor, "updated_at", "2026-03-01T12:02:00Z")
	if n := len(at(again, "member_session.authentication_factors").([]any)); n != 1 {
		t.Errorf("%d factors", n)
	}
}

func TestAPIAttestOfAnotherMemberAddsNothing(t *testing.T) {
	w := newWorld(t)
	ada := w.attest("acme", nil)
	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"})})
	w.attest("other", nil)
	for name, body := range map[string]claims.Object{
		"another member":                  {"profile_id": "acme", "token": w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"})},
		"the same person, another tenant": {"profile_id": "other", "token": w.token("other", nil)},
	} {
		w.refused(400, "member_session_member_id_mismatch", "POST", attestPath, with(body, named(ada)))
		if n := len(at(w.ok("POST", authenticatePath, named(ada)), "member_session.authentication_factors").([]any)); n != 1 {
			t.Errorf("%s: %d factors", name, n)
		}
	}
}

func TestAPIAuthenticate(t *testing.T) {
	w := newWorld(t)
	first := w.attest("acme", nil)
	w.clock.Advance(10 * time.Minute) // the JWT has expired, the session has not
	for _, body := range []claims.Object{named(first), {"session_jwt": first["session_jwt"]}} {
		answer := w.ok("POST", authenticatePath, body)
		is(t, answer, "session_token", first["session_token"])
		is(t, answer, "member_session.expires_at", "2026-03-01T13:00:00Z")
		is(t, answer, "member_session.last_accessed_at", "2026-03-01T12:10:00Z")
		if answer["session_jwt"] == first["session_jwt"] {
			t.Error("the JWT is not new")
		}
		w.settle(first["session_token"].(string)) // else both calls may write that it was used
	}
	shorter := w.ok("POST", authenticatePath, with(named(first), claims.Object{"session_duration_minutes": 5}))
	is(t, shorter, "member_session.expires_at", "2026-03-01T12:15:00Z")
	if exp := fmt.Sprint(w.decode(shorter["session_jwt"].(string))["exp"]); exp != "1772367300" {
		t.Errorf("the JWT outlives its session: exp %s", exp)
	}
	w.clock.Advance(5 * time.Minute)
	w.refused(404, "session_not_found", "POST", authenticatePath, named(first))
	w.refused(404, "session_not_found", "POST", authenticatePath, claims.Object{"session_jwt": first["session_jwt"]})
}

// A session lasts no longer than max_duration from its start, however often it is
// extended.
func TestAPISessionEndsWithMaxDuration(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.session = session.Config{MaxDuration: 2 * time.Hour} })
	first := w.attest("acme", nil)
	w.clock.Advance(50 * time.Minute)
	answer := w.ok("POST", authenticatePath, with(named(first), claims.Object{"session_duration_minutes": 120}))
	is(t, answer, "member_session.expires_at", "2026-03-01T14:00:00Z")
	w.refused(400, "invalid_session_duration_minutes", "POST", authenticatePath, with(named(first), claims.Object{"session_duration_minutes": 121}))
}

func TestAPIAuthenticateRefusals(t *testing.T) {
	w := newWorld(t, policy, routes(acme()))
	first := w.attest("acme", nil)
	foreign := w.token("acme", nil)
	for _, row := range []struct {
		status int
		code   string
		body   claims.Object
	}{
		{400, "no_session_arguments", claims.Object{}},
		{400, "too_many_session_arguments", claims.Object{"session_token": first["session_token"], "session_jwt": first["session_jwt"]}},
		{400, "invalid_session_token", claims.Object{"session_token": "x"}},
		{404, "session_not_found", claims.Object{"session_token": first["session_token"].(string)[:len(first["session_token"].(string))-2] + "AA"}},
		{400, "unable_to_parse_session_jwt", claims.Object{"session_jwt": foreign}},
		{400, "unable_to_parse_session_jwt", claims.Object{"session_jwt": first["session_jwt"].(string) + "x"}},
		{400, "invalid_session_duration_minutes", with(named(first), claims.Object{"session_duration_minutes": 0})},
		{400, "reserved_claims_in_custom_claims", with(named(first), claims.Object{"session_custom_claims": claims.Object{"sub": "x"}})},
		{403, "session_authorization_error", with(named(first), claims.Object{
			"session_duration_minutes": 120, "authorization_check": claims.Object{"organization_id": "acme", "resource_id": "documents", "action": "read"},
		})},
	} {
		w.refused(row.status, row.code, "POST", authenticatePath, row.body)
	}
	answer := w.ok("POST", authenticatePath, named(first))
	is(t, answer, "member_session.expires_at", "2026-03-01T13:00:00Z")
	is(t, answer, "member_session.custom_claims", map[string]any{})
}

// An injected JWT is no credential of the session API either.
func TestAPITakesNoInjectedJWT(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	_, up := w.through(route, bearer(w.attest("acme", nil)["session_jwt"].(string)))
	injected := strings.TrimPrefix(up.header.Get("Authorization"), "Bearer ")
	w.refused(400, "unable_to_parse_session_jwt", "POST", authenticatePath, claims.Object{"session_jwt": injected})
}

func TestAPIAuthorizationCheck(t *testing.T) {
	w := newWorld(t, policy)
	session := w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"roles": []any{"editor", "reader"}})})
	org := at(session, "organization.organization_id")
	slug := at(session, "organization.organization_slug")
	for name, row := range map[string]struct {
		org, resource, action any
		status                int
		want                  any
	}{
		"two roles":        {org, "documents", "read", 200, []any{"editor", "reader"}},
		"one role":         {org, "documents", "write", 200, []any{"editor"}},
		"by slug":          {slug, "documents", "write", 200, []any{"editor"}},
		"by external id":   {"acme", "documents", "write", 200, []any{"editor"}},
		"no such action":   {org, "pictures", "read", 403, "session_authorization_error"},
		"another tenant":   {"other", "documents", "read", 403, "session_authorization_tenancy_error"},
		"no organization":  {"", "documents", "read", 400, "invalid_argument"},
		"no resource":      {org, "", "read", 400, "invalid_argument"},
		"no action at all": {org, "documents", "", 400, "invalid_argument"},
	} {
		check := claims.Object{"organization_id": row.org, "resource_id": row.resource, "action": row.action}
		status, answer := w.call("POST", authenticatePath, with(named(session), claims.Object{"authorization_check": check}))
		got := at(answer, "verdict.granting_roles")
		if row.status != 200 {
			got = answer["error_type"]
		}
		if status != row.status || fmt.Sprint(got) != fmt.Sprint(row.want) {
			t.Errorf("%s: %d %v, want %d %v", name, status, got, row.status, row.want)
		}
	}
}

// Rights are those of now: a role taken away takes its rights with it.
func TestAPIAuthorizationCheckFollowsRoles(t *testing.T) {
	w := newWorld(t, policy)
	session := w.attest("acme", nil)
	member := orgsPath + "/acme/members/" + session["member_id"].(string)
	check := with(named(session), claims.Object{
		"authorization_check": claims.Object{"organization_id": "acme", "resource_id": "documents", "action": "read"},
	})
	w.refused(403, "session_authorization_error", "POST", authenticatePath, check)
	w.ok("PUT", member, claims.Object{"roles": []any{"reader"}})
	is(t, w.ok("POST", authenticatePath, check), "verdict.authorized", true)
	w.ok("PUT", member, claims.Object{"roles": []any{}})
	w.refused(403, "session_authorization_error", "POST", authenticatePath, check)
}

func TestAPIListsLiveSessions(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	first := w.attest("acme", nil)
	w.clock.Advance(time.Second)
	second := w.attest("acme", claims.Object{"session_duration_minutes": 5})
	w.clock.Advance(time.Second)
	w.through(route, bearer(w.token("acme", nil))) // an implicit one
	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"sub": "eve", "email": "eve@example.com"})})
	w.ok("PUT", orgsPath+"/acme/members/"+first["member_id"].(string), claims.Object{"external_id": "e-1"})
	query := "?organization_id=acme&member_id=" + first["member_id"].(string)
	all := w.listed(query)
	if len(all) != 3 || all[0] != at(first, "member_session.member_session_id") || all[1] != at(second, "member_session.member_session_id") {
		t.Fatalf("listed %v", all)
	}
	if got := w.listed("?organization_id=" + at(first, "organization.organization_slug").(string) + "&member_id=e-1"); fmt.Sprint(got) != fmt.Sprint(all) {
		t.Errorf("by slug and external id: %v", got)
	}
	w.ok("POST", revokePath, claims.Object{"member_session_id": all[2]})
	w.clock.Advance(5 * time.Minute)
	if got := w.listed(query); len(got) != 1 || got[0] != all[0] {
		t.Errorf("after a revocation and an expiry: %v", got)
	}
	w.refused(400, "invalid_argument", "GET", sessionsPath, nil)
	w.refused(400, "invalid_argument", "GET", sessionsPath+"?organization_id=acme", nil)
	w.refused(404, "organization_not_found", "GET", sessionsPath+"?organization_id=x&member_id=e-1", nil)
	w.refused(404, "member_not_found", "GET", sessionsPath+"?organization_id=acme&member_id=x", nil)
}

func TestAPIListsSessionsByPages(t *testing.T) {
	w := newWorld(t)
	member := ""
	for range 5 { // three of one moment, whose order is that of their ids
		member = w.attest("acme", nil)["member_id"].(string)
		if len(w.listed("?organization_id=acme&member_id="+member)) == 3 {
			w.clock.Advance(time.Second)
		}
	}
	query := "?organization_id=acme&member_id=" + member
	all := w.listed(query)
	if len(all) != 5 {
		t.Fatalf("listed %v", all)
	}
	is(t, w.ok("GET", sessionsPath+query, nil), "results_metadata", map[string]any{"total": 5})
	var paged []any
	for cursor, pages := "", 0; cursor != "" || pages == 0; pages++ {
		page := w.ok("GET", sessionsPath+query+"&limit=2&cursor="+cursor, nil)
		is(t, page, "results_metadata.total", 5-min(pages, 1))
		if pages == 0 { // one that ends meanwhile moves nobody to another page
			w.ok("POST", revokePath, claims.Object{"member_session_id": all[1]})
		}
		paged = append(paged, sessionIDs(page)...)
		cursor, _ = at(page, "results_metadata.next_cursor").(string)
	}
	if fmt.Sprint(paged) != fmt.Sprint(all) {
		t.Errorf("by pages %v, want %v", paged, all)
	}
	for _, bad := range []string{"&limit=0", "&limit=-1", "&limit=1001", "&limit=x", "&cursor=x", "&cursor=1", "&cursor=x.y"} {
		w.refused(400, "invalid_argument", "GET", sessionsPath+query+bad, nil)
	}
}

// listed are the ids of the sessions that the query lists.
func (w *world) listed(query string) []any {
	w.t.Helper()
	return sessionIDs(w.ok("GET", sessionsPath+query, nil))
}

func sessionIDs(answer claims.Object) []any {
	var list []any
	for _, s := range answer["member_sessions"].([]any) {
		list = append(list, s.(map[string]any)["member_session_id"])
	}
	return list
}

func TestAPIRevoke(t *testing.T) {
	w := newWorld(t)
	for name, by := range map[string]func(claims.Object) claims.Object{
		"id": func(s claims.Object) claims.Object {
			return claims.Object{"member_session_id": at(s, "member_session.member_session_id")}
		},
		"token": named,
		"JWT":   func(s claims.Object) claims.Object { return claims.Object{"session_jwt": s["session_jwt"]} },
	} {
		one, another := w.attest("acme", nil), w.attest("acme", nil)
		w.ok("POST", revokePath, by(one))
		w.refused(404, "session_not_found", "POST", authenticatePath, named(one))
		w.refused(404, "session_not_found", "POST", revokePath, by(one))
		if status, answer := w.call("POST", authenticatePath, named(another)); status != 200 {
			t.Errorf("by %s: another session ended too: %v", name, answer)
		}
	}
	one, another := w.attest("acme", nil), w.attest("acme", nil)
	w.ok("POST", revokePath, claims.Object{"member_id": one["member_id"]})
	for _, s := range []claims.Object{one, another} {
		w.refused(404, "session_not_found", "POST", authenticatePath, named(s))
	}
	w.ok("POST", revokePath, claims.Object{"member_id": one["member_id"]}) // one without sessions
	w.refused(400, "no_session_revoke_arguments", "POST", revokePath, claims.Object{})
	w.refused(400, "too_many_session_revoke_arguments", "POST", revokePath, claims.Object{"session_token": "a", "member_id": "b"})
	w.refused(404, "session_not_found", "POST", revokePath, claims.Object{"member_session_id": "x"})
	w.refused(404, "member_not_found", "POST", revokePath, claims.Object{"member_id": "x"})
}

func TestAPIPolicyAndWhoami(t *testing.T) {
	w := newWorld(t, policy)
	w.attest("acme", nil)
	answer := w.ok("GET", "/v1/b2b/rbac/policy", nil)
	is(t, answer, "policy.resources", []any{map[string]any{"actions": []any{"read", "write"}, "description": "", "resource_id": "documents"}})
	roles := at(answer, "policy.roles").([]any)
	if len(roles) != 2 {
		t.Fatalf("roles: %v", roles)
	}
	is(t, roles[0].(map[string]any), "permissions", []any{map[string]any{"actions": []any{"*"}, "resource_id": "documents"}})
	is(t, w.ok("GET", "/v1/b2b/rbac/organizations/acme", nil), "org_policy.roles", []any{})
	w.refused(404, "organization_not_found", "GET", "/v1/b2b/rbac/organizations/x", nil)
	is(t, w.ok("GET", "/v1/debug/whoami", nil), "project_id", project)
}
