package caddymodule

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Of a directory nothing is read but regular files of it, by names that can be nothing else.
func TestSecretFilesAreThoseOfTheDirectory(t *testing.T) {
	dir, secret := t.TempDir(), strings.Repeat("s", 32)
	outside := filepath.Join(t.TempDir(), "outside")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(outside, secret)
	for name, text := range map[string]string{"acme": secret + "\n", "1.2": secret + "\r\n", ".hidden": secret, "a..b": secret, "a b": secret, "large": strings.Repeat("s", maxSecretFile+1)} {
		write(filepath.Join(dir, name), text)
	}
	if err := os.MkdirAll(filepath.Join(dir, "..2026", "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(filepath.Join(dir, "..2026", "mounted"), secret)
	link("..2026", "..data")
	link("..data/mounted", "mounted") // as Kubernetes mounts
	link(outside, "out")
	link("../"+filepath.Base(filepath.Dir(outside))+"/outside", "out2")
	link("..2026/below", "folder")
	got, err := (&SecretFiles{Directory: dir}).read()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(got)) {
		list = append(list, fmt.Sprintf("%s:%t", name, string(got[name]) == secret))
		if !strings.HasPrefix(secret, string(got[name])) {
			t.Errorf("%s holds something else", name)
		}
	}
	if all := strings.Join(list, " "); all != "1.2:true acme:true folder:false large:false mounted:true out:false out2:false" {
		t.Errorf("read %s", all)
	}
	if _, err := (&SecretFiles{Directory: outside}).read(); err == nil {
		t.Error("a file is taken for a directory")
	}
}
