package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

const root = ".." // of the repository

// built is the program under test, made when the first test asks for it: whoever
// only lists the tests waits for nothing.
var built sync.Once

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "attest-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary.path = filepath.Join(dir, "caddy")
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary is where the program lies, or why it does not.
var binary struct {
	path string
	err  error
}

// program is the path of the caddy under test.
func program(t *testing.T) string {
	t.Helper()
	if given := os.Getenv("ATTEST_CADDY"); given != "" {
		return given
	}
	built.Do(func() { binary.err = build(binary.path) })
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// build makes the program as xcaddy.sh does, so that both share what Go has
// already compiled.
func build(path string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-w -s", "-tags", "nobadger,nomysql,nopgx", "-o", path, "./cmd/caddy")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}
