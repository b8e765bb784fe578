package caddymodule

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// manuals are the grammars that a doc comment shows: of UnmarshalCaddyfile, by the
// type it is a method of, or of a block.
var manuals = map[string]func(help bool) string{
	"App":         globalManual,
	"profile":     func(help bool) string { return grammar.Describe("profile", "<name>", profileBlock, help) },
	"Attest":      routeManual,
	"API":         apiManual,
	"Verify":      verifyManual,
	"Desk":        deskManual,
	"MatchAttest": matcherManual,
	"RedisStore":  func(help bool) string { return grammar.Describe("store redis", redisArgs, redisBlock, help) },
}

// TestManualIsTheGrammar holds the doc comments, which are the manual, to the
// tables, which are the parser.
func TestManualIsTheGrammar(t *testing.T) {
	found := 0
	for _, file := range sources(t) {
		for _, decl := range file.Decls {
			name, doc := documented(decl)
			manual, ok := manuals[name]
			if !ok {
				continue
			}
			found++
			if diff := cmp.Diff(ownLines(name, manual(false)), codeBlock(doc)); diff != "" {
				t.Errorf("%s: (-grammar +comment)\n%s", name, diff)
			}
		}
	}
	if found != len(manuals) {
		t.Errorf("found %d manuals of %d", found, len(manuals))
	}
}

// documented is the type whose UnmarshalCaddyfile is declared, or the block.
func documented(decl ast.Decl) (name string, doc *ast.CommentGroup) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && d.Name.Name == "UnmarshalCaddyfile" {
			return d.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name, d.Doc
		}
	case *ast.GenDecl:
		if v, ok := d.Specs[0].(*ast.ValueSpec); ok && d.Doc != nil {
			return strings.TrimSuffix(v.Names[0].Name, "Block"), d.Doc
		}
	}
	return "", nil
}

// ownLines leaves out what another manual has.
func ownLines(name, manual string) string {
	if name == "App" {
		return regexp.MustCompile(`(?s)(\tprofile <name>) \{\n.*?\n\t\}\n`).ReplaceAllString(manual, "$1 { … }\n")
	}
	return manual
}

// codeBlock is the indented part of a comment.
func codeBlock(doc *ast.CommentGroup) string {
	var text strings.Builder
	for _, comment := range doc.List {
		if line, ok := strings.CutPrefix(comment.Text, "//\t"); ok {
			text.WriteString(line + "\n")
		}
	}
	return text.String()
}

// TestReference holds the printed reference, which README shows.
func TestReference(t *testing.T) {
	const path = "testdata/reference.txt"
	got := Reference()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestEveryWordIsAdapted demands a test with a good result for every line of the
// reference.
func TestEveryWordIsAdapted(t *testing.T) {
	var good strings.Builder
	for _, text := range adaptTests(t) {
		if input, want, _ := strings.Cut(text, "\n----------\n"); strings.HasPrefix(want, "{") {
			good.WriteString(input)
		}
	}
	for _, manual := range manuals {
		for _, line := range strings.Split(manual(false), "\n") {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if word == "" || strings.ContainsAny(word, "<}") {
				continue
			}
			if !regexp.MustCompile(`(?m)^\s*` + word + `\b`).MatchString(good.String()) {
				t.Errorf("no test adapts '%s'", word)
			}
		}
	}
}

// TestEveryErrorIsShown demands a test with that result for every message that a
// parser or a rule can answer, except for those that only JSON can lead to.
func TestEveryErrorIsShown(t *testing.T) {
	var shown strings.Builder
	for _, text := range adaptTests(t) {
		if _, want, _ := strings.Cut(text, "\n----------\n"); !strings.HasPrefix(want, "{") {
			shown.WriteString(want)
		}
	}
	messages := map[string]bool{}
	for _, file := range sources(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := message(n); ok {
				messages[text] = true
			}
			return true
		})
	}
	for text := range messages {
		if pattern(text).MatchString(shown.String()) == slices.Contains(onlyJSON, text) {
			t.Errorf("no test shows, or one shows although only JSON could lead to it: %s", text)
		}
	}
	for _, text := range onlyJSON {
		if !messages[text] {
			t.Errorf("nobody says: %s", text)
		}
	}
}

// onlyJSON are the messages that no Caddyfile leads to, because the mistake
// cannot be written there. TestRulesOfJSON and its neighbours show them.
var onlyJSON = []string{
	"it decides for another proxy, and 'off' decides nothing",
	"expected a certificate and its key",
	"a duration cannot be negative",
	"expected at least one action",
	"expected either the text of a template or 'file <path>'",
	"expected the name of a file",
	"the number of entries cannot be negative",
	"unrecognized; expected %s",
	"'any' is every profile and stands alone",
	"'off' remembers no entries for no time",
}

// message is the text of a call that makes an error: Errf(text, …) or
// Refuse(place, text, …).
func message(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	at := map[string]int{"Errf": 0, "Refuse": 1}
	i, ok := at[method.Sel.Name]
	if !ok || len(call.Args) <= i {
		return "", false
	}
	literal, ok := call.Args[i].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	return text, err == nil
}

// pattern matches what a format can become.
func pattern(format string) *regexp.Regexp {
	text := regexp.QuoteMeta(format)
	for _, verb := range []string{"%s", "%v", "%w", "%d"} {
		text = strings.ReplaceAll(text, verb, ".+")
	}
	return regexp.MustCompile(text)
}

// sources are the parsed files of the package and of the grammar, without tests.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("grammar/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, path := range append(paths, more...) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// adaptTests are the texts of testdata/adapt.
func adaptTests(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/adapt/*.caddyfiletest")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(data))
	}
	return texts
}
