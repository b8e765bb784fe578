package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/rbac"
)

const (
	attestPath       = "/v1/b2b/sessions/attest"
	authenticatePath = "/v1/b2b/sessions/authenticate"
	exchangePath     = "/v1/b2b/sessions/exchange"
	revokePath       = "/v1/b2b/sessions/revoke"
	sessionsPath     = "/v1/b2b/sessions"
	orgsPath         = "/v1/b2b/organizations"
)

// ok makes a call that must succeed.
func (w *world) ok(method, path string, body any) claims.Object {
	w.t.Helper()
	status, answer := w.call(method, path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

// refused makes a call that must be refused with that code and write nothing.
func (w *world) refused(status int, code, method, path string, body any) {
	w.t.Helper()
	before := w.store.writes()
	w.refusedAnyhow(status, code, method, path, body)
	if n := w.store.writes() - before; n != 0 {
		w.t.Errorf("%s %s: refused with %s, and wrote %d times", method, path, code, n)
	}
}

// refusedAnyhow is refused for a call that takes back what it had begun to write.
func (w *world) refusedAnyhow(status int, code, method, path string, body any) {
	w.t.Helper()
	got, answer := w.call(method, path, body)
	if got != status || answer["error_type"] != code {
		w.t.Errorf("%s %s: %d %v, want %d %s", method, path, got, answer, status, code)
	}
}

// is compares a member of an answer, by its dotted path, as text.
func is(t *testing.T, answer claims.Object, path string, want any) {
	t.Helper()
	if got := at(answer, path); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s is %v, want %v", path, got, want)
	}
}

// organization makes an organization by the API and answers its id.
func (w *world) organization(body claims.Object) string {
	w.t.Helper()
	return at(w.ok("POST", orgsPath, body), "organization.organization_id").(string)
}

// member makes a member by the API and answers its id.
func (w *world) member(organization string, body claims.Object) string {
	w.t.Helper()
	return w.ok("POST", orgsPath+"/"+organization+"/members", body)["member_id"].(string)
}

// token of a session and its JWT, from an answer.
func named(answer claims.Object) claims.Object {
	return claims.Object{"session_token": answer["session_token"]}
}

// with is o and the further members.
func with(o claims.Object, more claims.Object) claims.Object {
	all := claims.Object{}
	for _, part := range []claims.Object{o, more} {
		for name, v := range part {
			all[name] = v
		}
	}
	return all
}

// request is a call without credentials.
func request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, "https://gateway.test"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// answerOf sends a request and answers what came back.
func (w *world) answerOf(r *http.Request) *httptest.ResponseRecorder {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	return rec
}

// compat makes the gateway speak Stytch's dialect, with the members of the
// organization consumers as users.
func compat(s *setup) {
	s.gateway.Core.Compat, s.gateway.Core.Issuer, s.ring.Algorithm = true, "stytch.com/"+project, "RS256"
	s.gateway.ConsumerOrganization = "consumers"
	s.organizations = append(s.organizations, directory.Organization{
		ID: "consumers", Name: "Consumers", ExternalID: "people", Profiles: []string{"app"},
	})
	app := *s.profiles["acme"]
	app.Issuers, app.Organization, app.CreateOrganizations = []string{"https://app.test"}, "", false
	s.profiles["app"] = &app
}

// unbound lets API callers name the organization of a profile's tokens.
func unbound(profiles ...string) option {
	return func(s *setup) {
		for _, name := range profiles {
			s.profiles[name].Organization, s.profiles[name].CreateOrganizations = "", false
		}
	}
}

// template gives every JWT the claims of a template.
func template(text string) option {
	return func(s *setup) {
		t, err := claims.Policy{}.ParseTemplate("default", text)
		if err != nil {
			panic(err)
		}
		s.gateway.Core.Templates = map[string]*claims.Template{"default": t}
	}
}

// policy lets editors edit and readers read documents.
func policy(s *setup) {
	p, err := rbac.NewPolicy(
		[]rbac.Resource{{ID: "documents", Actions: []string{"read", "write"}}},
		[]rbac.Role{
			{ID: "editor", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{"*"}}}},
			{ID: "reader", Permissions: []rbac.Permission{{Resource: "documents", Actions: []string{"read"}}}},
		})
	if err != nil {
		panic(err)
	}
	s.gateway.Core.Policy = p
}

// secrets gives the project secrets of those scopes, by value.
func secrets(list ...authn.Secret) option {
	return func(s *setup) { s.gateway.Core.Project.Secrets = list }
}
