package bolt_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/store/bolt"
)

// crashVariable makes the test binary a child that writes to the file it names.
const crashVariable = "ATTEST_BOLT_CRASH"

// writeUntilKilled raises the versions of eight records and says so on standard
// output after every acknowledgement.
func writeUntilKilled(path string) {
	s, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for worker := range 8 {
		go func() {
			key := fmt.Sprintf("k%d", worker)
			records, _ := s.Get(context.Background(), "p", key)
			for v := records[0].Version; ; v++ {
				if err := s.Apply(context.Background(), "p", op(key, strings.Repeat("x", 500), v)); err != nil {
					fmt.Println(err)
					os.Exit(1)
				}
				fmt.Printf("%s %d\n", key, v+1)
			}
		}()
	}
	select {}
}

// F23: killed in the middle of writing, again and again, nothing acknowledged is
// lost and the file opens at once.
func TestKilledMidWriteKeepsWhatWasAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sessions.db")
	for round := range 3 {
		acknowledged := crash(t, path, 200*(round+1))
		s := open(t, path, nil)
		for key, version := range acknowledged {
			if r := get(t, s, key); r.Version < version || len(r.Value) != 500 {
				t.Errorf("round %d: %s is at version %d, want at least %d", round, key, r.Version, version)
			}
		}
		s.Close()
	}
}

// crash lets a child write until so many writes are acknowledged, kills it, and
// returns the versions it had acknowledged by then.
func crash(t *testing.T, path string, writes int) map[string]uint64 {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashVariable+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]uint64{}
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == writes {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		key, version, _ := strings.Cut(lines.Text(), " ")
		v, err := strconv.ParseUint(version, 10, 64)
		if err != nil {
			if n < writes {
				t.Fatalf("the child says %q", lines.Text())
			}
			break // cut off by the kill
		}
		acknowledged[key] = max(acknowledged[key], v)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the child ended by itself")
	}
	if len(acknowledged) != 8 {
		t.Fatalf("%d of 8 writers got anywhere", len(acknowledged))
	}
	return acknowledged
}
