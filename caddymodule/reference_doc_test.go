package caddymodule

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A usageLine is one line of the printed reference, with the lines of its block.
type usageLine struct {
	usage, help string
	block       []*usageLine
}

// usageLines reads the printed reference back: indentation is the block, what follows # is
// the help.
func usageLines(reference string) *usageLine {
	root := &usageLine{}
	open := []*usageLine{root}
	for text := range strings.Lines(reference) {
		trimmed := strings.TrimLeft(text, "\t")
		depth := len(text) - len(trimmed)
		usage, help, _ := strings.Cut(strings.TrimSpace(trimmed), " # ")
		if usage = strings.TrimSpace(usage); usage == "}" || usage == "" {
			continue
		}
		line := &usageLine{usage: strings.TrimSuffix(usage, " {"), help: help}
		open = open[:depth+1]
		open[depth].block = append(open[depth].block, line)
		open = append(open, line)
	}
	return root.block[0]
}

func (l *usageLine) word() string {
	word, _, _ := strings.Cut(l.usage, " ")
	return word
}

// code is a text as code in the cell of a table.
func code(text string) string { return "`" + strings.ReplaceAll(text, "|", `\|`) + "`" }

// cell is a help text as the cell of a table.
func cell(text string) string { return strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(text) }

// rows are a block's lines, each followed by those of its own block.
func (l *usageLine) rows(page *strings.Builder, above string) {
	for _, line := range l.block {
		if line.help != "" {
			fmt.Fprintf(page, "| %s%s | %s |\n", above, code(line.usage), cell(line.help))
		}
		line.rows(page, above+code(line.word())+" ")
	}
}

const tableHead = "| line | what it is for |\n|---|---|\n"

// sections writes a table of the block's lines, and one for each line that has a block.
func (l *usageLine) sections(page *strings.Builder) {
	page.WriteString(tableHead)
	for _, line := range l.block {
		shown := code(line.usage)
		if line.block != nil {
			shown = fmt.Sprintf("[%s](#%s)", shown, line.word())
		}
		fmt.Fprintf(page, "| %s | %s |\n", shown, cell(line.help))
	}
	for _, line := range l.block {
		if line.block != nil {
			fmt.Fprintf(page, "\n### `%s`\n\n`%s`\n\n%s.\n\n%s", line.word(), line.usage, upperFirst(line.help), tableHead)
			line.rows(page, "")
		}
	}
}

func upperFirst(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// referencePage is docs/caddyfile.md, made from the grammar's own words.
func referencePage() string {
	var page strings.Builder
	page.WriteString(`# The configuration language

Made from the grammar that the parser follows: every word is here, and what is not here is refused
by ` + "`caddy adapt`" + ` with file, line and the words that are allowed there. In a terminal, ` + "`caddy attest\nreference [<word>]`" + ` prints the same. [profiles.md](profiles.md) and [routes.md](routes.md) say what
the words are for, [recipes.md](recipes.md) shows whole files, and the documentation of the JSON
fields (` + "`go doc`" + `, Caddy's module documentation) has each option's bounds.

` + "`<name>`" + ` stands for a text of yours, ` + "`[…]`" + ` may be left out, ` + "`|`" + ` is a choice and ` + "`...`" + ` takes
several. A line that is shown after another word stands in that word's block. Placeholders of the
forms ` + "`{env.NAME}`" + ` and ` + "`{file.PATH}`" + ` are replaced in secrets, issuers, audiences, URLs, files and
addresses, once, when the configuration is loaded; nowhere else.

## The global block

`)
	usageLines(globalManual(true)).sections(&page)
	for _, directive := range []struct {
		title string
		manual
	}{
		{"`attest`: admit requests", routeManual},
		{"`attest_api`: keys and the session API", apiManual},
		{"`attest_verify`: answer other proxies", verifyManual},
		{"`attest_desk`: the operator's page", deskManual},
		{"`@<name> attest`: match requests by whom was admitted", matcherManual},
	} {
		lines := usageLines(directive.manual(true))
		fmt.Fprintf(&page, "\n## %s\n\n`%s`\n\n%s", directive.title, lines.usage, tableHead)
		lines.rows(&page, "")
	}
	return page.String()
}

// TestReferencePage holds docs/caddyfile.md to the grammar.
func TestReferencePage(t *testing.T) {
	const path = "../docs/caddyfile.md"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(referencePage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(referencePage(), string(got)); diff != "" {
		t.Errorf("go test -run TestReferencePage -update writes it anew (-want +got)\n%s", diff)
	}
}

// No line of the reference is without a word of what it is for.
func TestEveryWordIsExplained(t *testing.T) {
	var look func(l *usageLine)
	look = func(l *usageLine) {
		for _, line := range l.block {
			if line.help == "" && len(line.block) == 0 { // a word that has a line of its own too
				t.Errorf("%s: no help", line.usage)
			}
			look(line)
		}
	}
	for _, manual := range []manual{globalManual, routeManual, apiManual, verifyManual, deskManual, matcherManual} {
		look(usageLines(manual(true)))
	}
}
