package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/store/redis/redistest"
)

const movedSite = `{
	admin 127.0.0.1:ADMIN
	auto_https off
	default_bind 127.0.0.1
	attest {
		SEALING
		issuer http://moved.test
		store STORE
		project PROJECT {
			secret "API_SECRET"
		}
		profile demo {
			dev
			email_domains example.com
			organization demo
			create members organizations
		}
	}
}
http://:PORT {
	attest_api
	attest
	respond ok
}
`

// store runs `caddy attest store …` with a configuration of this machine.
func (g *gateway) store(config string, args ...string) result {
	g.t.Helper()
	return g.run("", append(append([]string{"attest", "store"}, args...), "--config", config, "--adapter", "caddyfile")...)
}

func (r result) want(t *testing.T, status int, says string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.stdout+r.stderr, says) {
		t.Errorf("exit status %d, want %d with %q:\n%s%s", r.status, status, says, r.stdout, r.stderr)
	}
}

// A gateway's file is exported while it runs, and goes to Redis: with its sessions, or
// with all but those.
func TestStoreMovesFromAFileToRedis(t *testing.T) {
	g := startGateway(t, movedSite, "ADMIN", fmt.Sprint(freePort(t)), "SEALING", "", "STORE", "bolt")
	made := g.attest("demo", g.mint("demo", "--email", "ada@example.com"), nil)
	ended := g.attest("demo", g.mint("demo", "--email", "eve@example.com"), nil)
	g.call("/v1/b2b/sessions/revoke", map[string]any{"session_token": ended["session_token"]})
	file := filepath.Join(g.dir, "backup")

	g.store(g.caddyfile(), "export", file).want(t, 0, "records, sealed")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "example.com") || strings.Contains(string(data), made["session_token"].(string)) {
		t.Errorf("the file can be read, %v", err)
	}
	g.store(g.caddyfile(), "export", file).want(t, 1, "exists")
	g.store(g.caddyfile(), "compact").want(t, 1, fmt.Sprintf("another process holds the file (process %d)", g.cmd.Process.Pid))
	g.store(g.caddyfile(), "import", file).want(t, 1, "another process holds the file")
	g.terminate()
	g.exit()
	g.store(g.caddyfile(), "compact", "--json").want(t, 0, `"before":`)
	g.store(g.caddyfile(), "import", file).want(t, 1, "not empty")
	offline := filepath.Join(g.dir, "offline")
	g.store(g.caddyfile(), "export", offline).want(t, 3, "no gateway answers")
	if _, err := os.Stat(offline); err == nil {
		t.Error("a file without a whole answer stays")
	}
	g.store(g.caddyfile(), "export", offline, "--offline").want(t, 0, "records, sealed")

	for name, c := range map[string]struct {
		flags []string
		lives bool
	}{
		"with sessions": {[]string{"--sessions", "--yes"}, true},
		"without":       {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := g.onRedis(t)
			g.store(g.caddyfile(), "import", file, "--sessions").want(t, 1, "say --yes")
			g.store(g.caddyfile(), "import", file, "--dry-run").want(t, 0, "would be brought")
			g.store(g.caddyfile(), "import", file+"x").want(t, 1, "no such file")
			g.store(g.caddyfile(), append([]string{"import", offline}, c.flags...)...).want(t, 0, "revoke-before --time")
			g.store(g.caddyfile(), "import", offline).want(t, 1, "not empty")
			g.start()
			if res := get(t, g.url("/"), "Authorization", "Bearer "+made["session_token"].(string)); (res.status == 200) != c.lives {
				t.Errorf("the session answers %d", res.status)
			}
			if res := get(t, g.url("/"), "Authorization", "Bearer "+ended["session_token"].(string)); res.status != 401 {
				t.Errorf("the session that was ended answers %d", res.status)
			}
			again := g.attest("demo", g.mint("demo", "--email", "ada@example.com"), nil)
			if got, want := at(again, "member", "member_id"), at(made, "member", "member_id"); got != want {
				t.Errorf("the member is %v, and was %v", got, want)
			}
			if got, want := part(t, again["session_jwt"].(string), 0)["kid"], part(t, made["session_jwt"].(string), 0)["kid"]; got != want {
				t.Errorf("%v signs, and not %v", got, want)
			}
			g.store(g.caddyfile(), "export", filepath.Join(g.dir, "redis"+name)).want(t, 1, "with its own tools")
			g.store(g.caddyfile(), "compact").want(t, 1, "only 'store bolt'")
			g.terminate()
			g.exit()
		})
	}
}

// onRedis is another gateway of the same machine, on an empty Redis.
func (g *gateway) onRedis(t *testing.T) *gateway {
	t.Helper()
	server := redistest.Start(t)
	moved := newGateway(t, movedSite, "ADMIN", fmt.Sprint(freePort(t)), "SEALING", "secret 0123456789abcdef0123456789abcdef", "STORE", "redis redis://"+server.Addr)
	text, err := os.ReadFile(moved.caddyfile())
	if err != nil {
		t.Fatal(err)
	}
	moved.dir = g.dir
	if err := os.WriteFile(moved.caddyfile(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return moved
}
