package caddymodule_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/google/go-cmp/cmp"

	_ "github.com/attestgate/caddy-attest/caddymodule"
)

var update = flag.Bool("update", false, "rewrite the expected halves of testdata")

const divider = "\n----------\n"

// TestAdapt walks testdata/adapt: a Caddyfile, a line of ten dashes, and the JSON
// or the error that comes of it. Drop a file there, get a test.
func TestAdapt(t *testing.T) {
	for _, path := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".caddyfiletest"), func(t *testing.T) {
			input, want := golden(t, path)
			got := adapt(t, input)
			if *update {
				write(t, path, input+divider+got+"\n")
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestAdaptInputsAreFormatted keeps the Caddyfiles of the tests as `caddy fmt`
// would leave them.
func TestAdaptInputsAreFormatted(t *testing.T) {
	for _, path := range goldens(t) {
		if input, _ := golden(t, path); input+"\n" != string(caddyfile.Format([]byte(input))) {
			t.Errorf("%s is not formatted", path)
		}
	}
}

// TestShippedCaddyfiles holds what `caddy fmt` and `caddy adapt` say of every
// Caddyfile that users are given.
func TestShippedCaddyfiles(t *testing.T) {
	paths := []string{"../Caddyfile.example"}
	for _, pattern := range []string{"../examples/*.Caddyfile", "../examples/*/Caddyfile"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, more...)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			input, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(input, caddyfile.Format(input)) {
				t.Error("caddy fmt would change it")
			}
			if got := adapt(t, string(input)); !strings.HasPrefix(got, "{") {
				t.Error(got)
			}
		})
	}
}

// TestDocumentedCaddyfiles holds the same of every whole file in the documents.
func TestDocumentedCaddyfiles(t *testing.T) {
	paths, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(paths, "../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```caddyfile\n(.*?)```").FindAllSubmatch(text, -1) {
			found++
			if !bytes.Equal(block[1], caddyfile.Format(block[1])) {
				t.Errorf("%s: caddy fmt would change\n%s", path, block[1])
			}
			if got := adapt(t, string(block[1])); !strings.HasPrefix(got, "{") {
				t.Errorf("%s: %s\n%s", path, got, block[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("found %d files", found)
	}
}

// adapt is what Caddy makes of a Caddyfile: indented JSON, or the error's text.
func adapt(t *testing.T, input string) string {
	t.Helper()
	out, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(strings.TrimSpace(input)+"\n"), nil)
	if err != nil {
		return err.Error()
	}
	for _, w := range warnings {
		t.Errorf("warning: %s", w)
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, out, "", "\t"); err != nil {
		t.Fatal(err)
	}
	return indented.String()
}

func goldens(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	return paths
}

// golden reads both halves of a test.
func golden(t *testing.T, path string) (input, want string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	input, want, _ = strings.Cut(string(data), divider)
	return strings.TrimSpace(input), strings.TrimSpace(want)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
