package claims

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// scanner reads the words of a template one after another.
type scanner struct {
	text string
	pos  int // in bytes
}

const whiteSpace = " \t\r\n" // RFC 8259 §2

func (s *scanner) rest() string { return s.text[s.pos:] }

func (s *scanner) at(word string) bool { return strings.HasPrefix(s.rest(), word) }

func (s *scanner) space() {
	s.pos = len(s.text) - len(strings.TrimLeft(s.rest(), whiteSpace))
}

func (s *scanner) take(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// string reads a string. Its raw text must not hold "{{": its author
// expects a variable to be inserted, which would let a value write JSON.
func (s *scanner) string(spliced string) (string, error) {
	start := s.pos
	end, ok := closingQuote(s.rest())
	if !ok {
		return "", s.fail(CodeTemplateJSON, "a string without end")
	}
	raw := s.rest()[:end]
	if i := strings.Index(raw, "{{"); i >= 0 {
		return "", s.failAt(start+i, CodeTemplateTag, "%s", spliced)
	}
	v, err := strictjson.Parse([]byte(raw))
	if err != nil {
		return "", s.fail(CodeTemplateJSON, "not a JSON string; look for control characters and escapes")
	}
	s.pos += end
	return v.(string), nil
}

// closingQuote is where the string that s begins with has ended. No string goes
// beyond its line.
func closingQuote(s string) (int, bool) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		case '\n':
			return 0, false
		}
	}
	return 0, false
}

// plain reads a number or one of the three words of JSON.
func (s *scanner) plain() (expression, error) {
	if n := strictjson.NumberLength(s.rest()); n > 0 {
		l := literal{json.Number(s.rest()[:n])}
		s.pos += n
		return l, nil
	}
	words := [...]struct {
		text  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}}
	for _, w := range words {
		if s.at(w.text) {
			s.pos += len(w.text)
			return literal{w.value}, nil
		}
	}
	return nil, s.fail(CodeTemplateJSON, "expected a value")
}

// tag reads a variable in its braces.
func (s *scanner) tag() (expression, error) {
	start := s.pos
	inside, _, closed := strings.Cut(s.text[start+len("{{"):], "}}")
	if !closed || strings.ContainsAny(inside, "{}") {
		return nil, s.fail(CodeTemplateMismatched, "{{ without }}")
	}
	name, filter, filtered := strings.Cut(inside, "|")
	path := strings.Trim(name, whiteSpace)
	at := start + len("{{") + strings.Index(inside, path)
	if path == "" {
		return nil, s.failAt(at, CodeTemplateTag, "expected a variable")
	}
	if i := strings.IndexFunc(path, outsidePath); i >= 0 {
		return nil, s.failAt(at+i, CodeTemplateTag, "a tag holds the path of one variable and nothing else")
	}
	e, err := compile(path)
	if err != nil {
		return nil, s.failAt(at, CodeTemplateTag, "%v", err)
	}
	if filtered {
		otherwise, err := readDefault(filter)
		if err != nil {
			return nil, s.failAt(start+len("{{")+len(name), CodeTemplateTag, "%v", err)
		}
		e = defaulted{e, otherwise}
	}
	s.pos = start + len("{{") + len(inside) + len("}}")
	return e, nil
}

var errDefault = errors.New(`expected | default(value) with a text, number, true, false or array; write braces as \u007b and \u007d`)

// readDefault reads what follows the bar in a tag.
func readDefault(filter string) (expression, error) {
	inside, ok := strings.CutPrefix(strings.Trim(filter, whiteSpace), "default(")
	text, closed := strings.CutSuffix(inside, ")")
	if !ok || !closed {
		return nil, errDefault
	}
	value, err := strictjson.Parse([]byte(text))
	if err != nil || value == nil {
		return nil, errDefault
	}
	return constant(value), nil
}

func outsidePath(r rune) bool { return r == '"' || unicode.IsSpace(r) || unicode.IsControl(r) }

func (s *scanner) fail(code, format string, args ...any) error {
	return s.failAt(s.pos, code, format, args...)
}

func (s *scanner) failAt(pos int, code, format string, args ...any) error {
	before := s.text[:pos]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &SyntaxError{
		Line:    1 + strings.Count(before, "\n"),
		Column:  1 + utf8.RuneCountInString(line),
		Code:    code,
		Message: fmt.Sprintf(format, args...),
	}
}
