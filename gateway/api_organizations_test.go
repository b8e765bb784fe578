package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

func TestAPIOrganizationLives(t *testing.T) {
	w := newWorld(t)
	made := w.ok("POST", orgsPath, claims.Object{
		"organization_name": "Globex", "organization_slug": "globex", "organization_external_id": "g-1",
		"trusted_metadata": claims.Object{"plan": "free", "old": 1}, "profiles": []any{"acme"},
	})
	id := at(made, "organization.organization_id").(string)
	for _, ref := range []string{id, "globex", "g-1"} {
		answer := w.ok("GET", orgsPath+"/"+ref, nil)
		is(t, answer, "organization.organization_id", id)
		is(t, answer, "organization.organization_name", "Globex")
		is(t, answer, "organization.profiles", []any{"acme"})
	}
	answer := w.ok("PUT", orgsPath+"/globex", claims.Object{
		"organization_name": "Globex Inc", "trusted_metadata": claims.Object{"plan": "pro", "old": nil, "new": claims.Object{"a": 1}},
	})
	is(t, answer, "organization.organization_name", "Globex Inc")
	is(t, answer, "organization.organization_slug", "globex")
	is(t, answer, "organization.trusted_metadata", map[string]any{"new": map[string]any{"a": 1}, "plan": "pro"})
	answer = w.ok("PUT", orgsPath+"/globex", claims.Object{"organization_slug": "globex-inc", "profiles": []any{}})
	is(t, answer, "organization.organization_slug", "globex-inc")
	w.refused(404, "organization_not_found", "GET", orgsPath+"/globex", nil)
	answer = w.ok("DELETE", orgsPath+"/globex-inc/external_id", nil)
	is(t, answer, "organization.organization_external_id", nil)
	w.refused(404, "organization_not_found", "GET", orgsPath+"/g-1", nil)
	is(t, w.ok("DELETE", orgsPath+"/"+id, claims.Object{}), "organization_id", id)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		w.refused(404, "organization_not_found", method, orgsPath+"/"+id, claims.Object{})
	}
	w.refused(404, "organization_not_found", "POST", orgsPath+"/"+id+"/members", claims.Object{"email_address": "a@b.test"})
}

// Metadata is merged shallowly, unlike claims: what is nested is replaced whole.
func TestAPIMetadataIsReplacedKeyByKey(t *testing.T) {
	w := newWorld(t)
	org := w.organization(claims.Object{"organization_name": "Globex", "trusted_metadata": claims.Object{"a": claims.Object{"x": 1, "y": 2}}})
	answer := w.ok("PUT", orgsPath+"/"+org, claims.Object{"trusted_metadata": claims.Object{"a": claims.Object{"x": 3}}})
	is(t, answer, "organization.trusted_metadata", map[string]any{"a": map[string]any{"x": 3}})
}

func TestAPIOrganizationRefusals(t *testing.T) {
	w := newWorld(t, func(s *setup) {
		s.organizations = []directory.Organization{{ID: "house", Name: "House", Slug: "house", ExternalID: "h-1"}}
	})
	w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "organization_external_id": "g-1"})
	keys := claims.Object{}
	for i := range 21 {
		keys[fmt.Sprint("k", i)] = i
	}
	create := func(more claims.Object) claims.Object { return with(claims.Object{"organization_name": "New"}, more) }
	for _, row := range []struct {
		status       int
		code         string
		method, path string
		body         any
	}{
		{400, "invalid_organization_name", "POST", orgsPath, claims.Object{}},
		{400, "invalid_organization_name", "POST", orgsPath, claims.Object{"organization_name": strings.Repeat("x", 129)}},
		{400, "invalid_organization_slug", "POST", orgsPath, create(claims.Object{"organization_slug": "x"})},
		{400, "invalid_organization_slug", "POST", orgsPath, create(claims.Object{"organization_slug": "a b"})},
		{400, "invalid_organization_external_id", "POST", orgsPath, create(claims.Object{"organization_external_id": "a b"})},
		{400, "invalid_organization_external_id", "POST", orgsPath, create(claims.Object{"organization_external_id": "organization-00000000-0000-4000-8000-000000000000"})},
		{400, "metadata_too_large", "POST", orgsPath, create(claims.Object{"trusted_metadata": claims.Object{"x": strings.Repeat("x", 4096)}})},
		{400, "metadata_too_many_keys", "POST", orgsPath, create(claims.Object{"trusted_metadata": keys})},
		{404, "trusted_token_profile_not_found", "POST", orgsPath, create(claims.Object{"profiles": []any{"acme", "unknown"}})},
		{400, "bad_request", "POST", orgsPath, create(claims.Object{"email_invites": "ALL_ALLOWED"})},
		{400, "bad_request", "POST", orgsPath, create(claims.Object{"trusted_metadata": []any{}})},
		{400, "invalid_organization_slug", "PUT", orgsPath + "/globex", claims.Object{"organization_slug": ""}},
		{400, "invalid_organization_name", "PUT", orgsPath + "/globex", claims.Object{"organization_name": ""}},
		{400, "metadata_too_large", "PUT", orgsPath + "/globex", claims.Object{"trusted_metadata": claims.Object{"x": strings.Repeat("x", 4096)}}},
		{400, "invalid_argument", "PUT", orgsPath + "/house", claims.Object{"organization_name": "Mine"}},
		{400, "invalid_argument", "DELETE", orgsPath + "/house", claims.Object{}},
		{404, "organization_not_found", "PUT", orgsPath + "/nobody", claims.Object{"organization_name": "Mine"}},
		{404, "organization_not_found", "DELETE", orgsPath + "/nobody", claims.Object{}},
		{404, "organization_not_found", "GET", orgsPath + "/nobody", claims.Object{}},
	} {
		w.refused(row.status, row.code, row.method, row.path, row.body)
	}
	answer := w.ok("GET", orgsPath+"/globex", nil)
	is(t, answer, "organization.organization_name", "Globex")
	is(t, answer, "organization.trusted_metadata", map[string]any{})
}

// An id, an external id or a slug is one organization's, whichever of the three
// it is there.
func TestAPIOrganizationReferencesAreNobodyElses(t *testing.T) {
	w := newWorld(t, func(s *setup) {
		s.organizations = []directory.Organization{{ID: "house", Name: "House", Slug: "the-house", ExternalID: "h-1"}}
	})
	w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "organization_external_id": "g-1"})
	w.organization(claims.Object{"organization_name": "Initech", "organization_slug": "initech"})
	for _, taken := range []string{"globex", "g-1", "house", "the-house", "h-1"} {
		for kind, code := range map[string]string{
			"organization_slug": "organization_slug_already_used", "organization_external_id": "organization_external_id_already_used",
		} {
			w.refusedAnyhow(400, code, "POST", orgsPath, claims.Object{"organization_name": "New", kind: taken})
			w.refusedAnyhow(400, code, "PUT", orgsPath+"/initech", claims.Object{kind: taken})
		}
	}
	is(t, w.ok("POST", orgsPath+"/search", claims.Object{}), "results_metadata.total", 3)
	is(t, w.ok("GET", orgsPath+"/initech", nil), "organization.organization_external_id", nil)
}

func TestAPIOrganizationSearch(t *testing.T) {
	w := newWorld(t)
	ids := map[string]string{}
	for _, name := range []string{"Alpha", "Beta", "Gamma", "Alphabet"} {
		ids[name] = w.organization(claims.Object{
			"organization_name": name, "organization_slug": strings.ToLower(name), "organization_external_id": "x-" + name,
		})
	}
	deleted := w.organization(claims.Object{"organization_name": "Gone"})
	w.ok("DELETE", orgsPath+"/"+deleted, nil)
	filter := func(name string, value any) claims.Object {
		return claims.Object{"filter_name": name, "filter_value": value}
	}
	find := func(operator string, operands ...any) claims.Object {
		return claims.Object{"query": claims.Object{"operator": operator, "operands": operands}}
	}
	for name, row := range map[string]struct {
		body claims.Object
		want int
	}{
		"all":               {claims.Object{}, 4},
		"no operand":        {find("AND"), 4},
		"one id":            {find("AND", filter("organization_ids", []any{ids["Beta"]})), 1},
		"slugs":             {find("OR", filter("organization_slugs", []any{"beta", "gamma", "delta"})), 2},
		"external ids":      {find("OR", filter("organization_external_ids", []any{"x-Beta"})), 1},
		"fuzzy":             {find("AND", filter("organization_name_fuzzy", "ALPHA")), 2},
		"fuzzy slug":        {find("AND", filter("organization_slug_fuzzy", "alphab")), 1},
		"both":              {find("AND", filter("organization_name_fuzzy", "alpha"), filter("organization_slugs", []any{"beta"})), 0},
		"either":            {find("OR", filter("organization_name_fuzzy", "alpha"), filter("organization_slugs", []any{"beta"})), 3},
		"nobody's profiles": {find("AND", filter("profiles", []any{"acme"})), 0},
	} {
		answer := w.ok("POST", orgsPath+"/search", row.body)
		if got := len(answer["organizations"].([]any)); got != row.want || fmt.Sprint(at(answer, "results_metadata.total")) != fmt.Sprint(row.want) {
			t.Errorf("%s: %d found, want %d: %v", name, got, row.want, answer["results_metadata"])
		}
	}
	for _, body := range []claims.Object{
		find("", filter("organization_ids", []any{})), find("and", filter("organization_ids", []any{})),
		find("AND", filter("unknown", []any{})), find("AND", filter("organization_ids", "one")), find("AND", filter("organization_ids", []any{1})),
		find("AND", filter("organization_name_fuzzy", []any{"x"})), find("AND", filter("organization_name_fuzzy", "")),
		{"limit": 1001}, {"limit": -1},
	} {
		w.refused(400, "invalid_argument", "POST", orgsPath+"/search", body)
	}
	w.pages(4, orgsPath+"/search", "organizations", claims.Object{})
}

// pages reads a search in pages of three and of one: each result comes once.
func (w *world) pages(want int, path, list string, body claims.Object) {
	w.t.Helper()
	for _, limit := range []int{1, 3} {
		seen, cursor := map[string]bool{}, any("")
		for range want + 1 {
			answer := w.ok("POST", path, with(body, claims.Object{"limit": limit, "cursor": cursor}))
			for _, v := range answer[list].([]any) {
				seen[fmt.Sprint(v)] = true
			}
			if cursor = at(answer, "results_metadata.next_cursor"); cursor == nil {
				break
			}
		}
		if len(seen) != want || cursor != nil {
			w.t.Errorf("pages of %d: %d results, want %d", limit, len(seen), want)
		}
	}
}

// Deleting an organization ends its sessions at once, on this node without any
// event, by API and by proxy.
func TestAPIDeletedOrganizationEndsItsSessions(t *testing.T) {
	route := acme()
	w := newWorld(t, routes(route))
	session := w.attest("acme", nil)
	jwt := session["session_jwt"].(string)
	if res, _ := w.through(route, bearer(jwt)); res.StatusCode != 204 {
		t.Fatalf("before: %d", res.StatusCode)
	}
	w.clock.Advance(time.Second)
	w.ok("DELETE", orgsPath+"/acme", nil)
	w.refused(404, "session_not_found", "POST", authenticatePath, named(session))
	if res, _ := w.through(route, bearer(jwt)); res.StatusCode != 401 {
		t.Errorf("its JWT: %d", res.StatusCode)
	}
	w.clock.Advance(time.Second)
	w.refused(404, "organization_not_found", "POST", attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", nil)})
}

// A change of an organization's profiles takes effect at once: the factors of one it
// no longer admits stop counting.
func TestAPIOrganizationThatNoLongerAdmitsEndsWhatItAdmitted(t *testing.T) {
	w := newWorld(t, unbound("other"))
	org := w.organization(claims.Object{"organization_name": "Globex", "profiles": []any{"other"}})
	session := w.attest("other", claims.Object{"organization_id": org})
	w.ok("POST", authenticatePath, named(session))
	w.ok("PUT", orgsPath+"/"+org, claims.Object{"profiles": []any{"acme"}})
	w.refused(404, "session_not_found", "POST", authenticatePath, named(session))
}

// A list of profiles is answered also when it is empty, and null removes it.
func TestAPIProfilesOfAnOrganization(t *testing.T) {
	w := newWorld(t)
	org := w.organization(claims.Object{"organization_name": "Globex", "profiles": []any{}})
	list := func(answer claims.Object) (any, bool) {
		v, ok := answer["organization"].(claims.Object)["profiles"]
		return v, ok
	}
	if v, ok := list(w.ok("GET", orgsPath+"/"+org, nil)); !ok || fmt.Sprint(v) != "[]" {
		t.Errorf("an empty list is answered %v, %v", v, ok)
	}
	if v, ok := list(w.ok("PUT", orgsPath+"/"+org, claims.Object{"profiles": nil})); ok {
		t.Errorf("a list that is removed is answered %v", v)
	}
	w.ok("PUT", orgsPath+"/"+org, claims.Object{"profiles": []any{"acme"}})
	if v, _ := list(w.ok("PUT", orgsPath+"/"+org, claims.Object{"organization_name": "G"})); fmt.Sprint(v) != "[acme]" {
		t.Errorf("a list that is not named is answered %v", v)
	}
}

// A configured organization without a list admits no profile, which is an empty list
// and not the absence of one: that would admit those for which a caller names it.
func TestAPIConfiguredOrganizationWithoutProfilesAnswersAnEmptyList(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.organizations = append(s.organizations, directory.Organization{ID: "closed"}) })
	read := w.ok("GET", orgsPath+"/closed", nil)
	if v, ok := read["organization"].(claims.Object)["profiles"]; !ok || fmt.Sprint(v) != "[]" {
		t.Errorf("profiles are %v, %v", v, ok)
	}
	w.ok("PUT", orgsPath+"/closed", claims.Object{"profiles": []any{}})
	w.refused(400, "invalid_argument", "PUT", orgsPath+"/closed", claims.Object{"profiles": []any{"acme"}})
}

// Metadata that alone makes a template too large is refused when it is written, and
// not at every request from then on.
func TestAPIMetadataThatNoTemplateCanTakeIsRefusedAtTheWrite(t *testing.T) {
	w := newWorld(t, template(`{"m": {{ member.trusted_metadata }}, "mm": {{ member.trusted_metadata }}, "o": {{ organization.trusted_metadata }}, "oo": {{ organization.trusted_metadata }}}`))
	half, whole := strings.Repeat("x", 1500), strings.Repeat("x", 3000)
	org := w.organization(claims.Object{"organization_name": "Globex"})
	w.refused(400, "metadata_too_large", "POST", orgsPath, claims.Object{"organization_name": "Big", "trusted_metadata": claims.Object{"a": whole}})
	w.refused(400, "metadata_too_large", "PUT", orgsPath+"/"+org, claims.Object{"trusted_metadata": claims.Object{"a": whole}})
	w.ok("PUT", orgsPath+"/"+org, claims.Object{"trusted_metadata": claims.Object{"a": half}})
	members := orgsPath + "/" + org + "/members"
	w.refused(400, "metadata_too_large", "POST", members, claims.Object{"email_address": "a@example.com", "trusted_metadata": claims.Object{"a": whole}})
	m := w.member(org, claims.Object{"email_address": "a@example.com", "trusted_metadata": claims.Object{"a": half}})
	w.refused(400, "metadata_too_large", "PUT", members+"/"+m, claims.Object{"trusted_metadata": claims.Object{"b": half}})
	w.ok("PUT", members+"/"+m, claims.Object{"untrusted_metadata": claims.Object{"b": whole}})
	w.ok("PUT", members+"/"+m, claims.Object{"trusted_metadata": claims.Object{"a": nil}})
}

// A value that fits the metadata may be too deep for the template that puts it deeper.
func TestAPIMetadataTooDeepForATemplateIsRefusedAtTheWrite(t *testing.T) {
	w := newWorld(t, template(`{"m": {"x": {{ member.trusted_metadata.x }}}, "o": {"x": {{ organization.trusted_metadata.x }}}}`))
	fits, deep, tooDeep := claims.Object{"x": nested(30)}, claims.Object{"x": nested(31)}, claims.Object{"x": nested(32)}
	org := w.organization(claims.Object{"organization_name": "Globex", "trusted_metadata": fits})
	members := orgsPath + "/" + org + "/members"
	m := w.member(org, claims.Object{"email_address": "a@example.com", "trusted_metadata": fits})
	for _, call := range []struct{ method, path string }{
		{"POST", orgsPath}, {"PUT", orgsPath + "/" + org}, {"POST", members}, {"PUT", members + "/" + m},
	} {
		body := claims.Object{}
		if call.method == "POST" {
			body = claims.Object{"organization_name": "Deep"}
		}
		if call.path == members {
			body = claims.Object{"email_address": "b@example.com"}
		}
		w.refused(400, "metadata_too_large", call.method, call.path, with(body, claims.Object{"trusted_metadata": deep}))
		w.refused(400, "metadata_invalid_format", call.method, call.path, with(body, claims.Object{"trusted_metadata": tooDeep}))
	}
}

// nested is an object of so many levels.
func nested(levels int) claims.Object {
	if levels == 1 {
		return claims.Object{}
	}
	return claims.Object{"x": nested(levels - 1)}
}

// What a token maps to the metadata of its member is checked as what the API writes:
// it would refuse every session of the member from then on.
func TestTokenMetadataThatNoTemplateCanTakeIsRefusedAtTheWrite(t *testing.T) {
	mapped := func(s *setup) { s.profiles["acme"].Map["trusted_metadata.x"] = "x" }
	route := acme()
	w := newWorld(t, mapped, template(`{"m": {"x": {{ member.trusted_metadata.x }}}, "mm": {{ member.trusted_metadata }}}`), routes(route))
	token := func(x any) string {
		return w.token("acme", claims.Object{"x": x, "jti": fmt.Sprint(len(fmt.Sprint(x)))})
	}
	session := w.attest("acme", claims.Object{"token": token("small")})
	for name, x := range map[string]any{"long": strings.Repeat("x", 3000), "deep": nested(31)} {
		t.Run(name, func(t *testing.T) {
			body := claims.Object{"profile_id": "acme", "token": token(x)}
			w.refused(400, "metadata_too_large", "POST", attestPath, body)
			w.refused(400, "metadata_too_large", "POST", attestPath, with(body, named(session)))
			resp, _ := w.through(route, bearer(token(x)))
			refusedWith(t, resp, http.StatusForbidden, "metadata_too_large")
		})
	}
	again := w.ok("POST", authenticatePath, named(session))
	is(t, again, "member.trusted_metadata", map[string]any{"x": "small"})
}
