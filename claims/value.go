package claims

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Object is a JSON object. Values are nil, bool, string, json.Number, []any and
// map[string]any.
type Object = map[string]any

// copier brings values from outside into the one form that the package works
// on: only the types of Object, only text and numbers that JSON can express, no
// null members, and nothing shared with the original. What cannot be brought into
// that form is left out, and the first such fault is remembered.
type copier struct{ fault *Error }

// value copies v, which may nest depth levels. It answers false where v is left
// out.
func (c *copier) value(v any, depth int) (any, bool) {
	switch v := v.(type) {
	case nil, bool:
		return v, true
	case string:
		return v, utf8.ValidString(v) || c.refuse(errNotUTF8)
	case json.Number:
		return v, strictjson.IsNumber(string(v)) || c.refuse(errNotNumber)
	case map[string]any:
		return c.object(v, depth)
	case []any:
		return c.array(v, depth)
	case []string:
		return c.strings(v, depth)
	}
	return c.goValue(v, depth)
}

func (c *copier) object(v map[string]any, depth int) (any, bool) {
	if depth <= 0 {
		return nil, c.refuse(errTooDeep)
	}
	out := make(Object, len(v))
	for name, member := range v {
		before := c.fault
		if m, ok := c.value(member, depth-1); ok && m != nil && c.name(name) {
			out[name] = m
		}
		c.nameMember(before, name)
	}
	return out, true
}

func (c *copier) array(v []any, depth int) (any, bool) {
	if depth <= 0 {
		return nil, c.refuse(errTooDeep)
	}
	out := make([]any, 0, len(v))
	for _, element := range v {
		if e, ok := c.value(element, depth-1); ok {
			out = append(out, e)
		}
	}
	return out, true
}

func (c *copier) strings(v []string, depth int) (any, bool) {
	list := make([]any, len(v))
	for i, s := range v {
		list[i] = s
	}
	return c.array(list, depth)
}

// goValue copies a Go value that no JSON decoder made, by way of its text.
func (c *copier) goValue(v any, depth int) (any, bool) {
	text, err := strictjson.Marshal(v)
	if err != nil {
		return nil, c.refuse(errNotJSON)
	}
	parsed, _ := strictjson.Parse(text) // Marshal writes nothing that Parse would refuse
	return c.value(parsed, depth)
}

func (c *copier) name(name string) bool { return utf8.ValidString(name) || c.refuse(errNotUTF8) }

// refuse remembers the first fault and answers false.
func (c *copier) refuse(fault *Error) bool {
	if c.fault == nil {
		c.fault = fault
	}
	return false
}

// nameMember sets the claim of a fault that was not there before. Every level
// does so on the way out: what remains is the claim, the top-level name. It copies
// the fault, which belongs to the package until then.
func (c *copier) nameMember(before *Error, name string) {
	if before == nil && c.fault != nil {
		c.fault = c.fault.forClaim(name)
	}
}

// clone copies a value that copier has made before.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(Object, len(v))
		for name, member := range v {
			out[name] = clone(member)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = clone(element)
		}
		return out
	}
	return v
}
