package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A documented recipe is tried with a token of the issuer it is for.
type documented struct {
	issuer, audience string
	claims           map[string]any
	upstream         string         // the audience of the JWT, the issuer where it is empty
	want             map[string]any // of the claims that the upstream verifies
	refused          map[string]any // claims that must not get through
}

type m = map[string]any

var documentedRecipes = map[string]documented{
	"Google": {
		issuer: "https://accounts.google.com", audience: "1234-abcd.apps.googleusercontent.com",
		claims:  m{"sub": "107", "email": "ada@example.com", "email_verified": true, "hd": "example.com", "name": "Ada"},
		refused: m{"hd": nil},
	},
	"Microsoft Entra": {
		issuer: "https://login.microsoftonline.com/9122040d/v2.0", audience: "8c6f0a52-0000-0000-0000-000000000000",
		claims:  m{"sub": "pairwise", "oid": "0000-ada", "tid": "9122040d", "roles": []string{"admin", "owner"}},
		want:    m{"session": m{"roles": []any{"admin"}}},
		refused: m{"tid": "another"},
	},
	"Keycloak": {
		issuer: "https://sso.example.com/realms/main", audience: "my-app",
		claims:  m{"sub": "f3", "azp": "web", "realm_access": m{"roles": []string{"editor", "offline_access"}}},
		want:    m{"session": m{"roles": []any{"editor"}}},
		refused: m{"aud": "account"},
	},
	"Auth0": {
		issuer: "https://example.eu.auth0.com/", audience: "https://api.example.com",
		claims:  m{"sub": "auth0|1", "https://example.com/roles": []string{"reader"}},
		want:    m{"session": m{"roles": []any{"reader"}}},
		refused: m{"aud": "https://example.eu.auth0.com/userinfo"},
	},
	"Okta": {
		issuer: "https://example.okta.com/oauth2/default", audience: "api://default",
		claims:  m{"sub": "ada@example.com", "uid": "00u1", "groups": []string{"Everyone", "App Admins"}},
		want:    m{"session": m{"roles": []any{"admin", "reader"}}},
		refused: m{"uid": nil},
	},
	"AWS Cognito": {
		issuer:  "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEfGhI",
		claims:  m{"sub": "c1", "client_id": "4example23456789client", "token_use": "access", "cognito:groups": []string{"editor"}},
		want:    m{"session": m{"roles": []any{"editor"}}},
		refused: m{"token_use": "id"},
	},
	"GitHub Actions": {
		issuer: "https://token.actions.githubusercontent.com", audience: "AUDIENCE",
		claims:  m{"sub": "repo:acme/shop:ref:refs/heads/main", "repository": "acme/shop", "repository_id": "77", "repository_owner_id": "1234567", "ref": "refs/heads/main"},
		refused: m{"ref": "refs/pull/1/merge"},
	},
	"Kubernetes service accounts": {
		issuer: "https://kubernetes.default.svc.cluster.local", audience: "my-app",
		claims:  m{"sub": "system:serviceaccount:shop:web"},
		refused: m{"aud": "https://kubernetes.default.svc.cluster.local"},
	},
	"A login of your own": {
		issuer: "https://login.example.com", audience: "example-web",
		claims:  m{"sub": "x", "uid": "7", "contact": m{"email": "ada@example.com"}, "assignments": []string{"editor", "owner"}},
		want:    m{"session": m{"roles": []any{"editor"}}},
		refused: m{"uid": nil},
	},
	"Hasura": {
		issuer: "https://login.example.com", audience: "example-web",
		claims:   m{"sub": "7", "roles": []string{"editor", "reader"}},
		upstream: "hasura",
		want:     m{"https://hasura.io/jwt/claims": m{"x-hasura-default-role": "reader", "x-hasura-allowed-roles": []any{"editor", "reader"}}},
		refused:  m{"aud": "another"},
	},
}

var (
	recipeHeading = regexp.MustCompile(`(?m)^## (.+)\n`)
	recipeBlock   = regexp.MustCompile("(?s)```caddyfile\n(.*?)```")
	keysElsewhere = regexp.MustCompile(`jwks_url \S+( \{[^}]*\})?`)
)

// documentedCaddyfiles are the files of docs/recipes.md, by their headings.
func documentedCaddyfiles(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs/recipes.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	headings := recipeHeading.FindAllStringSubmatchIndex(string(data), -1)
	for i, at := range headings {
		end := len(data)
		if i+1 < len(headings) {
			end = headings[i+1][0]
		}
		if block := recipeBlock.FindSubmatch(data[at[1]:end]); block != nil {
			files[string(data[at[2]:at[3]])] = string(block[1])
		}
	}
	return files
}

// startDocumented runs a documented file here: on a free port, before the app, and with a
// key of the test's in the place of the issuer's.
func startDocumented(t *testing.T, file string, a *app, key rsaKey) *gateway {
	t.Helper()
	file = keysElsewhere.ReplaceAllString(file, "public_key_file "+key.public)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(apiSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	return startGateway(t, strings.Replace(file, "{\n", "{\n\tadmin off\n\tpersist_config off\n\tdefault_bind 127.0.0.1\n", 1),
		"https://app.example.com", "http://127.0.0.1:PORT", "app.example.com {", ":PORT {", "localhost:9000", strings.TrimPrefix(a.URL, "http://"),
		"/etc/caddy/login.pem", key.public, "project-live-example", "PROJECT", "/run/secrets/attest_api", secret)
}

// sign makes a token with the recipe's claims, some of them changed.
func (d documented) sign(t *testing.T, g *gateway, key rsaKey, changed map[string]any) string {
	t.Helper()
	claims, audience := map[string]any{}, strings.Replace(d.audience, "AUDIENCE", g.url(""), 1)
	for name, value := range d.claims {
		claims[name] = value
	}
	for name, value := range changed {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		if name == "aud" {
			audience = value.(string)
		}
	}
	return key.sign(t, d.issuer, audience, claims)
}

// subset are the members of got that want names.
func subset(got any, want map[string]any) map[string]any {
	out := map[string]any{}
	for name, value := range want {
		out[name] = at(got, name)
		if inner, ok := value.(map[string]any); ok {
			out[name] = subset(out[name], inner)
		}
	}
	return out
}

// The documented recipes admit the tokens they are for, with the roles and claims that they
// say, and refuse what they say they do.
func TestDocumentedRecipes(t *testing.T) {
	needNode(t)
	key, files := newRSAKey(t), documentedCaddyfiles(t)
	for name, d := range documentedRecipes {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			g := startDocumented(t, files[name], a, key)
			audience := d.upstream
			if audience == "" {
				audience = g.url("")
			}
			claims := verified(t, g, audience, g.admitted(a, "/", d.sign(t, g, key, nil)))
			if roles, ok := at(claims, "session", "roles").([]any); ok {
				slices.SortFunc(roles, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			}
			if d.want == nil {
				d.want = m{}
			}
			if diff := cmp.Diff(d.want, subset(claims, d.want)); diff != "" {
				t.Error(diff)
			}
			if res := get(t, g.url("/"), "Authorization", "Bearer "+d.sign(t, g, key, d.refused)); res.status != http.StatusUnauthorized {
				t.Errorf("with %v: %d %s", d.refused, res.status, res.code())
			}
		})
	}
	for _, name := range []string{"Pages and programs", "Roles", "Two factors"} {
		if files[name] == "" {
			t.Errorf("no recipe %s", name)
		}
		delete(files, name)
	}
	if len(files) != len(documentedRecipes) {
		t.Errorf("%d recipes, %d of them are tried", len(files), len(documentedRecipes))
	}
}

// A page has the cookie after one call, a program has none, and what is public needs
// nothing and believes nothing.
func TestDocumentedPagesAndPrograms(t *testing.T) {
	needNode(t)
	key, a := newRSAKey(t), newApp(t)
	g := startDocumented(t, documentedCaddyfiles(t)["Pages and programs"], a, key)
	token := key.sign(t, "https://login.example.com", "example-web", m{"sub": "7"})
	if res := get(t, g.url("/public/a"), "Authorization", "Bearer "+token); res.status != http.StatusOK || a.received().Get("Authorization") != "" {
		t.Errorf("public: %d, the app received %v", res.status, a.received())
	}
	if res := get(t, g.url("/api/a"), "Authorization", "Bearer "+token, "Sec-Fetch-Mode", "cors"); res.status != http.StatusOK || res.header.Get("Set-Cookie") != "" {
		t.Errorf("a program: %d %v", res.status, res.header)
	}
	page := get(t, g.url("/"), "Authorization", "Bearer "+token, "Sec-Fetch-Mode", "cors")
	cookie, _, _ := strings.Cut(page.header.Get("Set-Cookie"), ";")
	if !strings.HasPrefix(cookie, "__Host-session=") {
		t.Fatalf("a page: %d %v", page.status, page.header)
	}
	for path, want := range map[string]int{"/": http.StatusOK, "/api/a": http.StatusOK} {
		if res := get(t, g.url(path), "Cookie", cookie); res.status != want {
			t.Errorf("%s with the cookie: %d %s", path, res.status, res.code())
		}
	}
	if res := get(t, g.url("/")); res.code() != "no_credential" {
		t.Errorf("without: %d %s", res.status, res.code())
	}
}

// Only who has the role comes to the part that asks for it.
func TestDocumentedRoles(t *testing.T) {
	needNode(t)
	key, a := newRSAKey(t), newApp(t)
	g := startDocumented(t, documentedCaddyfiles(t)["Roles"], a, key)
	for roles, want := range map[string]int{"admin": 200, "reader": 403, "administrator": 403, "": 403} {
		token := key.sign(t, "https://login.example.com", "example-web", m{"sub": "7" + roles, "assignments": []string{roles, "owner"}})
		for path, status := range map[string]int{"/admin": want, "/admin/a": want, "/x/../admin/a": http.StatusBadRequest, "//admin/a": want, "/%61dmin/a": want, "/a": 200} {
			if res := get(t, g.url(path), "Authorization", "Bearer "+token); res.status != status {
				t.Errorf("%q at %s: %d", roles, path, res.status)
			}
		}
	}
}

// The second factor is in the session's JWT, and alone it is nothing.
func TestDocumentedTwoFactors(t *testing.T) {
	needNode(t)
	key, a := newRSAKey(t), newApp(t)
	g := startDocumented(t, documentedCaddyfiles(t)["Two factors"], a, key)
	device := func() string {
		return key.sign(t, "https://devices.example.com", "example-web", m{"sub": "7"})
	}
	if res := get(t, g.url("/"), "Authorization", "Bearer "+device()); res.status == http.StatusOK {
		t.Error("the device alone is admitted")
	}
	login := func() string {
		return g.attest("login", key.sign(t, "https://login.example.com", "example-web", m{"sub": "7"}), nil)["session_token"].(string)
	}
	const challenge = `Bearer error="insufficient_user_authentication", acr_values="device", max_age="600"`
	transfer := func(what, session string, want int) {
		t.Helper()
		res := get(t, g.url("/transfers/1"), "Authorization", "Bearer "+session)
		if asked := res.header.Get("WWW-Authenticate"); res.status != want || want == http.StatusUnauthorized && asked != challenge {
			t.Errorf("%s: %d %s", what, res.status, asked)
		}
	}
	session := login()
	transfer("before the device", session, http.StatusUnauthorized)
	g.attest("device", device(), m{"session_token": session})
	transfer("with the device", session, http.StatusOK)
	late := login()
	shown := time.Now().Add(-11 * time.Minute).Unix()
	g.attest("device", key.sign(t, "https://devices.example.com", "example-web", m{"sub": "7", "auth_time": shown}), m{"session_token": late})
	transfer("eleven minutes after the device", late, http.StatusUnauthorized)
	claims := verified(t, g, g.url(""), g.admitted(a, "/", session))
	if list, _ := at(claims, "session", "authentication_factors").([]any); len(list) != 2 {
		t.Errorf("factors %v", at(claims, "session"))
	}
}
