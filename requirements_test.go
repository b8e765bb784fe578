package attest_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const notYet = "\n## Not yet\n"

var (
	definedID = regexp.MustCompile(`(?m)^- \*\*([A-Z]-?\d\d)\*\* `)
	citedID   = regexp.MustCompile(`\b(?:[ACDEHJKMPRSTX]-\d\d|F\d\d)\b`)
)

// Every requirement that a test names is one, and every one is named by a test or
// said to be missing.
func TestRequirementsAreDefinedAndCited(t *testing.T) {
	data, err := os.ReadFile("docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	held, later, found := strings.Cut(string(data), notYet)
	if !found {
		t.Fatal("docs/requirements.md has no section of what is missing")
	}
	defined, missing, cited := idsOf(definedID, held), idsOf(definedID, later), citedRequirements(t)
	if len(defined) < 50 || len(cited) < 50 {
		t.Fatalf("only %d ids are defined, and %d cited", len(defined), len(cited))
	}
	for _, id := range slices.Sorted(maps.Keys(cited)) {
		if !defined[id] {
			t.Errorf("a test cites %s; docs/requirements.md does not define it, or says that no test cites it", id)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(defined)) {
		if !cited[id] || missing[id] {
			t.Errorf("%s is not cited by a test, or is defined twice", id)
		}
	}
}

func idsOf(form *regexp.Regexp, text string) map[string]bool {
	ids := map[string]bool{}
	for _, m := range form.FindAllStringSubmatch(text, -1) {
		ids[m[len(m)-1]] = true
	}
	return ids
}

func citedRequirements(t *testing.T) map[string]bool {
	cited := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		data, err := os.ReadFile(path)
		maps.Copy(cited, idsOf(citedID, string(data)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return cited
}
