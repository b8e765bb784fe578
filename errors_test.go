package attest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	documentedCode = regexp.MustCompile(`<a id="(\w+)">`)
	tableOfCodes   = regexp.MustCompile(`Problem\{"\w+"`)
)

// A code that nothing can answer is documented in vain: somebody writes a case for
// it. Beside its line in the table of problems each has a place that answers it.
func TestEveryDocumentedErrorCanHappen(t *testing.T) {
	data, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	code := sources(t)
	documented := documentedCode.FindAllStringSubmatch(string(data), -1)
	if len(documented) < 50 {
		t.Fatalf("only %d codes are documented", len(documented))
	}
	for _, m := range documented {
		if !strings.Contains(code, `"`+m[1]+`"`) {
			t.Errorf("nothing answers %s", m[1])
		}
	}
}

// sources is all code but tests, without the table of codes.
func sources(t *testing.T) string {
	var b strings.Builder
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		data, err := os.ReadFile(path)
		b.Write(tableOfCodes.ReplaceAll(data, nil))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// reasons are what places call a reason: because, RefuseFor, a field, or the second
// result of the functions that classify errors.
var reasons = regexp.MustCompile(`because\("(\w+)"\)|RefuseFor\("\w+", "(\w+)"\)|Reason: "(\w+)"|return "\w+", "(\w+)"`)

// Every reason that an operator may read is documented.
func TestEveryReasonIsDocumented(t *testing.T) {
	data, err := os.ReadFile("docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range reasons.FindAllStringSubmatch(sources(t), -1) {
		reason := strings.Join(m[1:], "")
		if found++; !strings.Contains(string(data), "`"+reason+"`") {
			t.Errorf("docs/errors.md does not name %s", reason)
		}
	}
	if found < 30 {
		t.Errorf("only %d reasons were found", found)
	}
}
