package gateway_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what is generated anew")

// apiCall is a call of the OpenAPI document.
type apiCall struct {
	path, method string
	Summary      string
	Description  string
	Tags         []string
	RequestBody  struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
}

type apiSchema struct {
	Required   []string
	Properties map[string]struct {
		Type        any
		Description string
		Ref         string `json:"$ref"`
	}
}

// apiPage is docs/api.md, made from the OpenAPI document.
func apiPage(t *testing.T) string {
	t.Helper()
	var document struct {
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]apiSchema }
	}
	data, err := os.ReadFile("api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	var calls []apiCall
	for path, methods := range document.Paths {
		for method, raw := range methods {
			if method == "parameters" {
				continue
			}
			c := apiCall{path: path, method: strings.ToUpper(method)}
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			calls = append(calls, c)
		}
	}
	slices.SortFunc(calls, func(a, b apiCall) int {
		return cmp.Or(cmp.Compare(a.Tags[0], b.Tags[0]), cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	var page strings.Builder
	page.WriteString("# The session API\n\nMade from the OpenAPI document, which a gateway serves at `/v1/openapi.json`. Every call needs the\n" +
		"project's id and secret as HTTP Basic, but those marked public. Refusals are listed in\n[errors.md](errors.md). The admin API has a document of its own, `/attest/openapi.json`.\n")
	tag := ""
	for _, c := range calls {
		if c.Tags[0] != tag {
			tag = c.Tags[0]
			fmt.Fprintf(&page, "\n## %s\n", strings.ToUpper(tag[:1])+tag[1:])
		}
		fmt.Fprintf(&page, "\n### `%s %s`\n\n%s\n", c.method, c.path, wrapped(strings.TrimSpace(c.Summary+" "+c.Description)))
		writeBody(&page, c, document.Components.Schemas)
	}
	return page.String()
}

func writeBody(page *strings.Builder, c apiCall, schemas map[string]apiSchema) {
	name := c.RequestBody.Content["application/json"].Schema.Ref
	schema, ok := schemas[strings.TrimPrefix(name, "#/components/schemas/")]
	if !ok || len(schema.Properties) == 0 {
		return
	}
	page.WriteString("\n| member | |\n|---|---|\n")
	names := []string{}
	for name := range schema.Properties {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		p := schema.Properties[name]
		text := p.Description
		if slices.Contains(schema.Required, name) {
			text = "**required** " + text
		}
		fmt.Fprintf(page, "| `%s` | %s |\n", name, strings.ReplaceAll(strings.TrimSpace(text), "|", "\\|"))
	}
}

// wrapped breaks a paragraph at 100 columns.
func wrapped(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 100 {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return strings.Join(append(lines, line), "\n")
}

// TestAPIPage holds docs/api.md to the OpenAPI document.
func TestAPIPage(t *testing.T) {
	const path = "../docs/api.md"
	want := apiPage(t)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("go test ./gateway -run TestAPIPage -update writes it anew (%v)", err)
	}
}
