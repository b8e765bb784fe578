package gateway_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/api"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/store"
)

func padded(name string) string { return name + strings.Repeat("-", 32) }

func TestAPIScopesOpenWhatTheyName(t *testing.T) {
	var list []authn.Secret
	for _, scopes := range []string{"", "sessions", "directory", "sessions directory", "read", "sessions read", "directory read"} {
		list = append(list, authn.Secret{Value: padded(scopes), Scopes: strings.Fields(scopes)})
	}
	w := newWorld(t, secrets(list...))
	for _, row := range []struct{ method, path, opened string }{
		{"POST", attestPath, "||sessions|sessions directory|"},
		{"POST", authenticatePath, "||sessions|sessions directory|"},
		{"POST", exchangePath, "||sessions|sessions directory|"},
		{"POST", revokePath, "||sessions|sessions directory|"},
		{"GET", sessionsPath, "||sessions|sessions directory|read|sessions read|"},
		{"GET", "/v1/b2b/rbac/policy", "||sessions|sessions directory|read|sessions read|"},
		{"GET", "/v1/debug/whoami", "||sessions|sessions directory|read|sessions read|"},
		{"POST", orgsPath, "||directory|sessions directory|"},
		{"GET", orgsPath + "/x", "||directory|sessions directory|read|directory read|"},
		{"PUT", orgsPath + "/x", "||directory|sessions directory|"},
		{"DELETE", orgsPath + "/x/members/y", "||directory|sessions directory|"},
		{"POST", orgsPath + "/search", "||directory|sessions directory|read|directory read|"},
		{"POST", orgsPath + "/members/search", "||directory|sessions directory|read|directory read|"},
	} {
		for _, s := range list {
			scopes := strings.TrimRight(s.Value, "-")
			r := request(row.method, row.path, `{}`)
			r.SetBasicAuth(project, s.Value)
			status, answer := w.send(r)
			opened := answer["error_type"] != "scope_not_granted"
			if want := strings.Contains(row.opened, "|"+scopes+"|"); opened != want {
				t.Errorf("%s %s with %q: %d %v", row.method, row.path, scopes, status, answer["error_type"])
			}
		}
	}
}

func TestAPIRefusesWhoHasNoSecret(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		change func(*http.Request)
		status int
		code   string
	}{
		"none":           {func(r *http.Request) { r.Header.Del("Authorization") }, 401, "unauthorized_credentials"},
		"bearer":         {func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }, 401, "unauthorized_credentials"},
		"wrong secret":   {func(r *http.Request) { r.SetBasicAuth(project, secret+"x") }, 401, "unauthorized_credentials"},
		"wrong project":  {func(r *http.Request) { r.SetBasicAuth("another", secret) }, 401, "unauthorized_credentials"},
		"empty":          {func(r *http.Request) { r.SetBasicAuth("", "") }, 401, "unauthorized_credentials"},
		"two lines":      {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, 400, "too_many_credentials"},
		"from a browser": {func(r *http.Request) { r.Header.Set("Origin", "https://app.test") }, 403, "browser_call_refused"},
		"as a member":    {func(r *http.Request) { r.Header.Set("X-Stytch-Member-Session", "x") }, 400, "invalid_argument"},
		"as a JWT's":     {func(r *http.Request) { r.Header.Set("X-Stytch-Member-SessionJWT", "x") }, 400, "invalid_argument"},
	} {
		r := request("POST", orgsPath, `{"organization_name":"New"}`)
		r.SetBasicAuth(project, secret)
		row.change(r)
		if status, answer := w.send(r); status != row.status || answer["error_type"] != row.code {
			t.Errorf("%s: %d %v", name, status, answer)
		}
	}
	is(t, w.ok("POST", orgsPath+"/search", claims.Object{}), "results_metadata.total", 0)
}

func TestAPIWrongSecretsAreLimitedByClient(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.gateway.Core.FailureLimit = 3 })
	try := func(address, password string) int {
		r := request("GET", "/v1/debug/whoami", "")
		r.RemoteAddr = address
		r.SetBasicAuth(project, password)
		status, _ := w.send(r)
		return status
	}
	for i := range 3 {
		if status := try("192.0.2.1:1", "wrong"); status != 401 {
			t.Errorf("failure %d: %d", i, status)
		}
	}
	for _, row := range []struct {
		address, password string
		status            int
	}{
		{"192.0.2.1:2", "wrong", 429}, {"[::ffff:192.0.2.1]:3", "wrong", 429},
		{"192.0.2.1:1", secret, 200}, {"192.0.2.2:1", "wrong", 401},
		{"[2001:db8::1]:1", "wrong", 401}, {"[2001:db8::2]:1", "wrong", 401}, {"[2001:db8::3]:1", "wrong", 401},
		{"[2001:db8::4]:1", "wrong", 429}, {"[2001:db8:0:1::1]:1", "wrong", 401},
	} {
		if status := try(row.address, row.password); status != row.status {
			t.Errorf("%s with %s: %d, want %d", row.address, row.password, status, row.status)
		}
	}
	w.clock.Advance(time.Second)
	if status := try("192.0.2.1:1", "wrong"); status != 401 {
		t.Errorf("a second later: %d", status)
	}
}

func TestAPIWithoutFailureLimitCountsNothing(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.gateway.Core.FailureLimit = -1 })
	for range 100 {
		r := request("GET", "/v1/debug/whoami", "")
		r.SetBasicAuth(project, "wrong")
		if status, _ := w.send(r); status != 401 {
			t.Fatalf("got %d", status)
		}
	}
}

func TestAPIBodies(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		kind, body string
		status     int
		code       string
	}{
		"not JSON":         {"application/json", `{`, 400, "bad_request"},
		"a list":           {"application/json", `[]`, 400, "bad_request"},
		"nothing":          {"application/json", ``, 400, "bad_request"},
		"a name twice":     {"application/json", `{"token":"a","token":"b"}`, 400, "bad_request"},
		"a folded name":    {"application/json", `{"token":"a","Token":"b"}`, 400, "bad_request"},
		"an unknown name":  {"application/json", `{"profile_id":"acme","token":"x","session_duration":5}`, 400, "bad_request"},
		"a wrong type":     {"application/json", `{"profile_id":1,"token":"x"}`, 400, "bad_request"},
		"a fraction":       {"application/json", `{"profile_id":"acme","token":"x","session_duration_minutes":5.5}`, 400, "bad_request"},
		"two values":       {"application/json", `{} {}`, 400, "bad_request"},
		"a form":           {"application/x-www-form-urlencoded", `{}`, 415, "unsupported_media_type"},
		"no kind":          {"", `{}`, 415, "unsupported_media_type"},
		"too large":        {"application/json", `{"token":"` + strings.Repeat("x", 300<<10) + `"}`, 413, "request_too_large"},
		"claims no object": {"application/json", `{"profile_id":"acme","token":"x","session_custom_claims":[]}`, 400, "bad_request"},
	} {
		r := request("POST", attestPath, row.body)
		r.Header.Set("Content-Type", row.kind)
		r.SetBasicAuth(project, secret)
		if status, answer := w.send(r); status != row.status || answer["error_type"] != row.code {
			t.Errorf("%s: %d %v, want %d %s", name, status, answer["error_type"], row.status, row.code)
		}
	}
	if n := w.store.writes(); n > 3 { // the keys and the ring
		t.Errorf("%d writes", n)
	}
}

func TestAPIPathsHaveSeveralSpellings(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]struct {
		method string
		status int
		code   any
	}{
		"/b2b/v1/sessions/attest":            {"POST", 400, "invalid_argument"},
		"//v1/b2b//sessions/attest":          {"POST", 400, "invalid_argument"},
		"/v1/b2b/sessions/attest":            {"GET", 405, "method_not_allowed"},
		"/v1/b2b/sessions/nothing":           {"POST", 404, "route_not_found"},
		"/v1/b2b/nothing":                    {"GET", 404, "route_not_found"},
		"/v1/b2b/sessions/":                  {"GET", 404, "route_not_found"},
		"/v1/b2b/sessions/../sessions":       {"GET", 404, "route_not_found"},
		"/v1/sessions/attest":                {"POST", 404, "route_not_found"}, // not under compat
		"/v1/b2b/sessions/jwks/another":      {"GET", 404, "route_not_found"},
		"/v1/b2b/organizations/a%2Fb":        {"GET", 404, "organization_not_found"},
		"/v1/b2b/organizations/a/b/c/d/e":    {"GET", 404, "route_not_found"},
		"/v1/b2b/organizations/acme/members": {"GET", 405, "method_not_allowed"},
	} {
		if status, answer := w.call(want.method, path, claims.Object{}); status != want.status || answer["error_type"] != want.code {
			t.Errorf("%s %s: %d %v", want.method, path, status, answer)
		}
	}
}

// What is not served here is the next handler's, and no path of an application is
// taken from it.
func TestAPIPassesOnWhatItDoesNotServe(t *testing.T) {
	w := newWorld(t)
	none, keys, sessions, directory := api.Serve{}, api.Serve{Keys: true}, api.Serve{Sessions: true}, api.Serve{Directory: true}
	for _, row := range []struct {
		path  string
		takes []api.Serve
	}{
		{"/.well-known/jwks.json", []api.Serve{keys}},
		{"/.well-known/openid-configuration", []api.Serve{keys}},
		{"/.well-known/oauth-authorization-server", []api.Serve{keys}},
		{"/v1/b2b/sessions/jwks/" + project, []api.Serve{keys, sessions}},
		{"/v1/b2b/sessions", []api.Serve{sessions}},
		{"/v1/b2b/rbac/policy", []api.Serve{sessions}},
		{"/v1/debug/whoami", []api.Serve{sessions}},
		{"/v1/b2b/organizations/x", []api.Serve{directory}},
		{"/v1/openapi.json", []api.Serve{sessions, directory}},
		{"/", nil}, {"/v1", nil}, {"/v1/b2bx", nil}, {"/v1/debug", nil}, {"/.well-known/other", nil}, {"/v1/organizations", nil},
	} {
		for _, serve := range []api.Serve{none, keys, sessions, directory} {
			want := false
			for _, s := range row.takes {
				want = want || s == serve
			}
			rec := httptest.NewRecorder()
			if got := w.gateway.API(serve).Serve(rec, request("GET", row.path, "")); got != want {
				t.Errorf("%s is taken by %+v: %t", row.path, serve, got)
			}
		}
	}
}

func TestAPIWithoutProjectServesKeysOnly(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.gateway.Core.Project = authn.Project{} })
	if rec := w.answerOf(request("GET", "/.well-known/jwks.json", "")); rec.Code != 200 {
		t.Errorf("keys: %d", rec.Code)
	}
	for _, path := range []string{sessionsPath, orgsPath + "/x", "/v1/debug/whoami", "/v1/openapi.json"} {
		r := request("GET", path, "")
		r.SetBasicAuth("", "")
		if status, answer := w.send(r); status != 404 {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
}

// Every refusal is the envelope, is not kept by anybody, and says who may help.
func TestAPIRefusalsAreEnvelopes(t *testing.T) {
	w := newWorld(t)
	r := request("POST", revokePath, `{"session_token":"x"}`)
	r.SetBasicAuth(project, secret)
	rec := w.answerOf(r)
	described(t, r, rec)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	rec = w.answerOf(request("GET", "/v1/debug/whoami", ""))
	if rec.Code != 401 || !strings.HasPrefix(rec.Header().Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("without credentials: %d %v", rec.Code, rec.Header())
	}
	w.store.set(fmt.Errorf("%w: down", store.ErrUnavailable))
	r = request("GET", orgsPath+"/x", "")
	r.SetBasicAuth(project, secret)
	rec = w.answerOf(r)
	described(t, r, rec)
	if rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
		t.Errorf("store down: %d %v", rec.Code, rec.Header())
	}
}
