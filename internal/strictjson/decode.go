package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is how deep arrays and objects may nest where the caller names no
// bound of its own.
const MaxDepth = 64

var (
	// ErrDepth reports a value that nests deeper than allowed.
	ErrDepth = errors.New("strictjson: nested too deep")
	// ErrDuplicateName reports an object that names one member twice, or two
	// members whose names fold to one.
	ErrDuplicateName = errors.New("strictjson: duplicate member name")
	// ErrNotObject reports a value other than an object where one is required.
	ErrNotObject = errors.New("strictjson: not an object")
)

// Parse reads exactly one JSON value of at most MaxDepth levels. Objects are
// map[string]any, arrays []any, numbers json.Number.
func Parse(data []byte) (any, error) { return ParseDepth(data, MaxDepth) }

// ParseDepth is Parse with a nesting bound of the caller's. A scalar has depth
// zero.
func ParseDepth(data []byte, depth int) (any, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	v, err := readValue(dec, depth)
	if err != nil {
		return nil, err
	}
	return v, atEnd(dec)
}

// Object is Parse for a value that must be an object.
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

// Unmarshal reads one JSON value into v, a struct. Members that v does not name
// are ignored, or kept where v has a field tagged `json:",embed"`.
func Unmarshal(data []byte, v any) error { return unmarshal(data, v) }

// UnmarshalExact is Unmarshal for a value that may hold only members that v
// names.
func UnmarshalExact(data []byte, v any) error {
	return unmarshal(data, v, jsonv2.RejectUnknownMembers(true))
}

func unmarshal(data []byte, v any, opts ...jsonv2.Options) error {
	if err := check(data); err != nil {
		return err
	}
	opts = append(opts, jsonv2.WithUnmarshalers(exactNumbers))
	if err := jsonv2.Unmarshal(data, v, opts...); err != nil {
		return fmt.Errorf("strictjson: %w", redact(err))
	}
	return nil
}

// exactNumbers makes every `any` inside a struct keep its digits.
var exactNumbers = jsonv2.UnmarshalFromFunc(func(dec *jsontext.Decoder, v *any) (err error) {
	*v, err = readValue(dec, MaxDepth)
	return err
})

func check(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := readValue(dec, MaxDepth); err != nil {
		return err
	}
	return atEnd(dec)
}

func atEnd(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != io.EOF {
		return errors.New("strictjson: text after the value")
	}
	return nil
}

func readValue(dec *jsontext.Decoder, depth int) (any, error) {
	switch dec.PeekKind() {
	case '{':
		return readObject(dec, depth)
	case '[':
		return readArray(dec, depth)
	}
	return readScalar(dec)
}

func readScalar(dec *jsontext.Decoder) (any, error) {
	tok, err := dec.ReadToken()
	if err != nil {
		return nil, syntaxError(err)
	}
	switch tok.Kind() {
	case 'n':
		return nil, nil
	case 't', 'f':
		return tok.Bool(), nil
	case '0':
		return json.Number(tok.String()), nil
	}
	return tok.String(), nil
}

func readArray(dec *jsontext.Decoder, depth int) (any, error) {
	if err := enter(dec, depth); err != nil {
		return nil, err
	}
	list := []any{}
	for dec.PeekKind() != ']' {
		v, err := readValue(dec, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, leave(dec)
}

func readObject(dec *jsontext.Decoder, depth int) (any, error) {
	if err := enter(dec, depth); err != nil {
		return nil, err
	}
	object := map[string]any{}
	for dec.PeekKind() != '}' {
		tok, err := dec.ReadToken()
		if err != nil {
			return nil, syntaxError(err)
		}
		name := tok.String()
		if object[name], err = readValue(dec, depth-1); err != nil {
			return nil, err
		}
	}
	if FoldsTogether(object) {
		return nil, ErrDuplicateName
	}
	return object, leave(dec)
}

func enter(dec *jsontext.Decoder, depth int) error {
	if depth <= 0 {
		return ErrDepth
	}
	return leave(dec)
}

func leave(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return nil
}
