package strictjson

import (
	"encoding/json"
	"slices"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects may nest where the caller names no
// bound of its own. A scalar has depth zero, {} and [] have depth one.
const MaxDepth = 64

// MaxValues is how many values, scalars as well as arrays and objects, a text may
// hold. It bounds the memory that a text of a given size can claim.
const MaxValues = 1 << 15

// Parse reads exactly one JSON value of at most MaxDepth levels. Objects are
// map[string]any, arrays []any, numbers json.Number; neither maps nor slices are
// ever nil.
func Parse(data []byte) (any, error) { return ParseDepth(data, MaxDepth) }

// ParseDepth is Parse with a nesting bound of the caller's; with 0 only scalars
// are accepted.
func ParseDepth(data []byte, depth int) (any, error) {
	return (&reader{dec: newDecoder(data), counter: counter{MaxValues}, folds: foldsTogether}).whole(depth)
}

func foldsTogether(object map[string]any, _ int) bool { return FoldsTogether(object) }

// Object is Parse for a value that must be an object; any other is
// ErrNotObject.
func Object(data []byte) (map[string]any, error) {
	v, err := Parse(data)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, ErrNotObject
	}
	return o, nil
}

// Claims is Object for the claims of a token, whose issuer may have two that differ in
// case only: names fold only onto the given ones, which are lower case, and at the top
// only.
func Claims(data []byte, registered ...string) (map[string]any, error) {
	r := reader{dec: newDecoder(data), counter: counter{MaxValues}, folds: func(object map[string]any, depth int) bool {
		return depth == MaxDepth && foldOnto(object, registered)
	}}
	v, err := r.whole(MaxDepth)
	if err != nil {
		return nil, err
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, ErrNotObject
	}
	return o, nil
}

func foldOnto(object map[string]any, registered []string) bool {
	if !mayFold(object) {
		return false
	}
	seen := map[string]bool{}
	for name := range object {
		folded := Fold(name)
		if seen[folded] {
			return true
		}
		seen[folded] = slices.Contains(registered, folded)
	}
	return false
}

// Unmarshal reads one JSON value of at most MaxDepth levels into v, a pointer to
// a struct. Members that v does not name are passed over, or kept where v has a
// map tagged `json:",embed"`. Every `any` inside v becomes what Parse would make
// of it.
//
// The whole text is checked first: where it breaks a rule of this package, v is
// not touched. A value of the wrong type is a *[TypeError]; v may then be filled
// in part.
func Unmarshal(data []byte, v any) error { return unmarshal(data, v) }

// UnmarshalExact is Unmarshal for a value that may hold only members that v
// names; any other is an *[UnknownNameError].
func UnmarshalExact(data []byte, v any) error {
	return unmarshal(data, v, jsonv2.RejectUnknownMembers(true))
}

func unmarshal(data []byte, v any, opts ...jsonv2.Options) error {
	if err := check(data, MaxValues); err != nil {
		return err
	}
	opts = append(opts, exact, jsontext.AllowDuplicateNames(true)) // check has seen to those
	if err := jsonv2.Unmarshal(data, v, opts...); err != nil {
		return redact(err)
	}
	return nil
}

// exact makes every number without a type of its own keep its digits.
var exact = jsonv2.WithUnmarshalers(jsonv2.JoinUnmarshalers(
	jsonv2.UnmarshalFromFunc(func(dec *jsontext.Decoder, v *any) (err error) {
		r := reader{dec: dec, counter: counter{MaxValues}, folds: foldsTogether}
		*v, err = r.value(MaxDepth)
		return err
	}),
	jsonv2.UnmarshalFromFunc(readNumber),
))

// readNumber reads a member of type json.Number, which the v2 decoder would take
// for the string it is made of.
func readNumber(dec *jsontext.Decoder, n *json.Number) error {
	switch dec.PeekKind() {
	case '0', 'n':
	default:
		return errNotNumber
	}
	v, err := readScalar(dec)
	*n, _ = v.(json.Number)
	return err
}
