package strictjson

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// reader builds values and counts them.
type reader struct {
	dec *jsontext.Decoder
	counter
	// folds tells whether names of an object, which may nest depth levels, are one.
	folds func(object map[string]any, depth int) bool
}

// whole reads one value and nothing after it.
func (r *reader) whole(depth int) (any, error) {
	v, err := r.value(depth)
	if err != nil {
		return nil, err
	}
	if err := atEnd(r.dec); err != nil {
		return nil, err
	}
	return v, nil
}

// counter bounds how many values a text holds. An empty object of two bytes costs
// a hundred in memory, one of seven bytes four hundred.
type counter struct{ left int }

func (c *counter) count() error {
	if c.left--; c.left < 0 {
		return errTooMany
	}
	return nil
}

// value reads the next value, which may nest depth levels.
func (r *reader) value(depth int) (any, error) {
	if err := r.count(); err != nil {
		return nil, err
	}
	switch r.dec.PeekKind() {
	case '{':
		return r.object(depth)
	case '[':
		return r.array(depth)
	}
	return readScalar(r.dec)
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

func (r *reader) array(depth int) (any, error) {
	if err := enter(r.dec, depth); err != nil {
		return nil, err
	}
	list := []any{}
	for r.dec.PeekKind() != ']' {
		v, err := r.value(depth - 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, skipToken(r.dec)
}

func (r *reader) object(depth int) (any, error) {
	if err := enter(r.dec, depth); err != nil {
		return nil, err
	}
	object, twice := map[string]any{}, false
	for r.dec.PeekKind() != '}' {
		tok, err := r.dec.ReadToken()
		if err != nil {
			return nil, syntaxError(err)
		}
		name := tok.String()
		if _, seen := object[name]; seen {
			twice = true
		}
		if object[name], err = r.value(depth - 1); err != nil {
			return nil, err
		}
	}
	if err := skipToken(r.dec); err != nil {
		return nil, err
	}
	if twice || r.folds(object, depth) {
		return nil, ErrDuplicateName
	}
	return object, nil
}

// enter goes into an object or array. It stands before every allocation for what
// is inside.
func enter(dec *jsontext.Decoder, depth int) error {
	if depth <= 0 {
		return ErrDepth
	}
	return skipToken(dec)
}

func skipToken(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != nil {
		return syntaxError(err)
	}
	return nil
}

// newDecoder reads data in place: a decoder does not copy what is in a
// bytes.Buffer. Duplicate names are left to us, who must compare names anyway.
func newDecoder(data []byte) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
}

func atEnd(dec *jsontext.Decoder) error {
	if _, err := dec.ReadToken(); err != io.EOF {
		return errTrailing
	}
	return nil
}
