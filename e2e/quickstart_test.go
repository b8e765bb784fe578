package e2e_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// startQuickStart runs Caddyfile.example as it stands, but on free ports, and
// answers the URL of the app in it too.
func startQuickStart(t *testing.T) (g *gateway, app string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "Caddyfile.example"))
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{"localhost:2019", ":2020 {", ":8080 {", ":8081 {", "127.0.0.1:8081"} {
		if !strings.Contains(string(data), port) {
			t.Fatalf("Caddyfile.example has no %s", port)
		}
	}
	front, behind := freePort(t), freePort(t)
	g = newGatewayAt(t, front, string(data), "2019", fmt.Sprint(freePort(t)), "2020", fmt.Sprint(freePort(t)), "8080", "PORT", "8081", fmt.Sprint(behind))
	g.start()
	return g, fmt.Sprintf("http://127.0.0.1:%d", behind)
}

// objects are the lines of a page that are JSON objects.
func objects(t *testing.T, page string) []map[string]any {
	t.Helper()
	var list []map[string]any
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "{") {
			list = append(list, object(t, line))
		}
	}
	return list
}

func TestQuickStart(t *testing.T) {
	g, _ := startQuickStart(t)
	token := g.mint("demo", "--email", "ada@example.com")
	res := get(t, g.url("/"), "Authorization", "Bearer "+token)
	if res.status != http.StatusOK {
		t.Fatalf("%d %s\n%s", res.status, res.body, g.output)
	}
	if n := strings.Count(res.body, "Bearer eyJ"); n != 1 || strings.Count(res.body, "Authorization: ") != 1 {
		t.Errorf("%d tokens in\n%s", n, res.body)
	}
	for _, half := range strings.Split(token, ".") {
		if strings.Contains(res.body, half[:min(len(half), 50)]) {
			t.Errorf("the third party's token is in\n%s", res.body)
		}
	}
	decoded := objects(t, res.body)
	if len(decoded) != 2 {
		t.Fatalf("%d JSON lines in\n%s", len(decoded), res.body)
	}
	header, claims := decoded[0], decoded[1]
	if kid, _ := header["kid"].(string); header["alg"] != "ES256" || header["typ"] != "JWT" || kid == part(t, token, 0)["kid"] || !strings.Contains(get(t, g.url("/.well-known/jwks.json")).body, kid) {
		t.Errorf("header %v", header)
	}
	for name, want := range map[string]any{"iss": g.url(""), "email": "ada@example.com", "organization_name": "demo"} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if member, _ := claims["sub"].(string); !strings.HasPrefix(member, "member-") || at(claims, "session", "id") == nil {
		t.Errorf("claims %v", claims)
	}
	if refused := get(t, g.url("/")); refused.status != http.StatusUnauthorized || refused.code() != "no_credential" {
		t.Errorf("without a token: %d %q", refused.status, refused.code())
	}
}

// The app's page is a template. What a client sends is only data in it, also to
// someone who comes past the gateway.
func TestQuickStartExecutesNoHeader(t *testing.T) {
	g, app := startQuickStart(t)
	const code = `{{env "HOME"}}`
	hidden := base64.RawURLEncoding.EncodeToString([]byte(code + " {{now}}"))
	good := "Bearer " + g.mint("demo", "--email", "ada@example.com")
	for _, c := range []struct {
		name, url string
		status    int
		header    []string
	}{
		{"credential at the gateway", g.url("/"), 401, []string{"Authorization", "Bearer " + code + ".{{now}}.x"}},
		{"credential at the app", app + "/", 200, []string{"Authorization", "Bearer " + code + ".{{now}}.x"}},
		{"encoded at the app", app + "/", 200, []string{"Authorization", "Bearer " + hidden + "." + hidden + ".x"}},
		{"another header", g.url("/"), 200, []string{"Authorization", good, "X-Evil", code, "User-Agent", code + "{{now}}"}},
		{"path and query", g.url("/%7B%7Benv%20%22HOME%22%7D%7D?a={{now}}"), 200, []string{"Authorization", good}},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := get(t, c.url, c.header...)
			if res.status != c.status {
				t.Errorf("%d, want %d", res.status, c.status)
			}
			if strings.Contains(res.body, g.dir) || strings.Contains(res.body, " m=+") {
				t.Errorf("executed:\n%s", res.body)
			}
			if c.status == http.StatusOK && strings.Contains(fmt.Sprint(c.header), code) && !strings.Contains(res.body, code) {
				t.Errorf("the header is not shown as it came:\n%s", res.body)
			}
		})
	}
}

// A visitor with a browser reads how to get a token, pastes it, and sees what the app
// received, with the cookie from then on.
func TestQuickStartInABrowser(t *testing.T) {
	g, _ := startQuickStart(t)
	var seen struct{ Before, After, Again string }
	drive(t, "quickstart.mjs", &seen, g.url("/"), g.mint("demo", "--email", "ada@example.com", "--claim", "x=<script>alert(1)</script>"))
	if !strings.Contains(seen.Before, "./caddy attest mint demo") {
		t.Errorf("before: %s", seen.Before)
	}
	for _, page := range []string{seen.After, seen.Again} {
		if !strings.Contains(page, "What the app received") || !strings.Contains(page, `"email":"ada@example.com"`) || strings.Contains(page, "__Host-session") {
			t.Errorf("after: %s", page)
		}
	}
}
