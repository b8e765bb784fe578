package strictjson

import (
	"bytes"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// check holds a text of at most so many values against every rule of the package
// without building a value from it.
func check(data []byte, values int) error {
	c := checker{counter: counter{values}, dec: newDecoder(data), data: data, names: make([][]byte, 0, 32)}
	if err := c.value(MaxDepth); err != nil {
		return err
	}
	return atEnd(c.dec)
}

// A checker keeps the names of the objects it is in, each as it is written.
type checker struct {
	counter
	dec   *jsontext.Decoder
	data  []byte
	names [][]byte
}

func (c *checker) value(depth int) error {
	if err := c.count(); err != nil {
		return err
	}
	switch c.dec.PeekKind() {
	case '{':
		return c.object(depth)
	case '[':
		return c.array(depth)
	}
	return skipToken(c.dec)
}

func (c *checker) array(depth int) error {
	if err := enter(c.dec, depth); err != nil {
		return err
	}
	for c.dec.PeekKind() != ']' {
		if err := c.value(depth - 1); err != nil {
			return err
		}
	}
	return skipToken(c.dec)
}

func (c *checker) object(depth int) error {
	if err := enter(c.dec, depth); err != nil {
		return err
	}
	outer := len(c.names)
	for c.dec.PeekKind() != '}' {
		if err := c.member(depth); err != nil {
			return err
		}
	}
	if err := skipToken(c.dec); err != nil {
		return err
	}
	if twice(c.names[outer:]) {
		return ErrDuplicateName
	}
	c.names = c.names[:outer]
	return nil
}

// member keeps the name as it is written, quotes and escapes included. What the
// decoder hands out is only good until the next call, so it is taken from data.
func (c *checker) member(depth int) error {
	if c.dec.PeekKind() != '"' {
		return skipToken(c.dec) // which says what is wrong
	}
	written, err := c.dec.ReadValue()
	if err != nil {
		return syntaxError(err)
	}
	end := int(c.dec.InputOffset())
	c.names = append(c.names, c.data[end-len(written):end])
	return c.value(depth - 1)
}

// twice tells whether two written names are the same or fold to one.
func twice(names [][]byte) bool {
	const few = 32 // up to which comparing each with each is the fastest
	if len(names) > few || slices.ContainsFunc(names, mayEqualAnother) {
		return foldTogether(names)
	}
	for i, name := range names {
		for _, other := range names[:i] {
			if bytes.Equal(name, other) {
				return true
			}
		}
	}
	return false
}

// mayEqualAnother tells whether a name may be equal to one that is written
// differently: an escape may stand for anything.
func mayEqualAnother(name []byte) bool {
	for _, c := range name {
		if c == '\\' || !plainByte(c) {
			return true
		}
	}
	return false
}

func foldTogether(names [][]byte) bool {
	seen := make(map[string]struct{}, len(names))
	for _, written := range names {
		name, _ := jsontext.AppendUnquote(nil, written) // the decoder has read it already
		folded := Fold(string(name))
		if _, twice := seen[folded]; twice {
			return true
		}
		seen[folded] = struct{}{}
	}
	return false
}
