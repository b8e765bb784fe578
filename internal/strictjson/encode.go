package strictjson

import (
	"encoding/json"
	"fmt"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Marshal writes v as compact JSON: no white space, no HTML escaping, members
// of maps in order of their names, and numbers with the digits they came with.
// Equal values have equal text.
func Marshal(v any) ([]byte, error) {
	data, err := jsonv2.Marshal(v, jsonv2.Deterministic(true), jsonv2.WithMarshalers(digits))
	if err != nil {
		return nil, fmt.Errorf("strictjson: %w", redact(err))
	}
	return data, nil
}

// digits writes a json.Number as the number it is; the v2 encoder would take it
// for the string it is made of.
var digits = jsonv2.MarshalToFunc(func(enc *jsontext.Encoder, n json.Number) error {
	return enc.WriteValue(jsontext.Value(n))
})
