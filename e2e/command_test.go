package e2e_test

import (
	"strings"
	"testing"
)

const twoDev = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		profile demo {
			dev
			email_domains example.com
			organization demo
			create members organizations
		}
		profile other {
			dev
			audience elsewhere
			organization demo
		}
	}
}
:PORT {
	attest_api
	attest demo
	respond ok
}
`

// check is the lines of explain about one check.
func check(report, name string) string {
	_, report, _ = strings.Cut(report, "\n") // the summary
	_, rest, found := strings.Cut(report, " "+name)
	if !found {
		return ""
	}
	start := strings.LastIndex(report[:len(report)-len(rest)], "\n") + 1
	lines := strings.SplitAfter(report[start:], "\n")
	n := 1
	for n < len(lines) && strings.HasPrefix(lines[n], "      ") {
		n++
	}
	return strings.Join(lines[:n], "")
}

func (g *gateway) explain(token string, args ...string) result {
	g.t.Helper()
	args = append([]string{"attest", "explain", "--config", g.caddyfile(), "--adapter", "caddyfile"}, args...)
	res := g.run(token, args...)
	signature := token[strings.LastIndexByte(token, '.')+1:]
	if strings.Contains(res.stdout+res.stderr, signature[:16]) {
		g.t.Error("the signature is printed")
	}
	return res
}

// What `caddy attest explain` makes of tokens of `caddy attest mint`, as one uses
// them: while the server runs, and from its configuration file.
func TestMintAndExplain(t *testing.T) {
	g := startGateway(t, twoDev)
	good := g.explain(g.mint("demo", "--email", "ada@example.com"))
	if good.status != 0 || strings.Contains(good.stdout, "✗") || strings.Count(good.stdout, "✓") < 20 || !strings.Contains(good.stdout, "profile demo\n") {
		t.Errorf("a good token: exit status %d\n%s%s", good.status, good.stdout, good.stderr)
	}
	for _, c := range []struct {
		name, check, code, configured, found, remedy string
		token                                        []string
	}{
		{"audience", "audience", "audience_mismatch", "aud holding urn:attest:dev", "shop", "configure the token's own, byte for byte", []string{"demo", "--claim", "aud=shop"}},
		{"key", "key", "key_unknown", "1 keys", "kid", "no key of the set has the token's kid", []string{"other", "--claim", "iss=urn:attest:dev:demo", "--claim", "aud=urn:attest:dev"}},
		{"expiry", "expiry", "token_expired", "leeway 1m0s", "ago", "send a fresh token", []string{"demo", "--expires", "-10m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := g.explain(g.mint(c.token...), "--profile", "demo")
			lines := check(res.stdout, c.check)
			if first, _, _ := strings.Cut(res.stdout, "\n"); !strings.HasPrefix(first, "profile demo refuses this token: ") || !strings.Contains(first, c.remedy) {
				t.Errorf("the first line does not say what to do: %s", first)
			}
			if res.status != 1 || !strings.HasPrefix(lines, "  ✗ "+c.check+" ("+c.code+")\n") {
				t.Errorf("exit status %d\n%s%s", res.status, res.stdout, res.stderr)
			}
			for _, want := range []string{"configured: " + c.configured, "token:      ", c.found, "→ ", c.remedy} {
				if !strings.Contains(lines, want) {
					t.Errorf("no %q in\n%s", want, lines)
				}
			}
			if n := strings.Count(res.stdout, "✗"); n != 1 || !strings.Contains(res.stdout, "✓ parse") {
				t.Errorf("%d checks failed:\n%s", n, res.stdout)
			}
		})
	}
}

// Exit statuses: a script must be able to tell a refusal from a misspelt verb, and both
// from a gateway that is not there.
func TestExitStatuses(t *testing.T) {
	g := startGateway(t, twoDev)
	for _, c := range []struct {
		status int
		args   []string
	}{
		{2, []string{"nope"}}, {2, []string{"sessions", "lists"}}, {2, []string{"sessions", "show"}}, {2, []string{"status", "--nope"}},
		{3, []string{"status", "--address", "127.0.0.1:1"}}, {0, []string{"reference", "leeway"}}, {1, []string{"reference", "nope"}},
	} {
		if res := g.run("", append([]string{"attest"}, c.args...)...); res.status != c.status {
			t.Errorf("%v: exit status %d, want %d\n%s%s", c.args, res.status, c.status, res.stdout, res.stderr)
		}
	}
}

// A mistake on the command line is answered with what would be right.
func TestCommandMistakes(t *testing.T) {
	g := startGateway(t, twoDev)
	token := g.mint("demo")
	for _, c := range []struct {
		name, stdin, want string
		args              []string
	}{
		{"unknown profile", "", "run a configuration with `profile ghost { dev }` once", []string{"mint", "ghost"}},
		{"no profile", "", "arg(s)", []string{"mint"}},
		{"claim without value", "", "expected name=value", []string{"mint", "demo", "--claim", "aud"}},
		{"duration without unit", "", "expires", []string{"mint", "demo", "--expires", "10"}},
		{"unknown profile to explain", token, "there are: demo, other", []string{"explain", "--config", g.caddyfile(), "--adapter", "caddyfile", "--profile", "ghost"}},
		{"no token", "", "no token on standard input", []string{"explain", "--config", g.caddyfile(), "--adapter", "caddyfile"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			res := g.run(c.stdin, append([]string{"attest"}, c.args...)...)
			if res.status == 0 || !strings.Contains(res.stderr, c.want) || strings.Contains(res.stdout, "eyJ") {
				t.Errorf("exit status %d, want %q\n%s%s", res.status, c.want, res.stdout, res.stderr)
			}
		})
	}
}
