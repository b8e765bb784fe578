package caddymodule_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDurationsOf292Years: a date that is computed with the longest duration there is
// lies outside of what a store can hold, and at once in the past. Every duration of the
// language is refused with its line.
func TestDurationsOf292Years(t *testing.T) {
	const years = "106751d"
	global := []string{
		"session duration", "session max_duration", "session idle", "session jwt_lifetime", "session reuse_for",
		"local_cache 10", "on_store_outage serve_cached", "keys rotate_every", "store redis 10.0.0.1:6379 timeout",
		"profile leeway", "profile max_token_age", "profile max_lifetime", "profile stale_keys",
		"profile introspect https://a.test/introspect cache", "profile factor mfa valid_for", "profile session duration", "profile session idle",
	}
	reference, err := os.ReadFile("testdata/reference.txt")
	if err != nil {
		t.Fatal(err)
	}
	onRoutes := []string{"jwt_lifetime", "require factor device within", "require fresh"}
	inMatchers := []string{"factor device within", "fresh"}
	if all := strings.Count(string(reference), "<duration>") + strings.Count(string(reference), "<max_age>"); all != len(global)+2*len(onRoutes)+len(inMatchers) {
		t.Errorf("the language has %d durations, %d are tried", all, len(global)+2*len(onRoutes)+len(inMatchers))
	}
	blocks := strings.NewReplacer(
		"session ", "session {\n", "keys ", "keys {\n", "6379 ", "6379 {\n",
		"profile introspect ", "profile acme {\nissuer https://a.test\naudience x\nintrospect ", "/introspect cache", "/introspect {\ncache",
		"profile ", "profile acme {\nissuer https://a.test\naudience x\njwks_url https://a.test/keys\n", "mfa ", "mfa {\n",
	)
	for _, path := range global {
		lines := blocks.Replace(path) + " " + years
		refusedAt(t, path, "{\nattest {\nsecret 0123456789abcdef0123456789abcdef\n"+lines+strings.Repeat("\n}", strings.Count(lines, "{")+2), years)
	}
	for _, path := range onRoutes {
		refusedAt(t, "attest "+path, minimal("attest {\n"+path+" "+years+"\n}"), years)
		refusedAt(t, "attest_verify "+path, minimal("attest_verify {\nfor nginx\n"+path+" "+years+"\n}"), years)
	}
	for _, path := range inMatchers {
		refusedAt(t, "@x attest "+path, minimal("@x attest "+path+" "+years), years)
	}
}

// refusedAt holds that a Caddyfile is refused at the line that has the word.
func refusedAt(t *testing.T, name, text, word string) {
	t.Helper()
	line := 1 + strings.Count(text[:strings.Index(text, word)], "\n")
	if got := adapt(t, text); !strings.HasSuffix(got, fmt.Sprintf(", at Caddyfile:%d", line)) {
		t.Errorf("%s: got %s, want line %d", name, got, line)
	}
}

func minimal(handler string) string {
	return "{\nattest {\nprofile acme {\ndev\n}\n}\n}\nhttp://127.0.0.1:80 {\n" + handler + "\n}"
}
