package claims

import "encoding/json"

// size is the length of what strictjson.Marshal writes for a value in the form
// of copying, counted without writing it.
func size(v any) int {
	switch v := v.(type) {
	case bool:
		if v {
			return len("true")
		}
		return len("false")
	case string:
		return stringSize(v)
	case json.Number:
		return len(v)
	case []any:
		n := punctuation(len(v))
		for _, element := range v {
			n += size(element)
		}
		return n
	case map[string]any:
		n := punctuation(len(v))
		for name, member := range v {
			n += memberSize(name, member)
		}
		return n
	}
	return len("null")
}

// size is the length of the node written as a merge patch.
func (d descend) size() int {
	n := punctuation(len(d))
	for name, child := range d {
		n += stringSize(name) + len(":")
		switch child := child.(type) {
		case descend:
			n += child.size()
		case replace:
			n += size(child.value)
		case remove:
			n += len("null")
		}
	}
	return n
}

func memberSize(name string, value any) int { return stringSize(name) + len(":") + size(value) }

// punctuation is the brackets around n parts and the commas between them.
func punctuation(n int) int { return len("{}") + max(n-1, 0) }

// stringSize counts quotes and escapes (RFC 8259 §7): only the quotation mark,
// the backslash and control characters are escaped.
func stringSize(s string) int {
	n := len(s) + len(`""`)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '\b', c == '\f', c == '\n', c == '\r', c == '\t':
			n += len(`\n`) - 1
		case c < ' ':
			n += len(`\u0000`) - 1
		}
	}
	return n
}
