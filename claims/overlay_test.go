package claims_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// scribble changes everything in v that can be changed.
func scribble(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			scribble(member)
		}
		clear(v)
		v["scribble"] = "x"
	case []any:
		for i, element := range v {
			scribble(element)
			v[i] = "scribble"
		}
	case []string:
		for i := range v {
			v[i] = "scribble"
		}
	}
}

// A caller who changes what they sent or what they got must not change a session.
func TestOverlaysCannotBeChangedFromOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q, s := objects(3).Draw(t, "p"), objects(3).Draw(t, "q"), objects(3).Draw(t, "s")
		original := withoutNulls(s).(map[string]any)
		o := overlays().Draw(t, "before").Then(patch(t, p))
		first := stored(t, o)
		r := o.Then(patch(t, q))
		both, want := stored(t, r), r.Apply(s)

		scribble(r.Apply(s))
		scribble(o.Apply(s))
		scribble(p)
		scribble(q)
		if stored(t, o) != first || stored(t, r) != both {
			t.Fatalf("%s became %s, %s became %s", first, stored(t, o), both, stored(t, r))
		}
		same(t, withoutNulls(s), any(original))
		same(t, r.Apply(s), want)
	})
}

// Two requests on one session may start from the same overlay.
func TestThenChangesNeitherSide(t *testing.T) {
	gone := patch(t, claims.Object{"a": nil})
	o := gone.Then(patch(t, claims.Object{"a": claims.Object{"b": claims.Object{"c": 1}}}))
	q := patch(t, claims.Object{"a": claims.Object{"b": claims.Object{"d": 2}}, "e": nil})
	before := []string{stored(t, gone), stored(t, o), stored(t, q)}
	o.Then(q)
	o.Then(gone).Then(q)
	q.Then(o)
	same(t, []string{stored(t, gone), stored(t, o), stored(t, q)}, before)
}

func TestApplyNeverChangesItsBase(t *testing.T) {
	base := claims.Object{"a": claims.Object{"b": 1, "n": nil}, "c": []any{claims.Object{"d": nil}}}
	patch(t, claims.Object{"a": claims.Object{"b": nil, "x": 1}, "c": nil}).Apply(base)
	want := claims.Object{"a": claims.Object{"b": 1, "n": nil}, "c": []any{claims.Object{"d": nil}}}
	if !reflect.DeepEqual(base, want) {
		t.Errorf("base is now %v", base)
	}
}

func TestApplyToNothing(t *testing.T) {
	if got := (claims.Overlay{}).Apply(nil); got == nil || len(got) != 0 {
		t.Errorf("got %#v", got)
	}
	if got := patch(t, claims.Object{"a": "x"}).Apply(nil); got["a"] != "x" {
		t.Errorf("got %v", got)
	}
}

// Apply is for bases of any origin: it cuts none of them short.
func TestApplyKeepsDeepBases(t *testing.T) {
	deep := claims.Object{}
	for range 2 * claims.MaxDepth {
		deep = claims.Object{"a": deep}
	}
	if got := (claims.Overlay{}).Apply(deep); !reflect.DeepEqual(got, deep) {
		t.Error("the base was changed")
	}
}

func TestOverlaysMayBeShared(t *testing.T) {
	o := patch(t, claims.Object{"a": claims.Object{"b": []any{"x"}}, "c": nil})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				scribble(o.Then(patch(t, claims.Object{"a": claims.Object{"d": 1}})).Apply(claims.Object{"c": 1}))
				scribble(o.Apply(claims.Object{"a": claims.Object{"z": 1}}))
			}
		})
	}
	group.Wait()
	if got := stored(t, o); got != `[">","a",[">","b",["=",["x"]]],"c",["-"]]` {
		t.Errorf("the overlay is now %s", got)
	}
}

func TestPatchTakesAnyGoValueForItsJSON(t *testing.T) {
	type role string
	o := patch(t, claims.Object{
		"int": 7, "float": 1.5, "list": []string{"a"}, "named": []role{"b"},
		"struct":  struct{ A, B any }{A: json.Number("1.0")},
		"pointer": (*int)(nil),
		"map":     map[string]int{"x": 1},
	})
	want := claims.Object{
		"int": json.Number("7"), "float": json.Number("1.5"), "list": []any{"a"}, "named": []any{"b"},
		"struct": claims.Object{"A": json.Number("1.0")}, "map": claims.Object{"x": json.Number("1")},
	}
	same(t, o.Apply(claims.Object{"pointer": "gone"}), want)
}

func TestPatchRefusesWhatJSONCannotExpress(t *testing.T) {
	for name, value := range map[string]any{
		"bad UTF-8":           "\xff",
		"bad UTF-8 in a name": claims.Object{"\xff": 1},
		"bad UTF-8 in a list": []any{claims.Object{"a": []string{"\xff"}}},
		"bad name in a list":  []any{claims.Object{"\xff": 1}},
		"bad number":          json.Number("0x1"),
		"empty number":        json.Number(""),
		"number that is JSON": json.Number(`{"sub":1}`),
		"channel":             make(chan int),
		"cycle":               cycle(),
	} {
		t.Run(name, func(t *testing.T) {
			o, err := policy.Patch(claims.Object{"fine": 1, "x": claims.Object{"y": value}})
			var refused *claims.Error
			if !errors.As(err, &refused) || refused.Claim != "x" {
				t.Fatalf("got %v", err)
			}
			want := claims.CodeUnrepresentable
			if name == "cycle" {
				want = claims.CodeTooLarge
			}
			if refused.Code != want {
				t.Errorf("got %s, want %s", refused.Code, want)
			}
			if !o.IsZero() {
				t.Error("a refused patch left something")
			}
		})
	}
}

func cycle() claims.Object {
	o := claims.Object{}
	o["self"] = o
	return o
}

func TestErrorsNeverQuoteValues(t *testing.T) {
	const canary = "s3cr3t-canary"
	for name, p := range map[string]claims.Object{
		"reserved":  {"sub": canary},
		"stytch":    {"https://stytch.com/x": canary},
		"bad UTF-8": {"a": canary + "\xff"},
		"number":    {"a": json.Number(canary)},
		"deep":      {"a": claims.Object{"b": canary, "c": cycle()}},
	} {
		if _, err := policy.Patch(p); err == nil || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	big := patch(t, claims.Object{"a": strings.Repeat(canary, 1000)})
	if err := big.Check(); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("too large: %v", err)
	}
	var o claims.Overlay
	if err := o.UnmarshalJSON([]byte(`["` + canary + `"]`)); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("stored: %v", err)
	}
	if _, err := policy.ParseTemplate("test", `{"a": "`+canary+`" x}`); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("template: %v", err)
	}
}

func TestErrorsQuoteNamesShort(t *testing.T) {
	_, err := policy.Patch(claims.Object{strings.Repeat("é\n", 500): json.Number("x")})
	if want := `claims: "` + strings.Repeat(`é\n`, 32) + `…": a number that is not one in JSON`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestOverlayInAStoredRecord(t *testing.T) {
	type record struct {
		Overlay claims.Overlay `json:"overlay,omitzero"`
	}
	text, err := strictjson.Marshal(record{})
	if err != nil || string(text) != `{}` {
		t.Fatalf("a session without changes is stored as %s (%v)", text, err)
	}
	text, err = strictjson.Marshal(record{patch(t, claims.Object{"Plan": nil, "plan": json.Number("1.50"), "ui": claims.Object{"a": []any{nil}}})})
	if want := `{"overlay":[">","Plan",["-"],"plan",["=",1.50],"ui",[">","a",["=",[null]]]]}`; err != nil || string(text) != want {
		t.Fatalf("got %s (%v)\nwant %s", text, err, want)
	}
	var back record
	if err := strictjson.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := strictjson.Marshal(back); err != nil || string(again) != string(text) {
		t.Errorf("came back as %s (%v)", again, err)
	}
}

// The deepest overlay that Patch lets through can be kept inside a record.
func TestTheDeepestOverlayCanBeStored(t *testing.T) {
	var list any = []any{}
	object := claims.Object{}
	for range claims.MaxDepth - 2 {
		list, object = []any{list}, claims.Object{"a": object}
	}
	for name, value := range map[string]any{"array": list, "object": object} {
		o := patch(t, claims.Object{"a": value})
		same(t, restored(t, o).Apply(nil), o.Apply(nil))
		if _, err := policy.Patch(claims.Object{"a": claims.Object{"b": value}}); err == nil {
			t.Errorf("%s: one level more was accepted", name)
		}
	}
}

func TestMarshalRefusesAnOverlayThatCouldNotBeRead(t *testing.T) {
	o := patch(t, claims.Object{"x": "s"}).
		Then(patch(t, claims.Object{"x": claims.Object{"plan": 1}})).
		Then(patch(t, claims.Object{"x": claims.Object{"Plan": 2}}))
	if text, err := o.MarshalJSON(); !errors.Is(err, strictjson.ErrDuplicateName) {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestUnmarshalRefusesWhatItDoesNotKnow(t *testing.T) {
	nested := func(leaf string, times int) string {
		return strings.Repeat(`[">","a",`, times) + leaf + strings.Repeat(`]`, times)
	}
	for name, text := range map[string]string{
		"a newer kind of node":         `[">","a",["+",1]]`,
		"a newer kind far down":        `[">","a",[">","b",["append",[1]]]]`,
		"a newer kind of root":         `["?"]`,
		"a deletion with an argument":  `[">","a",["-",true]]`,
		"a replacement with two":       `[">","a",["=",1,2]]`,
		"a replacement without value":  `[">","a",["="]]`,
		"a kind that is no text":       `[">","a",[1]]`,
		"an empty node":                `[">","a",[]]`,
		"no node":                      `[">","a",null]`,
		"an object as a node":          `[">","a",{}]`,
		"a name without node":          `[">","a"]`,
		"a name that is no text":       `[">",1,["-"]]`,
		"a name twice":                 `[">","a",["-"],"a",["=",1]]`,
		"a root that replaces":         `["=",{}]`,
		"a root that deletes":          `["-"]`,
		"null":                         `null`,
		"an object":                    `{}`,
		"a plain merge patch":          `{"a":1}`,
		"replaced by null":             `[">","a",["=",null]]`,
		"text behind":                  `[">"] x`,
		"broken":                       `[">"`,
		"names in a value that fold":   `[">","a",["=",{"b":1,"B":2}]]`,
		"nested deeper than a patch":   nested(`[">"]`, claims.MaxDepth),
		"a value deeper than a patch":  nested(`["=",[]]`, claims.MaxDepth),
		"nested without end":           strings.Repeat(`[">","a",`, 100_000),
		"a deletion deeper than depth": nested(`["-"]`, claims.MaxDepth+1),
	} {
		t.Run(name, func(t *testing.T) {
			o := patch(t, claims.Object{"before": 1})
			if err := o.UnmarshalJSON([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), "claims: ") {
				t.Errorf("got %v", err)
			}
			if stored(t, o) != `[">","before",["=",1]]` {
				t.Errorf("a refused text changed the overlay to %s", stored(t, o))
			}
		})
	}
}

// A record that someone else wrote cannot bring null members into claims.
func TestUnmarshalStripsNullMembers(t *testing.T) {
	var o claims.Overlay
	if err := o.UnmarshalJSON([]byte(`[">","a",["=",{"x":null,"y":[{"z":null},null]}]]`)); err != nil {
		t.Fatal(err)
	}
	same(t, o.Apply(nil), claims.Object{"a": claims.Object{"y": []any{claims.Object{}, nil}}})
}

// FuzzStored: any text is either refused or an overlay that keeps the rules.
func FuzzStored(f *testing.F) {
	f.Add(`[">"]`)
	f.Add(`[">","a",["-"],"b",["=",{"c":[1,null]}],"d",[">","e",["=",1.50]]]`)
	f.Add(`[">","a",["+",1]]`)
	f.Add(`[">","sub",["=","admin"]]`)
	f.Fuzz(func(t *testing.T, text string) {
		var o claims.Overlay
		if o.UnmarshalJSON([]byte(text)) != nil {
			return
		}
		same(t, stored(t, restored(t, o)), stored(t, o))
		result := o.Apply(nil)
		same(t, result, withoutNulls(result))
		if effective, err := policy.Effective(nil, nil, o); err == nil {
			for name := range effective {
				if policy.Reserved(name) {
					t.Errorf("the reserved claim %q got through", name)
				}
			}
		}
	})
}
