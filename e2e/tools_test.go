package e2e_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// missing leaves a test out for lack of a tool, except where nothing may be left
// out.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("missing: " + what)
	}
	t.Skip("missing: " + what)
}

func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, name)
	}
}

const scripts = root + "/testdata/node"

func needNode(t *testing.T) {
	t.Helper()
	needTool(t, "node")
	if _, err := os.Stat(filepath.Join(scripts, "node_modules", "jose")); err != nil {
		missing(t, "the packages of testdata/node (npm ci)")
	}
}

// node gives a script of testdata/node the input as JSON, and answers what it
// writes.
func node(t *testing.T, script string, input any) []byte {
	t.Helper()
	text, err := strictjson.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	var out, problems bytes.Buffer
	cmd := exec.Command("node", script)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = scripts, bytes.NewReader(text), &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("node %s: %v\n%s", script, err, problems.Bytes())
	}
	return bytes.TrimSpace(out.Bytes())
}

// An rsaKey is a key pair in two files, as an operator makes it.
type rsaKey struct{ private, public string }

func newRSAKey(t *testing.T) rsaKey {
	t.Helper()
	needTool(t, "openssl")
	dir := t.TempDir()
	k := rsaKey{filepath.Join(dir, "private.pem"), filepath.Join(dir, "public.pem")}
	for _, args := range [][]string{
		{"genrsa", "-out", k.private, "2048"},
		{"rsa", "-in", k.private, "-pubout", "-out", k.public},
	} {
		if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %v: %v\n%s", args, err, out)
		}
	}
	return k
}

// sign has jose make a JWT for five minutes, without a kid.
func (k rsaKey) sign(t *testing.T, issuer, audience string, claims map[string]any) string {
	t.Helper()
	return string(node(t, "sign.mjs", map[string]any{
		"key": k.private, "alg": "RS256", "issuer": issuer, "audience": audience, "expires": "5m", "claims": claims,
	}))
}

// verified are the claims of a JWT that jose has accepted, as an upstream does
// that knows the gateway's keys, issuer and nothing more.
func verified(t *testing.T, g *gateway, audience, token string) map[string]any {
	t.Helper()
	out, err := strictjson.Object(node(t, "verify.mjs", map[string]any{
		"jwks": g.url("/.well-known/jwks.json"), "issuer": g.url(""), "audience": audience, "algorithms": []string{"ES256"}, "token": token,
	}))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
