package claims_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func change(t failing, o claims.Overlay, p claims.Object, templates ...*claims.Template) claims.Overlay {
	t.Helper()
	next, err := o.Change(patch(t, p), templates, nil)
	if err != nil {
		t.Fatalf("%v: %v", p, err)
	}
	return next
}

// What was deleted once counted against the 4,096 bytes for ever: 81 cycles of
// setting a claim and deleting it used a session up.
func TestSetAndDeleteCyclesDoNotExhaustASession(t *testing.T) {
	template := parse(t, `{"plan": "free"}`)
	var o claims.Overlay
	for i := range 1000 {
		name := fmt.Sprintf("a claim of some length, number %d", i)
		o = change(t, change(t, o, claims.Object{name: 1}, template), claims.Object{name: nil}, template)
	}
	if !o.IsZero() {
		t.Errorf("%d bytes are kept of nothing", len(stored(t, o)))
	}
}

func TestDeletionsThatATemplateMayUndoAreKept(t *testing.T) {
	template := parse(t, `{"plan": "free", "m": {{ member.trusted_metadata }}, "ui": {"a": 1, "deep": {{ organization.trusted_metadata.x }}}, "name": {{ member.name }}}`)
	other := parse(t, `{"only here": 1}`)
	o := change(t, claims.Overlay{}, claims.Object{
		"plan": nil, "Plan": nil, "only here": nil, "nowhere": nil,
		"m":    claims.Object{"any": nil, "at any depth": claims.Object{"x": nil}},
		"ui":   claims.Object{"a": nil, "z": nil, "deep": claims.Object{"x": nil}},
		"name": claims.Object{"x": nil},
	}, template, nil, other)
	want := `[">","m",[">","any",["-"],"at any depth",[">","x",["-"]]],"name",[">"],"only here",["-"],"plan",["-"],"ui",[">","a",["-"],"deep",[">","x",["-"]]]]`
	if got := stored(t, o); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Names under a metadata variable are anybody's, so their number has a bound of its
// own: over it those stay that have something to delete.
func TestDeletionsUnderMetadataAreBounded(t *testing.T) {
	template := parse(t, `{"m": {{ member.trusted_metadata }}}`)
	v := claims.Variables{"member": claims.Object{"trusted_metadata": claims.Object{"here": 1, "x-7": 1}}}
	o := change(t, claims.Overlay{}, claims.Object{"m": claims.Object{"here": nil}}, template)
	many := claims.Object{}
	for i := range 1000 {
		many[fmt.Sprintf("x-%d", i)] = nil
	}
	o, err := o.Change(patch(t, claims.Object{"m": many}), []*claims.Template{template}, v)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := stored(t, o), `[">","m",[">","here",["-"],"x-7",["-"]]]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// An overlay of an earlier release may be over the limit: it can be made smaller
// step by step, and not larger.
func TestPatchThatOnlyDeletesIsNeverRefused(t *testing.T) {
	var o claims.Overlay
	long := strings.Repeat("x", 3000)
	text := `[">","a",["=","` + long + `"],"b",["=","` + long + `"],"c",["=","` + long + `"]]`
	if err := o.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	var refused *claims.Error
	if _, err := o.Change(patch(t, claims.Object{"d": 1}), nil, nil); !errors.As(err, &refused) || refused.Code != claims.CodeTooLarge {
		t.Errorf("made larger: %v", err)
	}
	for _, name := range []string{"not there", "a", "b", "c"} {
		o = change(t, o, claims.Object{name: nil})
	}
	if !o.IsZero() {
		t.Errorf("kept %s", stored(t, o))
	}
}

// templates are such that overlays of this package's names meet literals, objects
// and variables in them.
func templates() *rapid.Generator[*claims.Template] {
	return rapid.Custom(func(t *rapid.T) *claims.Template {
		return parse(t, templateText(t, 2))
	})
}

func templateText(t *rapid.T, depth int) string {
	var members []string
	for _, name := range rapid.SliceOfNDistinct(names, 0, 4, rapid.ID[string]).Draw(t, "names") {
		value := rapid.SampledFrom([]string{
			`1`, `null`, `["a"]`, `{}`, `{{ member.name }}`, `{{ member.trusted_metadata }}`, `{{ organization.trusted_metadata.a }}`, "",
		}).Draw(t, "value")
		if value == "" {
			if value = `"s"`; depth > 0 {
				value = templateText(t, depth-1)
			}
		}
		quoted, err := strictjson.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, string(quoted)+":"+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Leaving deletions out changes no claims, whatever the templates and variables.
func TestChangeIsThenForEveryTemplate(t *testing.T) { rapid.Check(t, pruning) }

func FuzzChangeIsThenForEveryTemplate(f *testing.F) { f.Fuzz(rapid.MakeFuzz(pruning)) }

func pruning(t *rapid.T) {
	all := rapid.SliceOfN(templates(), 0, 3).Draw(t, "templates")
	v := claims.Variables{
		"member":       claims.Object{"name": "Ada", "trusted_metadata": objects(3).Draw(t, "member")},
		"organization": claims.Object{"trusted_metadata": objects(3).Draw(t, "organization")},
	}
	var kept, whole claims.Overlay
	for _, p := range rapid.SliceOfN(objects(3), 0, 4).Draw(t, "patches") {
		next := patch(t, p)
		whole = whole.Then(next)
		var err error
		if kept, err = kept.Change(next, all, v); err != nil {
			t.Skip("too large, or two spellings of a name")
		}
	}
	for _, template := range all {
		same(t, kept.Apply(template.Render(v)), whole.Apply(template.Render(v)))
	}
	same(t, kept.Apply(nil), whole.Apply(nil))
}
