package strictjson

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// appendValue writes a value as Parse makes them, without reflection. It is the
// way of token payloads, which are written at every mint.
func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		if v {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case string:
		return appendString(dst, v)
	case json.Number:
		if !IsNumber(string(v)) {
			return nil, errNotNumber
		}
		return append(dst, v...), nil
	case []any:
		return appendArray(dst, v, depth)
	case map[string]any:
		return appendObject(dst, v, depth)
	}
	return appendGo(dst, v, depth)
}

func appendString(dst []byte, s string) ([]byte, error) {
	dst, err := jsontext.AppendQuote(dst, s)
	if err != nil {
		return nil, errNotUTF8
	}
	return dst, nil
}

func appendArray(dst []byte, list []any, depth int) ([]byte, error) {
	if depth <= 0 {
		return nil, ErrDepth
	}
	dst = append(dst, '[')
	for i, v := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendValue(dst, v, depth-1); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, object map[string]any, depth int) ([]byte, error) {
	if depth <= 0 {
		return nil, ErrDepth
	}
	if FoldsTogether(object) {
		return nil, ErrDuplicateName
	}
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(object)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendString(dst, name); err != nil {
			return nil, err
		}
		if dst, err = appendValue(append(dst, ':'), object[name], depth-1); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendGo writes a value of some other Go type that stands among the others.
func appendGo(dst []byte, v any, depth int) ([]byte, error) {
	text, err := marshalGo(v)
	if err != nil {
		return nil, err
	}
	if _, err := ParseDepth(text, depth); err != nil {
		return nil, err
	}
	return append(dst, text...), nil
}
