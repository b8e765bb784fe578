package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Whoever has the machine's storage makes dev tokens: a configuration that would
// take them from elsewhere does not run, and says which word of it is to blame,
// which listener, and what would help.
func TestDevProfileOnAnOpenListenerIsRefused(t *testing.T) {
	open := strings.Replace(twoDev, "\tdefault_bind 127.0.0.1\n", "", 1)
	g := newGateway(t, open)
	g.launch()
	run := result{g.exit(), "", g.output.String()}
	for name, res := range map[string]result{"run": run, "validate": g.run("", "validate", "--config", g.caddyfile(), "--adapter", "caddyfile")} {
		if res.status == 0 {
			t.Errorf("%s: exit status 0", name)
		}
		for _, want := range []string{"profile demo dev: ", fmt.Sprintf(":%d is not", g.port), "set 'default_bind 127.0.0.1'"} {
			if !strings.Contains(res.stderr, want) {
				t.Errorf("%s: no %q in\n%s", name, want, res.stderr)
			}
		}
	}
}

// A proxy on this machine speaks for somebody who is elsewhere.
func TestDevTokenThroughAProxyIsRefused(t *testing.T) {
	g := startGateway(t, twoDev)
	bearer := "Bearer " + g.mint("demo", "--email", "ada@example.com")
	if res := get(t, g.url("/"), "Authorization", bearer); res.status != http.StatusOK || res.body != "ok" {
		t.Fatalf("without a proxy: %d %s", res.status, res.code())
	}
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "Via"} {
		if res := get(t, g.url("/"), "Authorization", bearer, header, "203.0.113.7"); res.status != http.StatusUnauthorized || res.code() == "" || res.body == "ok" {
			t.Errorf("%s: %d %q %q", header, res.status, res.code(), res.body)
		}
	}
}

// A configuration's own storage holds its dev keys, and mint finds them there.
func TestMintWithTheConfigurationsStorage(t *testing.T) {
	text := strings.Replace(twoDev, "{\n", "{\n\tstorage file_system ./own\n", 1)
	g := startGateway(t, text)
	res := g.run("", "attest", "mint", "demo", "--email", "ada@example.com", "--config", g.caddyfile(), "--adapter", "caddyfile")
	if res.status != 0 {
		t.Fatalf("%d %s", res.status, res.stderr)
	}
	if got := get(t, g.url("/"), "Authorization", "Bearer "+strings.TrimSpace(res.stdout)); got.status != http.StatusOK {
		t.Errorf("%d %s", got.status, got.code())
	}
	if res := g.run("", "attest", "mint", "demo"); res.status == 0 {
		t.Error("the default storage has a key too")
	}
}
