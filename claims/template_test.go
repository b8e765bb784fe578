package claims_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func parse(t failing, text string) *claims.Template {
	t.Helper()
	template, err := policy.ParseTemplate("test", text)
	if err != nil {
		t.Fatal(err)
	}
	return template
}

func TestNilTemplate(t *testing.T) {
	var none *claims.Template
	if got := none.Render(claims.Variables{"member": claims.Object{"name": "Ada"}}); got == nil || len(got) != 0 {
		t.Errorf("renders %#v", got)
	}
	if none.Digest() != [32]byte{} {
		t.Error("has a digest")
	}
	if got, err := policy.Effective(nil, nil, claims.Overlay{}); err != nil || got == nil || len(got) != 0 {
		t.Errorf("effective: %#v, %v", got, err)
	}
}

func TestDigestIsOfTheText(t *testing.T) {
	const text = `{"a": {{ member.name }}}`
	if got := parse(t, text).Digest(); got != sha256.Sum256([]byte(text)) {
		t.Errorf("got %x", got)
	}
	if parse(t, `{"a":{{ member.name }}}`).Digest() == parse(t, text).Digest() {
		t.Error("two texts have one digest")
	}
}

func TestSyntaxErrorsSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"{\n  \"a\": {{ member.nmae }}\n}": `claims: template 2:11: unknown variable "member.nmae"`,
		`{"a": "{{ member.name }}"}`:       `claims: template 1:8: a variable inside a string; write it alone, without quotes`,
		`{ {{ member.name }}: 1}`:          `claims: template 1:3: a variable cannot be a name`,
		`{"x{{ member.name }}": 1}`:        `claims: template 1:4: a variable cannot be part of a name`,
		`{"a": {{ member.name }`:           `claims: template 1:7: {{ without }}`,
		`{"a": }}`:                         `claims: template 1:7: expected a value, found }} without {{`,
		`{"a": {{ member.name, 1 }}}`:      `claims: template 1:22: a tag holds the path of one variable and nothing else`,
		`{"a": {{ member.rbac.x }}}`:       `claims: template 1:10: variable "member.rbac.x": expected member.rbac.roles or member.rbac.<resource>.actions`,
		`{"a": {{ member.name.x }}}`:       `claims: template 1:10: variable "member.name.x": nothing stands below member.name`,
		`{"a": {{ member..x }}}`:           `claims: template 1:10: variable "member..x" has an empty segment`,
		`{"a": 1 "b": 2}`:                  `claims: template 1:9: expected , or }`,
		`{"a": [1 2]}`:                     `claims: template 1:10: expected , or ]`,
		`{"a": x}`:                         `claims: template 1:7: expected a value`,
		`{"Plan": 1, "plan": 2}`:           `claims: template 1:13: the name "plan" stands here already (upper and lower case are one)`,
		`{"exp": 1}`:                       `claims: template 1:2: "exp" is a reserved name`,
		`[]`:                               `claims: template 1:1: a template is a JSON object`,
		"{\"a\": \"\xff\"}":                `claims: template 1:8: not UTF-8`,
		"{\"\ufffd\": 1, \"b\xc3\": 2}":    `claims: template 1:12: not UTF-8`,
	} {
		if _, err := policy.ParseTemplate("test", text); err == nil || err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

func TestTemplateTextIsBounded(t *testing.T) {
	longest := `{` + strings.Repeat(" ", claims.MaxTemplateBytes-2) + `}`
	parse(t, longest)
	for name, text := range map[string]string{
		"one byte too long": longest + " ",
		"brackets":          strings.Repeat("[", 1<<20),
		"fixed claims that cannot fit": `{"a": {{ member.name }}, "b": "` +
			strings.Repeat("x", claims.MaxBytes-len(`{"b":""}`)+1) + `"}`,
	} {
		_, err := policy.ParseTemplate("test", text)
		var syntax *claims.SyntaxError
		if !errors.As(err, &syntax) || syntax.Code != claims.CodeTooLarge {
			t.Errorf("%s: got %v", name, err)
		}
	}
	parse(t, `{"a": {{ member.name }}, "b": "`+strings.Repeat("x", claims.MaxBytes-len(`{"b":""}`))+`"}`)
}

// What is rendered belongs to whoever asked for it: the metadata it came from is
// that of a cached member.
func TestRenderSharesNothing(t *testing.T) {
	variables := claims.Variables{
		"member": claims.Object{
			"trusted_metadata": claims.Object{"o": claims.Object{"x": "1"}, "l": []any{claims.Object{"y": "2"}}},
			"rbac":             claims.Object{"roles": []string{"a"}, "r": claims.Object{"actions": []any{"b"}}},
		},
	}
	template := parse(t, `{"m": {{ member.trusted_metadata }}, "r": {{ member.rbac.roles }}, "a": {{ member.rbac.r.actions }}, "l": [{"z": "3"}]}`)
	want := template.Render(variables)
	scribble(template.Render(variables))
	scribble(template.Render(claims.Variables{}))
	same(t, template.Render(variables), want)
}

func TestTemplatesMayBeShared(t *testing.T) {
	template := parse(t, `{"a": {{ member.trusted_metadata }}, "b": [{"c": {{ member.name }}}]}`)
	var group sync.WaitGroup
	for i := range 4 {
		name := fmt.Sprint("member ", i)
		variables := claims.Variables{"member": claims.Object{"name": name, "trusted_metadata": claims.Object{"n": name}}}
		group.Go(func() {
			want := claims.Object{"a": claims.Object{"n": name}, "b": []any{claims.Object{"c": name}}}
			for range 100 {
				if got := template.Render(variables); !reflect.DeepEqual(got, want) {
					t.Errorf("got %v", got)
				}
			}
		})
	}
	group.Wait()
}

// Render leaves out what JSON cannot express; Effective does not mint without it.
func TestVariablesThatJSONCannotExpress(t *testing.T) {
	template := parse(t, `{"before": 1, "claim": {"x": [{{ member.trusted_metadata.v }}]}, "after": 2}`)
	for name, c := range map[string]struct {
		value any
		code  string
	}{
		"bad UTF-8":  {"\xff", claims.CodeUnrepresentable},
		"bad number": {json.Number("1,2"), claims.CodeUnrepresentable},
		"channel":    {make(chan int), claims.CodeUnrepresentable},
		"cycle":      {cycle(), claims.CodeTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			variables := claims.Variables{"member": claims.Object{"trusted_metadata": claims.Object{"v": c.value}}}
			rendered := template.Render(variables)
			if rendered["before"] != json.Number("1") || rendered["after"] != json.Number("2") {
				t.Errorf("renders %v", rendered)
			}
			if _, err := strictjson.Marshal(rendered); err != nil {
				t.Errorf("what is rendered cannot be written: %v", err)
			}
			_, err := policy.Effective(template, variables, claims.Overlay{})
			var refused *claims.Error
			if !errors.As(err, &refused) || refused.Code != c.code || refused.Claim != "claim" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A template of literals is the JSON it is, null members and elements apart.
func TestLiteralsAreThemselves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := objects(3).Draw(t, "object")
		text, err := strictjson.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		same(t, parse(t, string(text)).Render(nil), any(withoutNullElements(withoutNulls(want))))
	})
}

func withoutNullElements(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = withoutNullElements(member)
		}
	case []any:
		out := []any{}
		for _, element := range v {
			if element != nil {
				out = append(out, withoutNullElements(element))
			}
		}
		return out
	}
	return v
}

// FuzzTemplate: any text is refused with a place inside it, or renders to JSON
// that a strict reader takes, the same each time, and does what a JSON text with
// the values in it would do.
func FuzzTemplate(f *testing.F) {
	for _, file := range []string{"testdata/template.json", "testdata/template_errors.json", "testdata/hasura.json"} {
		for _, v := range readVectors(f, file) {
			f.Add(v.text(), `{"a":{"b":[1,null,{"c":null}]},"roles":["x"],"n":1.50}`)
		}
	}
	f.Fuzz(func(t *testing.T, text, metadata string) {
		template, err := policy.ParseTemplate("test", text)
		if err != nil {
			checkPlace(t, text, err)
			return
		}
		variables := claims.Variables{
			"member":       claims.Object{"name": "Ada", "trusted_metadata": parsed(t, metadata)},
			"organization": claims.Object{"trusted_metadata": parsed(t, metadata)},
		}
		rendered := template.Render(variables)
		same(t, template.Render(variables), rendered)
		same(t, rendered, withoutNulls(rendered))
		checkEffective(t, template, variables, rendered, brackets(text)+brackets(metadata) > claims.MaxDepth)
		if literal, err := strictjson.Object([]byte(text)); err == nil {
			same(t, rendered, withoutNullElements(withoutNulls(literal)))
		}
	})
}

func checkPlace(t *testing.T, text string, err error) {
	var syntax *claims.SyntaxError
	if !errors.As(err, &syntax) || syntax.Code == "" || syntax.Message == "" {
		t.Fatalf("got %#v", err)
	}
	lines := strings.Split(text, "\n")
	if syntax.Line < 1 || syntax.Line > len(lines) || syntax.Column < 1 ||
		syntax.Column > 1+len([]rune(lines[syntax.Line-1])) {
		t.Fatalf("%v is outside %q", err, text)
	}
}

// brackets bounds how deep a template and the values in it can nest together.
func brackets(text string) int { return strings.Count(text, "[") + strings.Count(text, "{") }

// checkEffective holds that Effective lets through what is within every limit,
// and nothing else. What mayBeDeep was rendered without the variable that is.
func checkEffective(t *testing.T, template *claims.Template, variables claims.Variables, rendered claims.Object, mayBeDeep bool) {
	effective, err := policy.Effective(template, variables, claims.Overlay{})
	text, unreadable := strictjson.Marshal(rendered)
	if unreadable == nil {
		_, unreadable = strictjson.ParseDepth(text, claims.MaxDepth)
	}
	fits := unreadable == nil && len(text) <= claims.MaxBytes
	switch {
	case err == nil && !fits:
		t.Fatalf("%d bytes of claims were let through (%v)", len(text), unreadable)
	case err != nil && fits && !mayBeDeep:
		t.Fatalf("%d bytes of claims were refused: %v", len(text), err)
	case err == nil:
		same(t, effective, rendered)
	}
	for name := range rendered {
		if policy.Reserved(name) {
			t.Fatalf("the template speaks the reserved name %q", name)
		}
	}
}

// Editors on Windows write one before the text.
func TestTemplateFileWithAByteOrderMark(t *testing.T) {
	same(t, parse(t, "\ufeff{\"a\": 1}").Render(nil), parse(t, `{"a": 1}`).Render(nil))
	var mistake *claims.SyntaxError
	if _, err := policy.ParseTemplate("test", "\ufeff{\"a\": ?}"); !errors.As(err, &mistake) || mistake.Column != 7 {
		t.Errorf("%v", err)
	}
	if _, err := policy.ParseTemplate("test", "{\ufeff}"); err == nil {
		t.Error("a byte order mark within the text was accepted")
	}
}
