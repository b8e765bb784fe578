package strictjson

import (
	"encoding/json"
	"math"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Marshal writes v as compact JSON: no white space, no HTML escaping, members of
// maps in the order of their names, and numbers with the digits they came with.
// Equal values have equal text. Nil slices are written [], nil maps {}.
//
// It writes nothing that this package would not read: names that fold to one,
// text that is not UTF-8, numbers that are none, and nesting beyond MaxDepth are
// errors here rather than a record that no one can open afterwards. Only the
// number of values is not bounded: an answer may list more than a request may hold.
func Marshal(v any) ([]byte, error) {
	switch v := v.(type) {
	case map[string]any, []any:
		return appendValue(make([]byte, 0, 512), v, MaxDepth)
	}
	return marshalGo(v)
}

// marshalGo writes any Go value.
func marshalGo(v any) ([]byte, error) {
	data, err := jsonv2.Marshal(v, jsonv2.Deterministic(true), generic)
	if err != nil {
		return nil, redact(err)
	}
	if err := check(data, math.MaxInt); err != nil {
		return nil, err
	}
	return data, nil
}

// generic writes a json.Number as the number it is; the v2 encoder would take it
// for the string it is made of.
var generic = jsonv2.WithMarshalers(jsonv2.MarshalToFunc(func(enc *jsontext.Encoder, n json.Number) error {
	if !IsNumber(string(n)) {
		return errNotNumber // in particular, no other JSON can be smuggled in
	}
	return enc.WriteValue(jsontext.Value(n))
}))
