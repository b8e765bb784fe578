package claims

import (
	"encoding/json"
	"maps"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// measure goes through values in the form of copying, without writing them.
type measure struct {
	// bytes is the length of what strictjson.Marshal writes.
	bytes int
	// twins tells whether an object holds names that fold to one, which a strict
	// reader, our own included, would refuse.
	twins bool
}

func (m *measure) value(v any) {
	switch v := v.(type) {
	case nil:
		m.bytes += len("null")
	case bool:
		m.bytes += len("true")
		if !v {
			m.bytes++
		}
	case string:
		m.string(v)
	case json.Number:
		m.bytes += len(v)
	case []any:
		m.punctuation(len(v))
		for _, element := range v {
			m.value(element)
		}
	case map[string]any:
		m.object(v)
	}
}

func (m *measure) object(o Object) {
	m.twins = m.twins || strictjson.FoldsTogether(o)
	m.punctuation(len(o))
	for name, member := range o {
		m.name(name)
		m.value(member)
	}
}

// changes measures a node as the merge patch that it is.
func (m *measure) changes(d descend) {
	m.twins = m.twins || d.foldsTogether()
	m.punctuation(len(d))
	for name, n := range d {
		m.name(name)
		switch n := n.(type) {
		case descend:
			m.changes(n)
		case replace:
			m.value(n.value)
		case remove:
			m.value(nil)
		}
	}
}

// foldsTogether passes over deleted names: they leave no trace in the claims.
func (d descend) foldsTogether() bool {
	set := maps.Clone(d)
	maps.DeleteFunc(set, func(_ string, n node) bool { return n == remove{} })
	return strictjson.FoldsTogether(set)
}

// punctuation counts the brackets around n parts and the commas between them.
func (m *measure) punctuation(n int) { m.bytes += len("{}") + max(n-1, 0) }

func (m *measure) name(s string) {
	m.string(s)
	m.bytes += len(":")
}

// string counts quotes and escapes (RFC 8259 §7): only the quotation mark, the
// backslash and control characters are escaped.
func (m *measure) string(s string) {
	m.bytes += len(s) + len(`""`)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			m.bytes += escapeLength(c) - 1
		}
	}
}

func escapeLength(c byte) int {
	switch c {
	case '"', '\\', '\b', '\f', '\n', '\r', '\t':
		return len(`\n`)
	}
	return len(`\u0000`)
}
