package caddymodule_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/caddymodule"
)

// fileAndLine is how every error of a Caddyfile ends.
var fileAndLine = regexp.MustCompile(`, at Fuzzfile:\d+`)

// readers are all the types that a Caddyfile is read into.
func readers() []caddyfile.Unmarshaler {
	return []caddyfile.Unmarshaler{
		new(caddymodule.App), new(caddymodule.Attest), new(caddymodule.API),
		new(caddymodule.MemoryStore), new(caddymodule.BoltStore), new(caddymodule.RedisStore),
	}
}

// FuzzUnmarshalCaddyfile: no token sequence makes a parser panic
// (CVE-2024-21493), every error names file and line, and what is accepted is the
// same module after a round trip through JSON.
func FuzzUnmarshalCaddyfile(f *testing.F) {
	for _, path := range fuzzSeeds(f) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		input, _, _ := strings.Cut(string(data), divider)
		f.Add(input)
		for _, block := range strings.SplitAfter(input, "\n\t}\n") {
			f.Add(strings.TrimPrefix(strings.TrimSpace(block), "{"))
		}
	}
	f.Add("attest {\n} {\n{ }\n}")
	f.Add("attest { profile a { map { } roles { } create } }")
	f.Fuzz(func(t *testing.T, input string) {
		tokens, err := caddyfile.Tokenize([]byte(input), "Fuzzfile")
		if err != nil || len(tokens) == 0 {
			return
		}
		for _, into := range readers() {
			err := into.UnmarshalCaddyfile(caddyfile.NewDispenser(append([]caddyfile.Token(nil), tokens...)))
			if err != nil {
				if !fileAndLine.MatchString(err.Error()) {
					t.Errorf("%T: no file and line: %v", into, err)
				}
				continue
			}
			roundTrip(t, into)
		}
	})
}

// roundTrip holds that Caddy, which sees the JSON only, sees all of it.
func roundTrip(t *testing.T, module any) {
	t.Helper()
	first, err := json.Marshal(module)
	if err != nil {
		t.Fatalf("%T: %v", module, err)
	}
	again := caddyModule(t, module)
	if err := caddy.StrictUnmarshalJSON(first, again); err != nil {
		t.Fatalf("%T: %v\n%s", module, err, first)
	}
	second, err := json.Marshal(again)
	if err != nil {
		t.Fatalf("%T: %v", module, err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("%T: (-read +decoded)\n%s", module, diff)
	}
}

// caddyModule is an empty module of the same kind.
func caddyModule(t *testing.T, module any) any {
	t.Helper()
	return module.(caddy.Module).CaddyModule().New()
}

func fuzzSeeds(f *testing.F) []string {
	f.Helper()
	entries, err := os.ReadDir("testdata/adapt")
	if err != nil {
		f.Fatal(err)
	}
	var paths []string
	for _, entry := range entries {
		paths = append(paths, "testdata/adapt/"+entry.Name())
	}
	return paths
}
