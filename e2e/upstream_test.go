package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples of how an app verifies what it receives do so, each in its language, and
// take nothing else.
func TestUpstreamExamples(t *testing.T) {
	g := startGateway(t, strings.Replace(twoDev, "respond ok", "respond {http.request.header.Authorization}", 1))
	received := get(t, g.url("/"), "Authorization", "Bearer "+g.mint("demo", "--email", "ada@example.com")).body
	member, _ := part(t, strings.TrimPrefix(received, "Bearer "), 1)["sub"].(string)
	forged := strings.Replace(received, ".eyJ", ".eyK", 1)
	for name, command := range map[string]func(*testing.T) *exec.Cmd{"node": nodeExample, "go": goExample, "python": pythonExample} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				token, gateway string
				good           bool
			}{{received, g.url(""), true}, {forged, g.url(""), false}, {received, "https://other.example", false}, {g.mint("demo"), g.url(""), false}} {
				cmd := command(t)
				cmd.Env = append(os.Environ(), "GATEWAY="+c.gateway, "JWKS_AT="+g.url(""), "GOFLAGS=-mod=mod")
				cmd.Stdin = strings.NewReader(c.token)
				out, err := cmd.CombinedOutput()
				if (err == nil) != c.good || c.good && !strings.Contains(string(out), member) {
					t.Errorf("good %t: %v\n%s", c.good, err, out)
				}
			}
		})
	}
}

func nodeExample(t *testing.T) *exec.Cmd {
	modules := filepath.Join(root, "testdata/node/node_modules")
	if _, err := os.Stat(modules); err != nil {
		missing(t, "the npm packages")
	}
	// Modules are looked for beside the script, so that a copy stands there.
	script := filepath.Join(root, "testdata/node/upstream_example.mjs")
	data, err := os.ReadFile(filepath.Join(root, "examples/upstream/verify.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, data, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(script) })
	return exec.CommandContext(t.Context(), "node", script)
}

func goExample(t *testing.T) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), "go", "run", ".")
	cmd.Dir = filepath.Join(root, "examples/upstream/go")
	return cmd
}

func pythonExample(t *testing.T) *exec.Cmd {
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(t.Context(), python, "-c", "import jwt, cryptography").Run() == nil {
			return exec.CommandContext(t.Context(), python, filepath.Join(root, "examples/upstream/verify.py"))
		}
	}
	missing(t, "python3-jwt")
	return nil
}
