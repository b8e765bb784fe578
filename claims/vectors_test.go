package claims_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// A vector is one case of testdata/*.json: a template rendered for variables,
// patches sent one after the other, and what becomes of them. To add a case, add
// it to a file, or add a file.
type vector struct {
	Name string `json:"name"`
	// Template is its text, the lines of it, or an object whose text it is. Absent:
	// no template.
	Template  any              `json:"template"`
	Variables claims.Variables `json:"variables"`
	Patches   []claims.Object  `json:"patches"`
	// Claims are the effective claims; else Error says what is refused.
	Claims claims.Object `json:"claims"`
	Error  *refusal      `json:"error"`
}

// A refusal names the step that refuses: template (ParseTemplate), patch (Patch,
// of the last one), overlay (Check), or effective (Effective).
type refusal struct {
	Step  string `json:"step"`
	Code  string `json:"code"`
	At    string `json:"at"` // line:column, of a template
	Claim string `json:"claim"`
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no vectors", err)
	}
	for _, file := range files {
		for _, v := range readVectors(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".json")+"/"+v.Name, v.run)
		}
	}
}

func readVectors(tb testing.TB, file string) []vector {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var f struct {
		About   string   `json:"about"`
		Vectors []vector `json:"vectors"`
	}
	if err := strictjson.UnmarshalExact(text, &f); err != nil {
		tb.Fatalf("%s: %v", file, err)
	}
	return f.Vectors
}

func (v vector) run(t *testing.T) {
	if (v.Claims == nil) == (v.Error == nil) {
		t.Fatal("a vector has either claims or an error")
	}
	template, overlay, step, err := v.prepare()
	var got claims.Object
	if err == nil {
		step = "effective"
		got, err = policy.Effective(template, v.Variables, overlay)
	}
	if v.Error != nil {
		v.Error.check(t, step, err)
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
	if diff := cmp.Diff(v.Claims, got); diff != "" {
		t.Error(diff)
	}
	v.checkOtherWays(t, template, overlay)
}

// prepare does what a gateway does before it stores an overlay.
func (v vector) prepare() (t *claims.Template, o claims.Overlay, step string, err error) {
	if v.Template != nil {
		if t, err = policy.ParseTemplate("test", v.text()); err != nil {
			return t, o, "template", err
		}
	}
	for _, p := range v.Patches {
		next, err := policy.Patch(p)
		if err != nil {
			return t, o, "patch", err
		}
		o = o.Then(next)
	}
	return t, o, "overlay", o.Check()
}

func (v vector) text() string {
	switch template := v.Template.(type) {
	case string:
		return template
	case []any:
		lines := make([]string, len(template))
		for i, line := range template {
			lines[i] = line.(string)
		}
		return strings.Join(lines, "\n")
	default:
		text, err := strictjson.Marshal(template)
		if err != nil {
			panic(err)
		}
		return string(text)
	}
}

// checkOtherWays holds that the order of composing and applying does not matter,
// nor does a stay in the store.
func (v vector) checkOtherWays(t *testing.T, template *claims.Template, overlay claims.Overlay) {
	t.Helper()
	stepwise := template.Render(v.Variables)
	for _, p := range v.Patches {
		next, err := policy.Patch(p)
		if err != nil {
			t.Fatal(err)
		}
		stepwise = next.Apply(stepwise)
	}
	if diff := cmp.Diff(v.Claims, stepwise); diff != "" {
		t.Errorf("patch by patch:\n%s", diff)
	}
	kept := restored(t, overlay).Apply(template.Render(v.Variables))
	if diff := cmp.Diff(v.Claims, kept); diff != "" {
		t.Errorf("from the store:\n%s", diff)
	}
}

func (r *refusal) check(t *testing.T, step string, err error) {
	t.Helper()
	got := refusal{Step: step}
	var syntax *claims.SyntaxError
	var policy *claims.Error
	switch {
	case errors.As(err, &syntax):
		got.Code, got.At = syntax.Code, fmt.Sprintf("%d:%d", syntax.Line, syntax.Column)
	case errors.As(err, &policy):
		got.Code, got.Claim = policy.Code, policy.Claim
	}
	if diff := cmp.Diff(*r, got); diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "claims: ") {
		t.Errorf("%q does not name its package", err)
	}
}

// restored is the overlay after a stay in the store.
func restored(tb testing.TB, o claims.Overlay) claims.Overlay {
	tb.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		tb.Fatal(err)
	}
	var back claims.Overlay
	if err := strictjson.Unmarshal(text, &back); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return back
}
