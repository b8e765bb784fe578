package claims

import (
	"fmt"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// parse reads the text of a template.
//
//	template  = object
//	value     = object / array / string / number / "true" / "false" / "null" / tag
//	tag       = "{{" ws path ws [ "|" ws "default(" value ")" ws ] "}}"
//	path      = segment *( "." segment )
//	segment   = 1*( any character but white space and . { } | " )
//
// The value of a default holds no tag and no braces.
//
// Everything else is RFC 8259. "{{" cannot begin a JSON value, so a tag is never
// mistaken for one.
func (policy Policy) parse(text string) (object, error) {
	if err := checkText(text); err != nil {
		return nil, err
	}
	p := parser{scanner{text: text}, policy}
	p.space()
	if !p.at("{") || p.at("{{") {
		return nil, p.fail(CodeTemplateJSON, "a template is a JSON object")
	}
	root, err := p.object(MaxDepth)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(text) {
		return nil, p.fail(CodeTemplateJSON, "text after the end of the object")
	}
	return root, checkFixed(root)
}

// checkText bounds the work before any is done.
func checkText(text string) error {
	if len(text) > MaxTemplateBytes {
		return &SyntaxError{1, 1, CodeTooLarge, fmt.Sprintf("the template is longer than %d bytes", MaxTemplateBytes)}
	}
	for i, r := range text {
		if r != utf8.RuneError {
			continue
		}
		if _, n := utf8.DecodeRuneInString(text[i:]); n == 1 {
			return (&scanner{text: text, pos: i}).fail(CodeTemplateJSON, "not UTF-8")
		}
	}
	return nil
}

// checkFixed refuses a template that does not fit without any variable, as it may have
// to.
func checkFixed(root object) error {
	var r rendering
	least, _ := root.render(&r, MaxDepth)
	var m measure
	if m.value(least); m.bytes > MaxBytes {
		return &SyntaxError{1, 1, CodeTooLarge, fmt.Sprintf("the fixed claims alone come to %d bytes of JSON, the limit is %d", m.bytes, MaxBytes)}
	}
	return nil
}

type parser struct {
	scanner
	policy Policy
}

// value reads the value that begins at pos. It may hold depth levels.
func (p *parser) value(depth int) (expression, error) {
	switch {
	case p.at("{{"):
		return p.tag()
	case p.at("{"):
		return p.object(depth)
	case p.at("["):
		return p.array(depth)
	case p.at(`"`):
		s, err := p.string("a variable inside a string; write it alone, without quotes")
		return literal{s}, err
	case p.at("}}"):
		return nil, p.fail(CodeTemplateMismatched, "expected a value, found }} without {{")
	}
	return p.plain()
}

func (p *parser) object(depth int) (object, error) {
	if depth <= 0 {
		return nil, p.fail(CodeTemplateJSON, "nested too deep")
	}
	o := object{}
	names := map[string]struct{}{}
	err := p.list('}', func() error {
		name, err := p.name(names, depth == MaxDepth)
		if err != nil {
			return err
		}
		value, err := p.value(depth - 1)
		o = append(o, member{name, value})
		return err
	})
	return o, err
}

func (p *parser) array(depth int) (array, error) {
	if depth <= 0 {
		return nil, p.fail(CodeTemplateJSON, "nested too deep")
	}
	a := array{}
	err := p.list(']', func() error {
		value, err := p.value(depth - 1)
		a = append(a, value)
		return err
	})
	return a, err
}

// list reads the bracket at pos, the parts of the list, and the closing bracket.
func (p *parser) list(end byte, part func() error) error {
	p.pos++
	if p.space(); p.take(end) {
		return nil
	}
	for {
		if err := part(); err != nil {
			return err
		}
		if p.space(); p.take(end) {
			return nil
		}
		if !p.take(',') {
			return p.fail(CodeTemplateJSON, "expected , or %c", end)
		}
		p.space()
	}
}

// name reads the name of a member and the colon. Names already seen are refused,
// and at the top level those that are reserved.
func (p *parser) name(seen map[string]struct{}, top bool) (string, error) {
	start := p.pos
	if p.at("{{") {
		return "", p.fail(CodeTemplateTag, "a variable cannot be a name")
	}
	if !p.at(`"`) {
		return "", p.fail(CodeTemplateJSON, "expected a name in quotes")
	}
	name, err := p.string("a variable cannot be part of a name")
	if err != nil {
		return "", err
	}
	if fault := p.policy.reservation(name); top && fault != nil {
		return "", p.failAt(start, fault.Code, "%s is a reserved name", quote(name))
	}
	folded := strictjson.Fold(name)
	if _, twice := seen[folded]; twice {
		return "", p.failAt(start, CodeTemplateJSON, "the name %s stands here already (upper and lower case are one)", quote(name))
	}
	seen[folded] = struct{}{}
	if p.space(); !p.take(':') {
		return "", p.fail(CodeTemplateJSON, "expected :")
	}
	p.space()
	return name, nil
}
