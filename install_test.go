package attest_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// documents are the YAML documents of a file.
func documents(t *testing.T, path string) []map[string]any {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []map[string]any
	for decoder := yaml.NewDecoder(file); ; {
		var document map[string]any
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		list = append(list, document)
	}
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What an installation is made of fits together: what one file builds, names or listens
// on, the other one finds there.
func TestInstallFilesAgree(t *testing.T) {
	docker := readText(t, "Dockerfile")
	for _, want := range []string{"USER 65532:65532", `CMD ["/usr/bin/caddy", "attest", "health"]`, "FROM gcr.io/distroless/static"} {
		if !strings.Contains(docker, want) {
			t.Errorf("Dockerfile does not say %s", want)
		}
	}
	compose := documents(t, "examples/redis/compose.yaml")[0]
	gateway := compose["services"].(map[string]any)["gateway-1"].(map[string]any)
	if gateway["build"] != "../.." || gateway["read_only"] != true {
		t.Errorf("compose builds %v", gateway["build"])
	}
	if !strings.Contains(readText(t, "examples/redis/Caddyfile"), "https_port 8443") || gateway["ports"].([]any)[0] != "443:8443" {
		t.Error("compose and its Caddyfile disagree on the port")
	}
	kinds := []string{}
	for _, d := range documents(t, "deploy/kubernetes/attest.yaml") {
		kinds = append(kinds, d["kind"].(string))
	}
	if !slices.Equal(kinds, []string{"ConfigMap", "Deployment", "Service"}) {
		t.Errorf("manifest: %v", kinds)
	}
	for _, path := range []string{".goreleaser.yaml", ".golangci.yml", ".github/workflows/ci.yml", ".github/workflows/release.yml", ".github/dependabot.yml"} {
		documents(t, path)
	}
	tags := "nobadger,nomysql,nopgx"
	if !strings.Contains(readText(t, "xcaddy.sh"), tags) || !strings.Contains(readText(t, ".goreleaser.yaml"), "["+strings.ReplaceAll(tags, ",", ", ")+"]") {
		t.Error("releases are built with other tags than xcaddy.sh's")
	}
}

// systemd itself finds no mistake in the unit, where it can be asked.
func TestSystemdUnit(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	unit := t.TempDir() + "/attest.service"
	text := strings.ReplaceAll(readText(t, "deploy/systemd/attest.service"), "/usr/local/bin/caddy-attest", "/bin/true")
	if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
