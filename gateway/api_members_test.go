package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
)

func TestAPIMemberLives(t *testing.T) {
	w := newWorld(t)
	org := w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "organization_external_id": "g-1"})
	id := w.member("globex", claims.Object{
		"email_address": "Ada@Example.com", "external_id": "e-1", "name": "Ada", "roles": []any{"editor"}, "status": "invited",
		"trusted_metadata": claims.Object{"a": 1}, "untrusted_metadata": claims.Object{"b": 2},
	})
	members := orgsPath + "/g-1/members/"
	for _, query := range []string{"member_id=" + id, "member_id=e-1", "email_address=ada@example.com", "email_address=ADA@example.com"} {
		answer := w.ok("GET", orgsPath+"/globex/member?"+query, nil)
		is(t, answer, "member_id", id)
		is(t, answer, "member.email_address", "ada@example.com")
		is(t, answer, "member.status", "invited")
		is(t, answer, "member.email_address_verified", false)
		is(t, answer, "organization.organization_id", org)
	}
	is(t, w.ok("GET", orgsPath+"/members/dangerously_get/"+id, nil), "organization.organization_id", org)
	answer := w.ok("PUT", members+"e-1", claims.Object{
		"name": "Ada L", "roles": []any{"reader", "admin"}, "email_address_verified": true,
		"trusted_metadata": claims.Object{"a": nil, "c": 3}, "untrusted_metadata": claims.Object{"b": claims.Object{"x": 1}},
	})
	is(t, answer, "member.name", "Ada L")
	is(t, answer, "member.trusted_metadata", map[string]any{"c": 3})
	is(t, answer, "member.untrusted_metadata", map[string]any{"b": map[string]any{"x": 1}})
	is(t, answer, "member.email_address_verified", true)
	is(t, answer, "member.roles", roleObjects("admin", "reader"))
	answer = w.ok("PUT", members+id, claims.Object{"email_address": "ada@new.test", "external_id": "e-2"})
	is(t, answer, "member.email_address", "ada@new.test")
	is(t, answer, "member.roles", roleObjects("admin", "reader"))
	is(t, answer, "member.retired_email_addresses", []any{map[string]any{"email_address": "ada@example.com", "email_id": ""}})
	w.refused(404, "member_not_found", "GET", orgsPath+"/globex/member?email_address=ada@example.com", nil)
	w.refused(404, "member_not_found", "PUT", members+"e-1", claims.Object{})
	is(t, w.ok("DELETE", members+"e-2/external_id", claims.Object{}), "member.external_id", nil)
	is(t, w.ok("DELETE", members+id, claims.Object{}), "member_id", id)
	w.refused(404, "member_not_found", "GET", orgsPath+"/globex/member?member_id="+id, nil)
	w.refused(404, "member_not_found", "DELETE", members+id, claims.Object{})
	answer = w.ok("PUT", members+id+"/reactivate", claims.Object{})
	is(t, answer, "member.status", "active")
	is(t, answer, "member.email_address", "ada@new.test")
}

func roleObjects(ids ...string) []any {
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = map[string]any{"role_id": id, "sources": []any{map[string]any{"details": map[string]any{}, "type": "direct_assignment"}}}
	}
	return list
}

func TestAPIMemberStatuses(t *testing.T) {
	w := newWorld(t)
	w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex"})
	for i, row := range []struct {
		body claims.Object
		want string
	}{
		{claims.Object{}, "active"},
		{claims.Object{"status": "active"}, "active"},
		{claims.Object{"status": "invited"}, "invited"},
		{claims.Object{"status": "pending"}, "pending"},
		{claims.Object{"create_member_as_pending": true}, "pending"},
		{claims.Object{"create_member_as_pending": true, "status": "pending"}, "pending"},
		{claims.Object{"create_member_as_pending": false}, "active"},
	} {
		answer := w.ok("POST", orgsPath+"/globex/members", with(row.body, claims.Object{"external_id": fmt.Sprint("e-", i)}))
		is(t, answer, "member.status", row.want)
	}
	for _, body := range []claims.Object{{"status": "deleted"}, {"status": "x"}, {"status": "active", "create_member_as_pending": true}} {
		w.refused(400, "invalid_argument", "POST", orgsPath+"/globex/members", with(body, claims.Object{"external_id": "new"}))
	}
}

func TestAPIMemberRefusals(t *testing.T) {
	w := newWorld(t)
	w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex"})
	w.organization(claims.Object{"organization_name": "Initech", "organization_slug": "initech"})
	ada := w.member("globex", claims.Object{"email_address": "ada@example.com", "external_id": "e-1"})
	bob := w.member("globex", claims.Object{"email_address": "bob@example.com", "external_id": "e-2"})
	eve := w.member("initech", claims.Object{"email_address": "ada@example.com", "external_id": "e-1"})
	list, one := orgsPath+"/globex/members", orgsPath+"/globex/members/"+bob
	roles := slices.Repeat([]any{"r"}, 101)
	for _, row := range []struct {
		status       int
		code         string
		method, path string
		body         any
	}{
		{400, "invalid_argument", "POST", list, claims.Object{}},
		{400, "invalid_argument", "POST", list, claims.Object{"email_address": "no address"}},
		{400, "invalid_argument", "POST", list, claims.Object{"email_address": "a@b@c.test"}},
		{400, "invalid_argument", "POST", list, claims.Object{"external_id": "a b"}},
		{400, "invalid_argument", "POST", list, claims.Object{"external_id": ada}},
		{400, "duplicate_member_email", "POST", list, claims.Object{"email_address": "ADA@example.com"}},
		{400, "duplicate_member_external_id", "POST", list, claims.Object{"external_id": "e-1"}},
		{400, "invalid_role", "POST", list, claims.Object{"external_id": "e-3", "roles": []any{""}}},
		{400, "too_many_roles", "POST", list, claims.Object{"external_id": "e-3", "roles": roles}},
		{400, "metadata_too_large", "POST", list, claims.Object{"external_id": "e-3", "untrusted_metadata": claims.Object{"x": strings.Repeat("x", 4096)}}},
		{400, "bad_request", "POST", list, claims.Object{"external_id": "e-3", "is_admin": true}},
		{404, "organization_not_found", "POST", orgsPath + "/nobody/members", claims.Object{"external_id": "e-3"}},
		{400, "duplicate_member_email", "PUT", one, claims.Object{"email_address": "ada@example.com"}},
		{400, "duplicate_member_external_id", "PUT", one, claims.Object{"external_id": "e-1"}},
		{400, "bad_request", "PUT", one, claims.Object{"status": "deleted"}},
		{400, "bad_request", "PUT", one, claims.Object{"name": "x", "name ": "y"}},
		{404, "member_not_found", "PUT", orgsPath + "/globex/members/" + eve, claims.Object{"name": "Mine"}},
		{404, "member_not_found", "DELETE", orgsPath + "/initech/members/" + bob, claims.Object{}},
		{404, "member_not_found", "PUT", orgsPath + "/initech/members/" + bob + "/reactivate", claims.Object{}},
		{404, "member_not_found", "DELETE", orgsPath + "/initech/members/" + bob + "/external_id", claims.Object{}},
		{404, "member_not_found", "GET", orgsPath + "/initech/member?member_id=" + bob, nil},
		{404, "member_not_found", "GET", orgsPath + "/initech/member?email_address=bob@example.com", nil},
		{400, "invalid_argument", "GET", orgsPath + "/globex/member", nil},
		{400, "invalid_argument", "GET", orgsPath + "/globex/member?member_id=e-1&email_address=ada@example.com", nil},
		{404, "member_not_found", "GET", orgsPath + "/members/dangerously_get/e-1", nil},
		{400, "invalid_argument", "POST", orgsPath + "/members/search", claims.Object{}},
		{404, "organization_not_found", "POST", orgsPath + "/members/search", claims.Object{"organization_ids": []any{"nobody"}}},
	} {
		w.refused(row.status, row.code, row.method, row.path, row.body)
	}
	is(t, w.ok("GET", orgsPath+"/globex/member?member_id="+bob, nil), "member.email_address", "bob@example.com")
}

func TestAPIMemberSearch(t *testing.T) {
	w := newWorld(t)
	globex := w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex"})
	initech := w.organization(claims.Object{"organization_name": "Initech", "organization_slug": "initech"})
	for _, name := range []string{"ada", "adam", "bob"} {
		w.member("globex", claims.Object{"email_address": name + "@example.com", "external_id": name, "name": strings.ToUpper(name), "roles": []any{name}})
	}
	w.member("initech", claims.Object{"email_address": "eve@example.com", "status": "invited"})
	gone := w.member("globex", claims.Object{"email_address": "gone@example.com"})
	w.ok("DELETE", orgsPath+"/globex/members/"+gone, nil)
	filter := func(name string, value any) claims.Object {
		return claims.Object{"query": claims.Object{"operator": "AND", "operands": []any{claims.Object{"filter_name": name, "filter_value": value}}}}
	}
	both := claims.Object{"organization_ids": []any{"globex", initech}}
	for name, row := range map[string]struct {
		body claims.Object
		want int
	}{
		"both":     {both, 4},
		"one":      {claims.Object{"organization_ids": []any{globex}}, 3},
		"twice":    {claims.Object{"organization_ids": []any{globex, "globex"}}, 3},
		"emails":   {with(both, filter("member_emails", []any{"bob@example.com", "eve@example.com"})), 2},
		"fuzzy":    {with(both, filter("member_email_fuzzy", "ADA")), 2},
		"name":     {with(both, filter("member_name_fuzzy", "bo")), 1},
		"external": {with(both, filter("member_external_ids", []any{"ada"})), 1},
		"ids":      {with(both, filter("member_ids", []any{gone})), 0},
		"roles":    {with(both, filter("member_roles", []any{"bob"})), 1},
		"invited":  {with(both, filter("statuses", []any{"invited"})), 1},
		"deleted":  {with(both, filter("statuses", []any{"deleted"})), 1},
	} {
		answer := w.ok("POST", orgsPath+"/members/search", row.body)
		if got := len(answer["members"].([]any)); got != row.want {
			t.Errorf("%s: %d found, want %d", name, got, row.want)
		}
		for _, m := range answer["members"].([]any) {
			id := m.(map[string]any)["organization_id"].(string)
			if at(answer, "organizations."+id) == nil {
				t.Errorf("%s: the organization of a member is missing", name)
			}
		}
	}
	w.pages(4, orgsPath+"/members/search", "members", both)
}

// A deleted member's sessions end at once and for good: by token, by JWT, by
// proxy, and after a reactivation too.
func TestAPIDeletedMemberHasNoSession(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	session := w.attest("acme", claims.Object{"token": token})
	jwt, member := session["session_jwt"].(string), session["member_id"].(string)
	if res, _ := w.through(route, bearer(jwt)); res.StatusCode != 204 {
		t.Fatalf("before: %d", res.StatusCode)
	}
	dead := func(when string) {
		t.Helper()
		w.refused(404, "session_not_found", "POST", authenticatePath, named(session))
		w.refused(404, "session_not_found", "POST", authenticatePath, claims.Object{"session_jwt": jwt})
		for _, credential := range []string{jwt, token} {
			if res, up := w.through(route, bearer(credential)); res.StatusCode == 204 || up.calls > 0 {
				t.Errorf("%s: admitted", when)
			}
		}
	}
	w.clock.Advance(time.Second)
	w.ok("DELETE", orgsPath+"/acme/members/"+member, nil)
	dead("deleted")
	w.refused(404, "member_not_found", "POST", attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", nil)})
	w.ok("PUT", orgsPath+"/acme/members/"+member+"/reactivate", nil)
	dead("reactivated")
	w.clock.Advance(time.Second)
	is(t, w.attest("acme", nil), "member_id", member)
}

// An invited member becomes active with the first sign-in.
func TestAPIInvitedMemberBecomesActive(t *testing.T) {
	w := newWorld(t, unbound("acme"), func(s *setup) { s.profiles["acme"].CreateMembers = false })
	org := w.organization(claims.Object{"organization_name": "Globex", "profiles": []any{"acme"}})
	id := w.member(org, claims.Object{"email_address": "ada@example.com", "status": "invited"})
	answer := w.attest("acme", claims.Object{"organization_id": org})
	is(t, answer, "member_id", id)
	is(t, answer, "member.status", "active")
	is(t, answer, "member.email_address_verified", true)
}
