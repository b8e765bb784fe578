package claims

import (
	"crypto/sha256"
	"strings"
)

// MaxTemplateBytes is the longest text that [Policy.ParseTemplate] takes. It allows for
// white space and long paths around [MaxBytes] of claims.
const MaxTemplateBytes = 16 << 10

// Template is a parsed claim template. It is made by [Policy.ParseTemplate], never
// changes, and may be used by any number of goroutines. A nil *Template is a
// template without claims.
type Template struct {
	name   string
	text   string
	root   object
	digest [32]byte
}

// ParseTemplate reads a template: a JSON object in which {{ variable }} may
// stand, without quotes, wherever a value may stand. [Variables] lists what may
// be named. A byte order mark before it is passed over (RFC 8259 §8.1). The name
// is the one that errors of [Policy.Effective] give the template.
//
// Everything that can be wrong with a template is found here, so that rendering
// cannot fail: the error is a *[SyntaxError] with line and column. Besides broken
// JSON it refuses unknown variables, variables in names or inside strings,
// members named twice (also when the names only fold to one), reserved names at
// the top level, nesting beyond [MaxDepth], text beyond [MaxTemplateBytes], and
// fixed content that alone exceeds [MaxBytes].
//
// To write two opening braces inside a string, escape one: "\u007b{".
func (p Policy) ParseTemplate(name, text string) (*Template, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	root, err := p.parse(text)
	if err != nil {
		return nil, err
	}
	return &Template{name: name, text: text, root: root, digest: sha256.Sum256([]byte(text))}, nil
}

// Text is what the template was read from.
func (t *Template) Text() string { return t.text }

// Render evaluates the template. The result is the caller's own; it is never nil
// and shares nothing with the variables.
//
// A variable that is missing or null takes its member out of the enclosing
// object, or its element out of the enclosing array; so does a literal null. The
// enclosing object or array stays, be it empty. A variable whose value JSON
// cannot express (text that is not UTF-8, a number that is none) or that nests
// too deep is left out as well; [Policy.Effective] reports it instead.
func (t *Template) Render(v Variables) Object {
	rendered, _ := t.render(v)
	return rendered
}

// Check tells whether the claims that these variables alone make of the template
// stay within [MaxBytes] and [MaxDepth]. It is asked when a variable's value is
// written, with nothing but that value, so that one that can never be minted is
// refused where it is made. The error is an *[Error] that names template and claim.
func (t *Template) Check(v Variables) error {
	rendered, fault := t.render(v)
	if fault == nil {
		fault = checkLimits(rendered)
	}
	if fault == nil {
		return nil
	}
	return fault.forTemplate(t)
}

// Digest identifies the text the template was parsed from: its SHA-256, or zero
// for a nil Template. It costs nothing to ask for.
func (t *Template) Digest() [32]byte {
	if t == nil {
		return [32]byte{}
	}
	return t.digest
}

func (t *Template) render(v Variables) (Object, *Error) {
	if t == nil {
		return Object{}, nil
	}
	r := rendering{variables: v}
	rendered, _ := t.root.render(&r, MaxDepth)
	return rendered.(Object), r.fault
}
