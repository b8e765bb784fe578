package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// found is what the browser saw; see testdata/browser/desk.mjs.
type found struct {
	Errors, Foreign, Violations, URLs []string
	Texts                             map[string]string
	Cookies, Stored                   int
}

const deskSite = `
http://127.0.0.1:DESK {
	attest_desk {
		write
	}
}
`

// drive runs a script of testdata/browser in a real Chromium and reads what it prints;
// pictures are left in the folder that the environment names.
func drive(t *testing.T, script string, into any, args ...string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	modules, absent := filepath.Glob("../testdata/browser/node_modules/playwright-core/package.json")
	if err != nil || absent != nil || len(modules) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("no chromium, or its driver is not installed")
		}
		t.Skip("no chromium, or its driver is not installed (make node)")
	}
	cmd := exec.CommandContext(t.Context(), "node", append(append([]string{script}, args...), os.Getenv("ATTEST_PICTURES"))...)
	cmd.Dir = "../testdata/browser"
	cmd.Env = append(os.Environ(), "CHROMIUM="+chromium)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// hostile are claims that try to be markup, to reorder text, to hide, and to be long.
var hostile = []string{
	`<img src=x onerror=alert(1)>`, `<script>alert(1)</script>`, `javascript:alert(1)`, "\u202egnp.exe", "a\u0000b", strings.Repeat("w", 3000),
	`"><svg onload=alert(1)>`, `{{constructor.constructor('alert(1)')()}}`,
}

// TestDeskInABrowser tries every view of the operator's page in a real browser: light,
// dark and on a phone, with hostile claims.
func TestDeskInABrowser(t *testing.T) {
	port := fmt.Sprint(freePort(t))
	g := startGateway(t, strings.Replace(twoDev+deskSite, "DESK", port, 1))
	for _, token := range []string{g.mint("demo", "--email", "ada@example.com"), g.mint("demo", "--claim", "aud=another-app")} {
		r, err := http.NewRequest(http.MethodGet, g.url("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	args := []string{"demo", "--email", "ada@example.com"}
	for i, text := range hostile {
		args = append(args, "--claim", fmt.Sprintf("evil%d=%s", i, strings.ReplaceAll(text, "\x00", "")))
	}
	var f found
	drive(t, "desk.mjs", &f, "http://127.0.0.1:"+port+"/", "Authorization: Bearer "+g.mint(args...))
	if len(f.Errors)+len(f.Foreign)+len(f.Violations)+f.Cookies+f.Stored > 0 {
		t.Errorf("errors %q, requests elsewhere %q, accessibility %q, %d cookies, %d stored", f.Errors, f.Foreign, f.Violations, f.Cookies, f.Stored)
	}
	for name, wants := range map[string][]string{
		"now-light":      {"demo", "audience_mismatch", "The last hour"},
		"explain-dark":   {"profile demo takes this token", "<script>alert(1)</script>", "\\u202e", "An upstream would receive", "ada@example.com"},
		"templates-dark": {"bytes"},
		"sessions-light": {"ada@example.com", "1 sessions"},
		"trust-light":    {"ES256", "active", "urn:attest:dev"},
		"refusal":        {"audience_mismatch", "The checks as they were", "another-app"},
		"session":        {"Timeline", "ada@example.com"},
		"revoked":        {"1 sessions have ended"},
	} {
		for _, want := range wants {
			if !strings.Contains(f.Texts[name], want) {
				t.Errorf("%s does not show %q:\n%.600s", name, want, f.Texts[name])
			}
		}
	}
	for _, url := range f.URLs {
		if strings.Contains(url, "eyJ") {
			t.Errorf("a token is in a URL: %s", url)
		}
	}
}
