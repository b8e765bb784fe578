package caddymodule

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// referencePage is docs/caddyfile.md, made from the grammar's own words.
func referencePage() string {
	page := `# The configuration language

This page is printed by ` + "`caddy attest reference`" + `; ` + "`caddy attest reference <word>`" + ` prints one line
and its block. Every word is here; what is not here is refused by ` + "`caddy adapt`" + `, with file, line
and the words that are allowed there. [profiles.md](profiles.md) and [routes.md](routes.md) say what
they are for, and the documentation of the JSON fields (` + "`go doc`" + `, Caddy's module documentation) each
option's bounds and default.

`
	for _, part := range []struct {
		title string
		manual
	}{
		{"The global block", globalManual}, {"`attest`: admit requests", routeManual},
		{"`attest_api`: keys and the session API", apiManual}, {"`attest_desk`: the operator's page", deskManual},
	} {
		page += "## " + part.title + "\n\n```\n" + part.manual(true) + "```\n\n"
	}
	return page + `Placeholders of the forms {env.NAME} and {file.PATH} are replaced in secrets, issuers, audiences,
URLs, files and addresses, once, when the configuration is loaded; nowhere else.
`
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
