package claims_test

import (
	"maps"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// The law of the package: composing and then applying is applying one after the
// other, whatever it is applied to.
func TestLawOfComposition(t *testing.T) { rapid.Check(t, law) }

func FuzzLawOfComposition(f *testing.F) { f.Fuzz(rapid.MakeFuzz(law)) }

func law(t *rapid.T) {
	o, q, s := overlays().Draw(t, "o"), overlays().Draw(t, "q"), objects(3).Draw(t, "s")
	same(t, o.Then(q).Apply(s), q.Apply(o.Apply(s)))
}

// FuzzLawOnText is the same law on documents that a fuzzer may write.
func FuzzLawOnText(f *testing.F) {
	f.Add(`{"b":{"a":"s"}}`, `{"b":"s"}`, `{"b":{}}`)
	f.Add(`{"a":{"x":1,"y":[{"z":null}]}}`, `{"a":null}`, `{"a":{"x":{"y":null}}}`)
	f.Add(`{}`, `{"a":[1,null]}`, `{"a":{"b":{"c":null}},"d":{}}`)
	f.Add(`{"a":1.50}`, `{"a":{"b":1e400}}`, `{"a":{"b":null}}`)
	f.Fuzz(func(t *testing.T, base, first, second string) {
		s, p, q := parsed(t, base), parsed(t, first), parsed(t, second)
		one, err := policy.Patch(p)
		if err != nil {
			t.Skip()
		}
		two, err := policy.Patch(q)
		if err != nil {
			t.Skip()
		}
		got := one.Then(two).Apply(s)
		same(t, got, two.Apply(one.Apply(s)))
		same(t, got, withoutNulls(mergePatch(mergePatch(s, p), q)))
	})
}

func parsed(t *testing.T, text string) claims.Object {
	o, err := strictjson.Object([]byte(text))
	if err != nil {
		t.Skip()
	}
	return o
}

// Against the pseudo code of RFC 7396 §2, null members of the base and of objects
// in arrays apart.
func TestPatchIsAMergePatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, p := objects(3).Draw(t, "s"), objects(3).Draw(t, "p")
		same(t, patch(t, p).Apply(s), withoutNulls(mergePatch(s, p)))
	})
}

func mergePatch(target, p any) any {
	changes, ok := p.(map[string]any)
	if !ok {
		return p
	}
	result, ok := target.(map[string]any)
	if ok {
		result = maps.Clone(result)
	} else {
		result = map[string]any{}
	}
	for name, value := range changes {
		if value == nil {
			delete(result, name)
		} else {
			result[name] = mergePatch(result[name], value)
		}
	}
	return result
}

func withoutNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, member := range v {
			if member != nil {
				out[name] = withoutNulls(member)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = withoutNulls(element)
		}
		return out
	}
	return v
}

func TestThenIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, p, q := overlays().Draw(t, "o"), overlays().Draw(t, "p"), overlays().Draw(t, "q")
		if left, right := stored(t, o.Then(p).Then(q)), stored(t, o.Then(p.Then(q))); left != right {
			t.Fatalf("(o p) q is %s, o (p q) is %s", left, right)
		}
	})
}

func TestTheZeroOverlayChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, s := overlays().Draw(t, "o"), objects(3).Draw(t, "s")
		var zero claims.Overlay
		if stored(t, zero.Then(o)) != stored(t, o) || stored(t, o.Then(zero)) != stored(t, o) {
			t.Fatal("zero is not neutral")
		}
		if o.IsZero() {
			same(t, o.Apply(s), withoutNulls(s))
		}
		same(t, patch(t, claims.Object{}).Apply(s), withoutNulls(s))
	})
	if !(claims.Overlay{}).IsZero() || !patch(t, claims.Object{}).IsZero() || !patch(t, nil).IsZero() {
		t.Error("an empty patch is not zero")
	}
	if patch(t, claims.Object{"a": nil}).IsZero() || patch(t, claims.Object{"a": claims.Object{}}).IsZero() {
		t.Error("a patch that may change something is zero")
	}
}

func TestPatchingTwiceIsPatchingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := patch(t, objects(3).Draw(t, "p"))
		if once, twice := stored(t, o), stored(t, o.Then(o)); once != twice {
			t.Fatalf("once %s, twice %s", once, twice)
		}
	})
}

func TestPatchesOfOtherNamesMayChangePlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, q := objects(3).Draw(t, "p"), objects(3).Draw(t, "q")
		maps.DeleteFunc(q, func(name string, _ any) bool { _, both := p[name]; return both })
		o, r := patch(t, p), patch(t, q)
		if a, b := stored(t, o.Then(r)), stored(t, r.Then(o)); a != b {
			t.Fatalf("%s or %s", a, b)
		}
	})
}

func TestWhatAPatchDeletesIsGone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o, p, s := overlays().Draw(t, "o"), objects(2).Draw(t, "p"), objects(3).Draw(t, "s")
		result := o.Then(patch(t, p)).Apply(s)
		for name, value := range p {
			if _, there := result[name]; there == (value == nil) {
				t.Fatalf("%q was set to %v, is there: %v", name, value, there)
			}
		}
	})
}

func TestNoNullMemberSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		result := overlays().Draw(t, "o").Apply(objects(4).Draw(t, "s"))
		same(t, result, withoutNulls(result))
	})
}

func TestWhatIsStoredComesBack(t *testing.T) { rapid.Check(t, roundTrip) }

func roundTrip(t *rapid.T) {
	o, q, s := overlays().Draw(t, "o"), overlays().Draw(t, "q"), objects(3).Draw(t, "s")
	var back claims.Overlay
	if err := strictjson.Unmarshal([]byte(stored(t, o)), &back); err != nil {
		t.Fatal(err)
	}
	if stored(t, back) != stored(t, o) || back.IsZero() != o.IsZero() {
		t.Fatalf("%s came back as %s", stored(t, o), stored(t, back))
	}
	same(t, back.Apply(s), o.Apply(s))
	same(t, back.Then(q).Apply(s), o.Then(q).Apply(s))
}

type failing interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func same(t failing, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func stored(t failing, o claims.Overlay) string {
	t.Helper()
	text, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
