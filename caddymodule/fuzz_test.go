package caddymodule_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

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
	f.Fuzz(func(t *testing.T, input string) { survive(t, input) })
}

// TestParsersSurviveMutations is the same for texts that are nearly right, which
// random bytes seldom are: the tests' own with words dropped, doubled, swapped
// and put in. Deeper: go test -rapid.checks=100000.
func TestParsersSurviveMutations(t *testing.T) {
	seeds, words := mutationSeeds(t)
	rapid.Check(t, func(t *rapid.T) {
		text := slices.Clone(rapid.SampledFrom(seeds).Draw(t, "seed"))
		for range rapid.IntRange(1, 6).Draw(t, "mutations") {
			text = mutate(t, text, words)
		}
		survive(t, strings.Join(text, " "))
	})
}

// mutationSeeds are the directives of testdata/adapt, and all their words; line
// ends and braces are words too.
func mutationSeeds(t *testing.T) (seeds [][]string, words []string) {
	t.Helper()
	split := regexp.MustCompile(`\n|\S+`)
	for _, path := range goldens(t) {
		input, _ := golden(t, path)
		for _, directive := range regexp.MustCompile(`(?ms)^\t(attest|attest_api)\b.*?^\t?}`).FindAllString(input, -1) {
			seeds = append(seeds, split.FindAllString(directive, -1))
		}
	}
	for _, seed := range seeds {
		words = append(words, seed...)
	}
	return seeds, append(words, `""`, "``", "<<X\n{}\nX\n")
}

// mutate changes one place of a text.
func mutate(t *rapid.T, text, words []string) []string {
	at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
	word := rapid.SampledFrom(words).Draw(t, "word")
	switch rapid.IntRange(0, 3).Draw(t, "kind") {
	case 0:
		return append(slices.Delete(text, at, at+1), "\n")
	case 1:
		return slices.Insert(text, at, text[at:min(len(text), at+8)]...)
	case 2:
		return slices.Insert(text, at, word)
	}
	text[at] = word
	return text
}

// survive reads a text as everything that a Caddyfile can be read as.
func survive(t failer, input string) {
	tokens, err := caddyfile.Tokenize([]byte(input), "Fuzzfile")
	if err != nil || len(tokens) == 0 {
		return
	}
	for _, into := range readers() {
		err := into.UnmarshalCaddyfile(caddyfile.NewDispenser(slices.Clone(tokens)))
		if err == nil {
			roundTrip(t, into)
		} else if !fileAndLine.MatchString(err.Error()) {
			t.Errorf("%T: no file and line: %v", into, err)
		}
	}
}

// A failer is a test of either kind.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// roundTrip holds that Caddy, which sees the JSON only, sees all of it.
func roundTrip(t failer, module any) {
	t.Helper()
	first, err := json.Marshal(module)
	if err != nil {
		t.Fatalf("%T: %v", module, err)
	}
	again := module.(caddy.Module).CaddyModule().New()
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
