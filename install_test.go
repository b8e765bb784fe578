package attest_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
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

// at is a value inside a document: keys of maps and indexes of lists.
func at(t *testing.T, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := value.(map[string]any)
			value = m[s]
		case int:
			list, _ := value.([]any)
			if s >= len(list) {
				t.Fatalf("%v: there are %d", path, len(list))
			}
			value = list[s]
		}
	}
	return value
}

// holds demands that a file says something that another one relies on.
func holds(t *testing.T, path string, wants ...string) {
	t.Helper()
	text := readText(t, path)
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say: %s", path, want)
		}
	}
}

const imageUser = 65532

func TestImage(t *testing.T) {
	user := fmt.Sprintf("%d:%d", imageUser, imageUser)
	holds(t, "Dockerfile", "FROM gcr.io/distroless/static", "USER "+user, "--chown="+user,
		`CMD ["/usr/bin/caddy", "attest", "health"]`, `"/etc/caddy/Caddyfile"`, `VOLUME ["/data", "/config"]`)
}

// Compose builds the image that there is, and publishes the ports that its Caddyfile
// listens on; every secret, variable and volume that one names the other one has.
func TestComposeAgrees(t *testing.T) {
	const path, config = "examples/redis/compose.yaml", "examples/redis/Caddyfile"
	compose := documents(t, path)[0]
	for name, port := range map[string]string{"gateway-1": "443:8443", "gateway-2": "8443:8443"} {
		gateway := at(t, compose, "services", name)
		if at(t, gateway, "build") != "../.." || at(t, gateway, "read_only") != true || at(t, gateway, "ports", 0) != port {
			t.Errorf("%s: %v", name, gateway)
		}
		if volume := fmt.Sprint(at(t, gateway, "volumes", 1)); volume != name+":/data" || at(t, compose, "volumes", name) == nil {
			t.Errorf("%s keeps its data in %s", name, volume)
		}
		for variable := range at(t, gateway, "environment").(map[string]any) {
			if !regexp.MustCompile(`\{(env\.|\$)` + variable + `\b`).MatchString(readText(t, config)) {
				t.Errorf("nobody reads %s", variable)
			}
		}
		for _, secret := range at(t, gateway, "secrets").([]any) {
			if at(t, compose, "secrets", secret) == nil {
				t.Errorf("no secret %s", secret)
			}
			holds(t, config, fmt.Sprintf("{file./run/secrets/%s}", secret))
		}
	}
	holds(t, config, "https_port 8443", "reverse_proxy app:9000")
	if fmt.Sprint(at(t, compose, "services", "app", "command", 2)) != ":9000" {
		t.Error("the app listens elsewhere")
	}
}

// The manifest's parts name each other, and the Caddyfile in it.
func TestManifestAgrees(t *testing.T) {
	const path = "deploy/kubernetes/attest.yaml"
	parts := map[string]map[string]any{}
	for _, d := range documents(t, path) {
		parts[fmt.Sprint(d["kind"])] = d
	}
	config := fmt.Sprint(at(t, parts["ConfigMap"], "data", "Caddyfile"))
	deployment := parts["Deployment"]
	pod := at(t, deployment, "spec", "template", "spec")
	container := at(t, pod, "containers", 0)
	if at(t, pod, "securityContext", "runAsUser") != imageUser || at(t, container, "securityContext", "readOnlyRootFilesystem") != true {
		t.Errorf("runs as %v", at(t, pod, "securityContext"))
	}
	for _, probe := range []string{"readinessProbe", "livenessProbe"} {
		get := at(t, container, probe, "httpGet")
		if !strings.Contains(config, fmt.Sprint("health ", at(t, get, "path"))) || at(t, get, "port") != at(t, container, "ports", 0, "name") {
			t.Errorf("%s asks %v", probe, get)
		}
	}
	if port := at(t, container, "ports", 0, "containerPort"); !strings.Contains(config, fmt.Sprintf("\n:%v {", port)) {
		t.Errorf("nothing listens on %v", port)
	}
	if at(t, parts["Service"], "spec", "ports", 0, "targetPort") != at(t, container, "ports", 0, "name") {
		t.Error("the service leads elsewhere")
	}
	label := at(t, deployment, "spec", "template", "metadata", "labels", "app")
	for name, got := range map[string]any{
		"deployment": at(t, deployment, "spec", "selector", "matchLabels", "app"),
		"service":    at(t, parts["Service"], "spec", "selector", "app"),
		"budget":     at(t, parts["PodDisruptionBudget"], "spec", "selector", "matchLabels", "app"),
		"policy":     at(t, parts["NetworkPolicy"], "spec", "ingress", 0, "from", 0, "podSelector", "matchLabels", "app"),
	} {
		if got != label {
			t.Errorf("the %s selects %v", name, got)
		}
	}
	app := fmt.Sprintf("reverse_proxy %v:%v", at(t, parts["NetworkPolicy"], "spec", "podSelector", "matchLabels", "app"), at(t, parts["NetworkPolicy"], "spec", "ingress", 0, "ports", 0, "port"))
	if !strings.Contains(config, app) {
		t.Errorf("the policy is about another app than the Caddyfile: %s", app)
	}
	mounts := map[string]bool{}
	for _, mount := range at(t, container, "volumeMounts").([]any) {
		mounts[fmt.Sprint(at(t, mount, "mountPath"))] = true
	}
	for _, want := range []string{"/etc/caddy", "/data", "/config", "/run/secrets/attest"} {
		if !mounts[want] {
			t.Errorf("nothing is mounted at %s", want)
		}
	}
	for _, secret := range []string{"secret", "redis-url"} {
		holds(t, path, "--from-literal="+secret+"=", "{file./run/secrets/attest/"+secret+"}")
	}
}

// A release is what xcaddy.sh builds, for every system that it is built for.
func TestReleaseIsWhatXcaddyBuilds(t *testing.T) {
	build := at(t, documents(t, ".goreleaser.yaml")[0], "builds", 0)
	tags := []string{}
	for _, tag := range at(t, build, "tags").([]any) {
		tags = append(tags, fmt.Sprint(tag))
	}
	holds(t, "xcaddy.sh", "-tags "+strings.Join(tags, ","), "-ldflags '-w -s'", "-trimpath", "CGO_ENABLED=0", fmt.Sprint(at(t, build, "main")))
	holds(t, "Makefile", "-tags "+strings.Join(tags, ","))
	for _, file := range at(t, documents(t, ".goreleaser.yaml")[0], "archives", 0, "files").([]any) {
		if _, err := os.Stat(fmt.Sprint(file)); err != nil {
			t.Error(err)
		}
	}
}

// Every script that a workflow runs is there, every workflow is YAML, and dependabot looks
// into folders that exist.
func TestWorkflows(t *testing.T) {
	script := regexp.MustCompile(`\.ci/[a-z-]+`)
	for _, path := range []string{".github/workflows/ci.yml", ".github/workflows/release.yml"} {
		if at(t, documents(t, path)[0], "permissions", "contents") == nil {
			t.Errorf("%s: no permissions", path)
		}
		for _, name := range script.FindAllString(readText(t, path), -1) {
			if info, err := os.Stat(name); err != nil || info.Mode()&0o111 == 0 {
				t.Errorf("%s runs %s: %v", path, name, err)
			}
		}
	}
	for _, update := range at(t, documents(t, ".github/dependabot.yml")[0], "updates").([]any) {
		folders, _ := at(t, update, "directories").([]any)
		for _, folder := range append(folders, at(t, update, "directory")) {
			if _, err := os.Stat(fmt.Sprintf(".%v", folder)); folder != nil && err != nil {
				t.Error(err)
			}
		}
	}
	documents(t, ".golangci.yml")
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
	// 0 is locked in, 10 is open; a service without a line of hardening has 9.2.
	if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=18", unit).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
