package e2e_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStytchOrganizations(t *testing.T) {
	d := startB2B(t)
	made := d.call(t, "organizations.create", map[string]any{
		"organization_name": "Acme", "organization_slug": "acme", "organization_external_id": "tenant-1",
		"trusted_metadata": map[string]any{"plan": "free", "seats": 3},
	})
	id := text(t, made, "organization", "organization_id")
	for _, ref := range []string{id, "acme", "tenant-1"} {
		got := d.call(t, "organizations.get", map[string]any{"organization_id": ref})
		if diff := cmp.Diff(made["organization"], got["organization"]); diff != "" {
			t.Errorf("by %s: %s", ref, diff)
		}
	}
	updated := d.call(t, "organizations.update", map[string]any{
		"organization_id": "acme", "organization_name": "Acme Ltd", "trusted_metadata": map[string]any{"plan": "pro", "seats": nil},
	})
	if at(updated, "organization", "organization_name") != "Acme Ltd" || at(updated, "organization", "organization_slug") != "acme" {
		t.Errorf("updated %v", updated["organization"])
	}
	if diff := cmp.Diff(map[string]any{"plan": "pro"}, at(updated, "organization", "trusted_metadata")); diff != "" {
		t.Error(diff)
	}
	d.refused(t, "400", "organization_slug_already_used", "organizations.create", map[string]any{
		"organization_name": "Another", "organization_slug": "acme",
	})
	wantFoundOrganization(t, d, id)
	if got := d.call(t, "organizations.delete", map[string]any{"organization_id": id}); got["organization_id"] != id {
		t.Errorf("deleted %v", got)
	}
	for _, ref := range []string{id, "acme", "tenant-1"} {
		d.refused(t, "404", "organization_not_found", "organizations.get", map[string]any{"organization_id": ref})
	}
}

func wantFoundOrganization(t *testing.T, d *dialect, id string) {
	t.Helper()
	found := d.call(t, "organizations.search", map[string]any{"limit": 10, "query": map[string]any{
		"operator": "AND", "operands": []any{
			map[string]any{"filter_name": "organization_slugs", "filter_value": []string{"acme", "nobody"}},
			map[string]any{"filter_name": "organization_name_fuzzy", "filter_value": "ltd"},
		},
	}})
	list, _ := found["organizations"].([]any)
	if len(list) != 1 || at(list[0], "organization_id") != id || !isNumber(at(found, "results_metadata", "total"), "1") {
		t.Errorf("found %v", found)
	}
}

func TestStytchMembers(t *testing.T) {
	d := startB2B(t)
	organization := text(t, d.call(t, "organizations.create", map[string]any{"organization_name": "Acme"}), "organization", "organization_id")
	made := d.call(t, "organizations.members.create", map[string]any{
		"organization_id": organization, "email_address": "Ada@Example.com", "name": "Ada", "external_id": "hr-7", "roles": []string{"reader"},
		"trusted_metadata": map[string]any{"floor": 3},
	})
	id := text(t, made, "member_id")
	for name, by := range map[string]map[string]any{
		"id":          {"organization_id": organization, "member_id": id},
		"external id": {"organization_id": organization, "member_id": "hr-7"},
		"email":       {"organization_id": organization, "email_address": "ada@example.com"},
	} {
		got := d.call(t, "organizations.members.get", by)
		if diff := cmp.Diff(made["member"], got["member"]); diff != "" {
			t.Errorf("by %s: %s", name, diff)
		}
	}
	same(t, made, d.call(t, "organizations.members.dangerouslyGet", map[string]any{"member_id": id}), []string{"member_id"})
	updated := d.call(t, "organizations.members.update", map[string]any{
		"organization_id": organization, "member_id": "hr-7", "name": "Ada L.", "roles": []string{"editor", "stytch_member"},
	})
	if got := memberRoles(updated); !slices.Equal(got, []any{"editor", "stytch_member"}) || at(updated, "member", "name") != "Ada L." {
		t.Errorf("updated %v", updated["member"])
	}
	if diff := cmp.Diff(at(made, "member", "trusted_metadata"), at(updated, "member", "trusted_metadata")); diff != "" {
		t.Errorf("what the update does not name: %s", diff)
	}
	d.refused(t, "400", "duplicate_member_email", "organizations.members.create", map[string]any{
		"organization_id": organization, "email_address": "ada@example.com",
	})
	wantFoundMember(t, d, organization, id)
	wantDeletedAndBack(t, d, organization, id)
}

func memberRoles(answer map[string]any) []any {
	ids := []any{}
	list, _ := at(answer, "member", "roles").([]any)
	for _, role := range list {
		ids = append(ids, at(role, "role_id"))
	}
	return ids
}

func wantFoundMember(t *testing.T, d *dialect, organization, id string) {
	t.Helper()
	for filter, value := range map[string]any{
		"member_emails": []string{"ada@example.com"}, "member_email_fuzzy": "ada", "member_ids": []string{id}, "statuses": []string{"active"},
	} {
		found := d.call(t, "organizations.members.search", map[string]any{"organization_ids": []string{organization}, "query": map[string]any{
			"operator": "OR", "operands": []any{map[string]any{"filter_name": filter, "filter_value": value}},
		}})
		list, _ := found["members"].([]any)
		if len(list) != 1 || at(list[0], "member_id") != id || at(found, "organizations", organization, "organization_id") != organization {
			t.Errorf("by %s: %v", filter, found)
		}
	}
}

func wantDeletedAndBack(t *testing.T, d *dialect, organization, id string) {
	t.Helper()
	who := map[string]any{"organization_id": organization, "member_id": id}
	if got := d.call(t, "organizations.members.delete", who); got["member_id"] != id {
		t.Errorf("deleted %v", got)
	}
	d.refused(t, "404", "member_not_found", "organizations.members.update", map[string]any{
		"organization_id": organization, "member_id": id, "name": "x",
	})
	back := d.call(t, "organizations.members.reactivate", who)
	if at(back, "member", "status") != "active" || back["member_id"] != id {
		t.Errorf("reactivated %v", back["member"])
	}
}

// Deleting a member, or the whole organization, ends sessions at once.
func TestStytchDeletionEndsSessions(t *testing.T) {
	d := startB2B(t)
	for _, c := range []struct{ method, refusal string }{
		{"organizations.members.delete", "session_not_found"},
		{"organizations.delete", "session_not_found"},
	} {
		made := d.attested(t, "tenant-of-"+c.method, "editor")
		d.call(t, c.method, map[string]any{
			"organization_id": at(made, "organization", "organization_id"), "member_id": made["member_id"],
		})
		for _, by := range []string{"session_token", "session_jwt"} {
			d.refused(t, "404", c.refusal, "sessions.authenticate", map[string]any{by: made[by]})
		}
	}
}

// What the gateway knows of a member shows in the next JWT of sessions that are
// there already.
func TestStytchRoleReachesTheNextJWT(t *testing.T) {
	d := startB2B(t)
	made := d.attested(t, "acme", "reader")
	who := map[string]any{
		"organization_id": at(made, "organization", "organization_id"), "member_id": made["member_id"], "roles": []string{"clerk"},
	}
	d.call(t, "organizations.members.update", who)
	got := d.call(t, "sessions.authenticate", map[string]any{"session_jwt": made["session_jwt"]})
	local := d.call(t, "sessions.authenticateJwtLocal", map[string]any{"session_jwt": got["session_jwt"]})
	if diff := cmp.Diff([]any{"clerk", "reader", "stytch_member"}, local["roles"]); diff != "" {
		t.Error(diff)
	}
}

func TestStytchPolicy(t *testing.T) {
	d := startB2B(t)
	policy := d.call(t, "rbac.policy", nil)
	resources, _ := at(policy, "policy", "resources").([]any)
	roles := []any{}
	list, _ := at(policy, "policy", "roles").([]any)
	for _, role := range list {
		roles = append(roles, at(role, "role_id"))
	}
	if want := []any{"clerk", "editor", "reader", "stytch_member"}; !slices.Equal(roles, want) || len(resources) != 2 {
		t.Errorf("roles %v, want %v; resources %v", roles, want, resources)
	}
	if got := d.call(t, "rbac.organizations.getOrgPolicy", map[string]any{"organization_id": "shop"}); at(got, "org_policy", "roles") == nil {
		t.Errorf("the organization's policy is %v", got)
	}
	if got := d.call(t, "debug.whoami", nil); got["project_id"] != project {
		t.Errorf("whoami %v", got)
	}
}
