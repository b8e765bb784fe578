package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// A description is the OpenAPI document, read for checking answers against it.
type description map[string]any

var readDescription = sync.OnceValue(func() description {
	text, err := os.ReadFile("api/openapi.json")
	if err != nil {
		panic(err)
	}
	doc, err := strictjson.Object(text)
	if err != nil {
		panic(err)
	}
	return doc
})

// paths are the operations by path and method in lower case.
func (d description) paths() map[string]any { return d["paths"].(map[string]any) }

// path is the path of the document that means p.
func (d description) path(p string) (string, bool) {
	best, found := "", false
	for pattern := range d.paths() {
		if fits(pattern, p) && (!found || strings.Count(pattern, "{") < strings.Count(best, "{")) {
			best, found = pattern, true
		}
	}
	return best, found
}

func fits(pattern, p string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(p, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if want[i] != have[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}

// answer is the schema of what an operation answers with 200.
func (d description) answer(path, method string) any {
	operation := d.paths()[path].(map[string]any)[strings.ToLower(method)].(map[string]any)
	done := operation["responses"].(map[string]any)["200"].(map[string]any)
	return done["content"].(map[string]any)["application/json"].(map[string]any)["schema"]
}

// described checks an answer of the API against the document.
func described(t *testing.T, r *http.Request, rec *httptest.ResponseRecorder) {
	t.Helper()
	d := readDescription()
	body, err := strictjson.Object(rec.Body.Bytes())
	if err != nil {
		t.Errorf("%s %s: not JSON: %v", r.Method, r.URL.Path, err)
		return
	}
	schema := any(map[string]any{"$ref": "#/components/schemas/Error"})
	if rec.Code == http.StatusOK {
		p, known := d.path(r.URL.Path)
		if !known {
			return // another spelling of a path, or the metadata of an issuer with a path
		}
		schema = d.answer(p, r.Method)
	}
	for _, fault := range d.check(schema, body, r.Method+" "+r.URL.Path+" "+fmt.Sprint(rec.Code)) {
		t.Error(fault)
	}
	if number, ok := body["status_code"].(json.Number); ok && number.String() != fmt.Sprint(rec.Code) {
		t.Errorf("%s %s: status_code is %s, the status %d", r.Method, r.URL.Path, number, rec.Code)
	}
}

// check validates v against the part of JSON Schema that the document uses. It is
// stricter in one thing: what an object of ours may have beside its properties
// must be said.
func (d description) check(schema, v any, where string) []string {
	s := d.resolve(schema)
	if choices, has := s["anyOf"].([]any); has {
		return d.checkAny(choices, v, where)
	}
	if want, has := s["type"].(string); has && want != typeOf(v) {
		return []string{fmt.Sprintf("%s: is %s, want %s", where, typeOf(v), want)}
	}
	if list, has := s["enum"].([]any); has && !slices.Contains(list, v) {
		return []string{fmt.Sprintf("%s: %v is not among %v", where, v, list)}
	}
	switch v := v.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339, v); err != nil && s["format"] == "date-time" {
			return []string{fmt.Sprintf("%s: %q is no timestamp", where, v)}
		}
	case []any:
		return d.checkItems(s, v, where)
	case map[string]any:
		return d.checkObject(s, v, where)
	}
	return nil
}

func (d description) resolve(schema any) map[string]any {
	s := schema.(map[string]any)
	if ref, has := s["$ref"].(string); has {
		return at(map[string]any(d), strings.ReplaceAll(strings.TrimPrefix(ref, "#/"), "/", ".")).(map[string]any)
	}
	return s
}

func (d description) checkAny(schemas []any, v any, where string) []string {
	var faults []string
	for _, schema := range schemas {
		faults = d.check(schema, v, where)
		if len(faults) == 0 {
			return nil
		}
	}
	return faults
}

func (d description) checkItems(s map[string]any, list []any, where string) (faults []string) {
	for i, v := range list {
		if items, has := s["items"]; has {
			faults = append(faults, d.check(items, v, fmt.Sprintf("%s[%d]", where, i))...)
		}
	}
	return faults
}

func (d description) checkObject(s, o map[string]any, where string) (faults []string) {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, has := o[name.(string)]; !has {
			faults = append(faults, fmt.Sprintf("%s: lacks %s", where, name))
		}
	}
	properties, _ := s["properties"].(map[string]any)
	for name, v := range o {
		switch schema, known := properties[name]; {
		case known:
			faults = append(faults, d.check(schema, v, where+"."+name)...)
		case s["additionalProperties"] == nil:
			faults = append(faults, fmt.Sprintf("%s: has %s, which is not described", where, name))
		case s["additionalProperties"] != true:
			faults = append(faults, d.check(s["additionalProperties"], v, where+"."+name)...)
		}
	}
	return faults
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return "number"
		}
		return "integer"
	}
	return "object"
}
