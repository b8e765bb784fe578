package claims

import (
	"encoding/json"
	"maps"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// measure goes through values as copier makes them, without writing them.
type measure struct {
	// bytes is the length of what strictjson.Marshal writes.
	bytes int
	// foldDuplicates tells whether an object holds names that fold to one, which a strict
	// reader, our own included, would refuse.
	foldDuplicates bool
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
	m.foldDuplicates = m.foldDuplicates || strictjson.FoldsTogether(o)
	m.punctuation(len(o))
	for name, member := range o {
		m.name(name)
		m.value(member)
	}
}

// overlay measures what a node sets, as the merge patch that would set it:
// deleted names leave no trace in the claims.
func (m *measure) overlay(d descend) {
	set := maps.Clone(d)
	maps.DeleteFunc(set, func(_ string, n node) bool { return n == remove{} })
	m.foldDuplicates = m.foldDuplicates || strictjson.FoldsTogether(set)
	m.punctuation(len(set))
	for name, n := range set {
		m.name(name)
		switch n := n.(type) {
		case descend:
			m.overlay(n)
		case replace:
			m.value(n.value)
		}
	}
}

// deletions measures the names that a node deletes.
func (m *measure) deletions(d descend) {
	for name, n := range d {
		switch n := n.(type) {
		case descend:
			m.deletions(n)
		case remove:
			m.name(name)
		}
	}
}

// fault is what is wrong with what an overlay sets; its nesting is
// bounded where the overlay is made.
func (d descend) fault() *Error {
	var m measure
	m.overlay(d)
	switch {
	case m.foldDuplicates:
		return errFolded.forClaim("")
	case m.bytes > MaxBytes:
		return tooLarge("the changes", m.bytes)
	}
	return nil
}

func (o Overlay) size() int {
	var m measure
	m.overlay(o.root)
	return m.bytes
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
