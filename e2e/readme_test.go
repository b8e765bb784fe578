package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// readmeOutput is the block of the README that follows the one with a command.
func readmeOutput(t *testing.T, command string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(data), command)
	blocks := strings.SplitN(after, "```\n", 4)
	if !found || len(blocks) < 4 {
		t.Fatalf("the README does not show what %q prints", command)
	}
	return blocks[2]
}

// What differs from one run to the next, and what it is compared as.
var changing = []struct {
	what *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\n "`), `"`}, // the README wraps JSON
	{regexp.MustCompile(`(Bearer )[\w.-]+`), "${1}JWT"},
	{regexp.MustCompile(`"kid":"[\w-]{43}"`), `"kid":"KID"`},
	{regexp.MustCompile(`[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{8}-…`), "ID"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:]+Z`), "TIME"},
	{regexp.MustCompile(`\b1\d{9}\b`), "SECONDS"},
}

func settled(text string) string {
	for _, c := range changing {
		text = c.what.ReplaceAllString(text, c.as)
	}
	return strings.TrimSpace(text)
}

// wantShown demands that the README shows what is printed, but for what it leaves out
// with an ellipsis.
func wantShown(t *testing.T, shown, printed string) {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(settled(shown)), "…", "(?s:.*?)")
	if !regexp.MustCompile(`^` + pattern + `$`).MatchString(settled(printed)) {
		t.Errorf("the README shows\n%s\nprinted is\n%s", settled(shown), settled(printed))
	}
}

// The README shows what the quick start prints.
func TestReadmeShowsTheQuickStart(t *testing.T) {
	g, _ := startQuickStart(t)
	r := newRequest(t, g.url("/"), "Authorization", "Bearer "+g.mint("demo", "--email", "ada@example.com"), "Accept", "*/*", "User-Agent", "curl/7.88.1")
	r.Host = "localhost:8080"
	client := &http.Transport{DisableCompression: true}
	defer client.CloseIdleConnections()
	got := tryWith(client, r)
	if got.err != nil || got.status != http.StatusOK {
		t.Fatalf("%d %v\n%s", got.status, got.err, g.output)
	}
	wantShown(t, readmeOutput(t, "curl -H"), strings.ReplaceAll(got.body, strings.TrimPrefix(g.url(""), "http://"), "127.0.0.1:8080"))
}

// The README shows what explain says.
func TestReadmeShowsExplain(t *testing.T) {
	g, _ := startQuickStart(t)
	config, err := os.ReadFile(g.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	admin := regexp.MustCompile(`localhost:\d+`).FindString(regexp.MustCompile(`admin localhost:\d+`).FindString(string(config)))
	res := g.run(g.mint("demo", "--claim", "aud=another-app"), "attest", "explain", "--address", admin)
	if res.status != 1 {
		t.Errorf("exit status %d", res.status)
	}
	shown, printed := readmeOutput(t, "./caddy attest mint demo --claim aud=another-app"), res.stdout
	wantShown(t, shown+"…", printed)
}
