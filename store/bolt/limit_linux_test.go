package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/attestgate/caddy-attest/store"
)

const limitVariable = "BOLT_TEST_LIMIT"

// A process that may not write a file as long as it needs is reported that the store is
// full, and goes on reading.
func TestLimitOfAFilesSize(t *testing.T) {
	if os.Getenv(limitVariable) == "" {
		child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), limitVariable+"=1")
		out, err := child.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
			t.Fatalf("%v: %s", err, out)
		}
		return
	}
	s := open(t, filepath.Join(t.TempDir(), "sessions.db"), nil)
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	var err error
	written := 0
	for ; err == nil && written < 1000; written++ {
		err = s.Apply(t.Context(), "p", op(fmt.Sprintf("k%d", written), strings.Repeat("x", 5000), 0))
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d records: %v, want %v", written, err, store.ErrFull)
	}
	if r := get(t, s, "k0"); !r.Exists() {
		t.Error("what was acknowledged is gone")
	}
}
