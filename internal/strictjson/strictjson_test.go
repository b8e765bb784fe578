package strictjson_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// accepted are texts and what they are read as.
var accepted = []struct {
	name, text string
	want       any
}{
	{"null", `null`, nil},
	{"true", `true`, true},
	{"false", ` false `, false},
	{"empty string", `""`, ""},
	{"escapes", `"\u0073\ud83d\ude00\n\/"`, "s😀\n/"},
	{"integer beyond int64", `12345678901234567890`, json.Number("12345678901234567890")},
	{"number keeps its digits", `-1.500E+03`, json.Number("-1.500E+03")},
	{"number beyond float64", `1e400`, json.Number("1e400")},
	{"empty object is not nil", `{}`, map[string]any{}},
	{"empty array is not nil", `[]`, []any{}},
	{"nested", "\t{\"a\":[{\"b\":null}, 1.0],\r\n\"c\":{}}", map[string]any{
		"a": []any{map[string]any{"b": nil}, json.Number("1.0")}, "c": map[string]any{},
	}},
	{"same name at two levels", `{"a":{"a":1}}`, map[string]any{"a": map[string]any{"a": json.Number("1")}}},
	{"capitals that do not collide", `{"Sub":1,"aud":2}`, map[string]any{"Sub": json.Number("1"), "aud": json.Number("2")}},
	{"line separator in a string", "\"\u2028\"", "\u2028"},
}

func TestParseAccepts(t *testing.T) {
	for _, c := range accepted {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refused are texts that every entry point refuses, and why.
var refused = []struct{ name, text, reason string }{
	{"J-10 duplicate name", `{"sub":1,"sub":2}`, "strictjson: duplicate member name"},
	{"J-10 duplicate name written with an escape", `{"sub":1,"\u0073ub":2}`, "strictjson: duplicate member name"},
	{"J-10 duplicate name far down", `[[{"x":{"a":1,"b":2,"a":3}}]]`, "strictjson: duplicate member name"},
	{"J-10 long s folds to s", `{"sub":"user","ſub":"admin"}`, "strictjson: duplicate member name"},
	{"J-10 long s first", `{"ſub":"admin","sub":"user"}`, "strictjson: duplicate member name"},
	{"J-10 folding name written with an escape", `{"sub":1,"\u017fub":2}`, "strictjson: duplicate member name"},
	{"J-10 kelvin sign folds to k", "{\"kid\":1,\"\u212aid\":2}", "strictjson: duplicate member name"},
	{"J-10 case", `{"alg":1,"aud":3,"ALG":2}`, "strictjson: duplicate member name"},
	{"J-10 Greek sigmas", `{"σ":1,"ς":2}`, "strictjson: duplicate member name"},
	{"J-10 bad UTF-8 in a value", "{\"a\":\"\xff\"}", "strictjson: not valid JSON at byte 6"},
	{"J-10 bad UTF-8 in a name", "{\"\xc3\":1}", "strictjson: not valid JSON at byte 2"},
	{"J-10 unpaired surrogate", `"\ud800"`, "strictjson: not valid JSON at byte 1"},
	{"J-09 text after the value", `{} {}`, "strictjson: text after the value"},
	{"J-09 brace after the value", `{}}`, "strictjson: text after the value"},
	{"J-09 NUL after the value", "{}\x00", "strictjson: text after the value"},
	{"empty", ``, "strictjson: no value"},
	{"white space only", " \n", "strictjson: no value"},
	{"byte order mark", "\ufeff{}", "strictjson: not valid JSON at byte 0"},
	{"cut off in an object", `{"a":`, "strictjson: not valid JSON at byte 5"},
	{"cut off in an array", `[1,`, "strictjson: not valid JSON at byte 3"},
	{"cut off in a string", `"abc`, "strictjson: not valid JSON at byte 4"},
	{"comma before a brace", `{"a":1,}`, "strictjson: not valid JSON at byte 6"},
	{"comma before a bracket", `[1,]`, "strictjson: not valid JSON at byte 2"},
	{"no comma", `[1 2]`, "strictjson: not valid JSON at byte 3"},
	{"no colon", `{"a" 1}`, "strictjson: not valid JSON at byte 5"},
	{"name without quotes", `{a:1}`, "strictjson: not valid JSON at byte 1"},
	{"number as a name", `{1:1}`, "strictjson: not valid JSON at byte 1"},
	{"single quotes", `'a'`, "strictjson: not valid JSON at byte 0"},
	{"leading zero", `01`, "strictjson: text after the value"},
	{"leading zero in an array", `[01]`, "strictjson: not valid JSON at byte 2"},
	{"plus sign", `+1`, "strictjson: not valid JSON at byte 0"},
	{"NaN", `NaN`, "strictjson: not valid JSON at byte 0"},
	{"hexadecimal", `[0x1]`, "strictjson: not valid JSON at byte 2"},
	{"capital word", `True`, "strictjson: not valid JSON at byte 0"},
	{"comment", `{/**/}`, "strictjson: not valid JSON at byte 1"},
	{"control character in a string", "\"a\tb\"", "strictjson: not valid JSON at byte 2"},
	{"unknown escape", `"\x41"`, "strictjson: not valid JSON at byte 1"},
	{"mismatched brackets", `[}`, "strictjson: not valid JSON at byte 1"},
	{"D-02 one level too deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), "strictjson: nested too deep"},
	{"D-02 objects too deep", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "strictjson: nested too deep"},
	{"D-02 deep and cut off", strings.Repeat("[", 100_000), "strictjson: nested too deep"},
}

func TestEveryEntryPointRefuses(t *testing.T) {
	entries := map[string]func([]byte) error{
		"Parse":  func(b []byte) error { _, err := strictjson.Parse(b); return err },
		"Object": func(b []byte) error { _, err := strictjson.Object(b); return err },
		"Unmarshal": func(b []byte) error {
			var v any
			return strictjson.Unmarshal(b, &v)
		},
		"UnmarshalExact": func(b []byte) error {
			var v struct{}
			return strictjson.UnmarshalExact(b, &v)
		},
	}
	for _, c := range refused {
		for name, entry := range entries {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				if err := entry([]byte(c.text)); err == nil || err.Error() != c.reason {
					t.Errorf("got %v, want %s", err, c.reason)
				}
			})
		}
	}
}

func TestParseDepthCountsArraysAndObjects(t *testing.T) {
	for depth, text := range []string{`"x"`, `{"a":1}`, `{"a":[]}`, `[{"a":{}},0]`} {
		if _, err := strictjson.ParseDepth([]byte(text), depth); err != nil {
			t.Errorf("depth %d of %s: %v", depth, text, err)
		}
		if _, err := strictjson.ParseDepth([]byte(text), depth-1); depth > 0 && !errors.Is(err, strictjson.ErrDepth) {
			t.Errorf("depth %d of %s: got %v, want ErrDepth", depth-1, text, err)
		}
	}
	deepest := strings.Repeat("[", strictjson.MaxDepth) + strings.Repeat("]", strictjson.MaxDepth)
	if _, err := strictjson.Parse([]byte(deepest)); err != nil {
		t.Errorf("depth MaxDepth: %v", err)
	}
}

func TestObjectTakesOnlyObjects(t *testing.T) {
	for _, text := range []string{`null`, `[]`, `"{}"`, `1`, `true`} {
		if o, err := strictjson.Object([]byte(text)); !errors.Is(err, strictjson.ErrNotObject) || o != nil {
			t.Errorf("%s: got %v, %v", text, o, err)
		}
	}
}

type record struct {
	ID      string         `json:"id"`
	Count   json.Number    `json:"count,omitzero"`
	Any     any            `json:"any,omitzero"`
	Tags    []string       `json:"tags,omitzero"`
	Meta    map[string]any `json:"meta,omitzero"`
	Unknown map[string]any `json:",embed"`
}

func TestUnmarshalKeepsWhatItDoesNotKnow(t *testing.T) {
	const text = `{"any":[1.50],"count":1.0,"future":{"n":9007199254740993},"id":"a","meta":{"x":1e2}}`
	var r record
	if err := strictjson.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	want := record{
		ID: "a", Count: "1.0", Any: []any{json.Number("1.50")},
		Meta:    map[string]any{"x": json.Number("1e2")},
		Unknown: map[string]any{"future": map[string]any{"n": json.Number("9007199254740993")}},
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	back, err := strictjson.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again record
	if err := strictjson.Unmarshal(back, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, again); diff != "" {
		t.Error(diff)
	}
}

func TestUnmarshalMatchesNamesByteForByte(t *testing.T) {
	var v struct {
		Sub string `json:"sub"`
	}
	for _, text := range []string{`{"ſub":"admin"}`, `{"SUB":"admin"}`, `{"Sub":"admin"}`} {
		if err := strictjson.Unmarshal([]byte(text), &v); err != nil || v.Sub != "" {
			t.Errorf("%s: got %q, %v", text, v.Sub, err)
		}
		var unknown *strictjson.UnknownNameError
		if err := strictjson.UnmarshalExact([]byte(text), &v); !errors.As(err, &unknown) {
			t.Errorf("%s: exact: got %v", text, err)
		}
	}
}

func TestUnmarshalTouchesNothingOfABrokenText(t *testing.T) {
	for _, c := range refused {
		v := record{ID: "before"}
		text := `{"id":"after","any":` + c.text + `}`
		if err := strictjson.Unmarshal([]byte(text), &v); err == nil {
			continue // broken alone, but not here
		}
		if v.ID != "before" {
			t.Errorf("%s: %s was written", c.name, v.ID)
		}
	}
}

func TestUnmarshalTellsWhatIsWrong(t *testing.T) {
	type inner struct {
		N int `json:"n"`
	}
	type request struct {
		Name  string         `json:"name"`
		Inner inner          `json:"inner"`
		List  []inner        `json:"list"`
		Count json.Number    `json:"count"`
		Map   map[string]int `json:"map"`
	}
	for _, c := range []struct{ text, reason string }{
		{`{"name":7}`, `strictjson: member "name" has the wrong type`},
		{`{"inner":{"n":"x"}}`, `strictjson: member "inner/n" has the wrong type`},
		{`{"inner":{"n":1.5}}`, `strictjson: member "inner/n" has the wrong type`},
		{`{"list":[{"n":1},{"n":[]}]}`, `strictjson: member "list/1/n" has the wrong type`},
		{`{"count":"1"}`, `strictjson: member "count" has the wrong type`},
		{`{"map":{"k":true}}`, `strictjson: member "map/k" has the wrong type`},
		{`[]`, `strictjson: the value has the wrong type`},
		{`{"nmae":"x"}`, `strictjson: unknown member "nmae"`},
		{`{"inner":{"m":1}}`, `strictjson: unknown member "inner/m"`},
		{`{"` + strings.Repeat("x", 65) + `":1}`, `strictjson: unknown member "` + strings.Repeat("x", 64) + `…"`},
	} {
		var r request
		if err := strictjson.UnmarshalExact([]byte(c.text), &r); err == nil || err.Error() != c.reason {
			t.Errorf("%s: got %v, want %s", c.text, err, c.reason)
		}
	}
}

func TestUnmarshalReadsNullIntoANumberAsNone(t *testing.T) {
	r := record{Count: "5"}
	if err := strictjson.Unmarshal([]byte(`{"count":null}`), &r); err != nil || r.Count != "" {
		t.Errorf("got %q, %v", r.Count, err)
	}
}

func TestMarshal(t *testing.T) {
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"members in order", map[string]any{"b": 1, "a": nil, "C": true}, `{"C":true,"a":null,"b":1}`},
		{"words", []any{nil, true, false}, `[null,true,false]`},
		{"digits", []any{json.Number("1.50"), json.Number("-0"), json.Number("1E400")}, `[1.50,-0,1E400]`},
		{"no HTML escaping", "<&>\u2028", "\"<&>\u2028\""},
		{"escapes", "\"\\\b\f\n\r\t\x01/", `"\"\\\b\f\n\r\t\u0001/"`},
		{"members in the order of their bytes", map[string]any{"\uff5e": 1, "\U00010000": 2}, "{\"\uff5e\":1,\"\U00010000\":2}"},
		{"the same order in a struct", struct{ A any }{map[string]any{"\uff5e": 1, "\U00010000": 2}}, "{\"A\":{\"\uff5e\":1,\"\U00010000\":2}}"},
		{"foreign values", map[string]any{"n": 1.5, "s": []string{"a"}}, `{"n":1.5,"s":["a"]}`},
		{"nil slice", struct{ A []string }{}, `{"A":[]}`},
		{"nil map", struct{ A map[string]any }{}, `{"A":{}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Marshal(c.v)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestMarshalRefusesWhatCouldNotBeReadAgain(t *testing.T) {
	deep := nest("x", strictjson.MaxDepth+1)
	for _, c := range []struct {
		name   string
		v      any
		reason string
	}{
		{"names that fold to one", map[string]any{"Plan": 1, "plan": 2}, "strictjson: duplicate member name"},
		{"the same in a struct", record{Any: map[string]any{"Plan": 1, "plan": 2}}, "strictjson: duplicate member name"},
		{"the same in a foreign map", map[string]any{"a": map[string]int{"Plan": 1, "plan": 2}}, "strictjson: duplicate member name"},
		{"a kept name that folds to a known one", record{Unknown: map[string]any{"ID": 1}}, "strictjson: duplicate member name"},
		{"too deep", deep, "strictjson: nested too deep"},
		{"too deep in a struct", record{Any: deep}, "strictjson: nested too deep"},
		{"too deep in a foreign value", []any{[]map[string]any{{"a": deep}}}, "strictjson: nested too deep"},
		{"too deep by a foreign value", nest([][]int{{1}}, strictjson.MaxDepth-1), "strictjson: nested too deep"},
		{"bad UTF-8", map[string]any{"a": "\xff"}, "strictjson: text is not UTF-8"},
		{"bad UTF-8 in a name", map[string]any{"\xff": 1}, "strictjson: text is not UTF-8"},
		{"bad UTF-8 in a struct", record{ID: "\xff"}, "strictjson: not valid JSON at byte 6"},
		{"empty number", json.Number(""), "strictjson: the value has the wrong type"},
		{"number that is an object", map[string]any{"n": json.Number(`{"admin":true}`)}, "strictjson: not a number"},
		{"the same in a struct", record{Count: `{"admin":true}`}, `strictjson: member "count" has the wrong type`},
		{"number with another behind it", []any{json.Number("1,2")}, "strictjson: not a number"},
		{"number in white space", []any{json.Number(" 1")}, "strictjson: not a number"},
		{"channel", []any{make(chan int)}, "strictjson: the value has the wrong type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := strictjson.Marshal(c.v)
			if err == nil || err.Error() != c.reason {
				t.Errorf("got %s, %v, want %s", got, err, c.reason)
			}
		})
	}
}

func nest(v any, levels int) any {
	for range levels {
		v = []any{v}
	}
	return v
}

// What is equal has equal text, also where the v2 encoder walks the map.
func TestMarshalIsCanonicalForEveryMap(t *testing.T) {
	m := map[string]int{}
	for c := 'a'; c <= 'z'; c++ {
		m[string(c)] = int(c)
	}
	want, err := strictjson.Marshal(m)
	if err != nil || !strings.HasPrefix(string(want), `{"a":97,"b":98,"c":99,`) {
		t.Fatalf("got %s, %v", want, err)
	}
	for range 10 {
		if got, _ := strictjson.Marshal(maps.Clone(m)); string(got) != string(want) {
			t.Fatalf("got %s and %s", got, want)
		}
	}
}

func TestNumberLength(t *testing.T) {
	for in, want := range map[string]int{
		"": 0, "-": 0, "a": 0, "0": 1, "-0": 2, "01": 1, "-01": 2, "10": 2, "1.": 1, "1.5x": 3, "1e": 1, "1e+": 1, "1e+5": 4,
		"1E-05": 5, "-1.50E+03]": 9, ".5": 0, "+1": 0, "--1": 0, "1.e5": 1, "1e5.5": 3, " 1": 0,
	} {
		if got := strictjson.NumberLength(in); got != want {
			t.Errorf("NumberLength(%q) = %d, want %d", in, got, want)
		}
		if strictjson.IsNumber(in) != (want > 0 && want == len(in)) {
			t.Errorf("IsNumber(%q)", in)
		}
	}
}

const canary = "s3cr3t-canary"

// Tokens and secrets pass through here: whatever is wrong with a text, no value
// of it may stand in the error (E-01).
func TestErrorsNeverQuoteValues(t *testing.T) {
	type typed struct {
		N    int            `json:"n"`
		B    bool           `json:"b"`
		Num  json.Number    `json:"num"`
		List []int          `json:"list"`
		Own  refusing       `json:"own"`
		Map  map[string]int `json:"map"`
	}
	for _, text := range []string{
		`"%s`, `%s`, `{"n":1} %s`, `{"n":"%s"}`, `{"b":"%s"}`, `{"num":"%s"}`, `{"list":["%s"]}`, `{"own":"%s"}`,
		`{"x":"%s","x":1}`, `{"n":"%s\q"}`, `{"n":%s}`, `["%s"]`, `{"map":{"k":"%s"}}`, "{\"n\":\"%s\xff\"}", `{"other":"%s"}`,
	} {
		text := []byte(strings.ReplaceAll(text, "%s", canary))
		var v typed
		for _, err := range []error{
			strictjson.Unmarshal(text, &v), strictjson.UnmarshalExact(text, &v), second(strictjson.Object(text)),
		} {
			if err != nil && strings.Contains(fmt.Sprintf("%v %+v", err, errors.Unwrap(err)), canary) {
				t.Errorf("%s: %v", text, err)
			}
		}
		if strictjson.UnmarshalExact(text, &v) == nil {
			t.Errorf("%s was accepted", text)
		}
	}
}

// refusing is a type whose own decoder quotes what it is given, as those of the
// standard library do.
type refusing struct{}

func (refusing) UnmarshalText(text []byte) error { return fmt.Errorf("cannot read %q", text) }

func second[V any](_ V, err error) error { return err }
