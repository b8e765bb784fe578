package claims

import "crypto/sha256"

// MaxTemplateBytes is the longest text that ParseTemplate takes. It leaves room for
// white space and long paths around [MaxBytes] of claims.
const MaxTemplateBytes = 16 << 10

// Template is a parsed claim template. It is made by [ParseTemplate], never
// changes, and may be used by any number of goroutines. A nil *Template is a
// template without claims.
type Template struct {
	root   object
	digest [32]byte
}

// ParseTemplate reads a template: a JSON object in which {{ variable }} may
// stand, without quotes, wherever a value may stand. [Variables] lists what may
// be named.
//
// Everything that can be wrong with a template is found here, so that rendering
// cannot fail: the error is a *[SyntaxError] with line and column. Besides broken
// JSON it refuses unknown variables, variables in names or inside strings,
// members named twice (also when the names only fold to one), reserved names at
// the top level, nesting beyond [MaxDepth], text beyond [MaxTemplateBytes], and
// fixed content that alone exceeds [MaxBytes].
//
// To write two opening braces inside a string, escape one: "\u007b{".
func ParseTemplate(text string) (*Template, error) {
	root, err := parse(text)
	if err != nil {
		return nil, err
	}
	return &Template{root: root, digest: sha256.Sum256([]byte(text))}, nil
}

// Render evaluates the template. The result is the caller's own; it is never nil
// and shares nothing with the variables.
//
// A variable that is missing or null takes its member out of the enclosing
// object, or its element out of the enclosing array; so does a literal null. The
// enclosing object or array stays, be it empty. A variable whose value JSON
// cannot express (text that is not UTF-8, a number that is none) or that nests
// too deep is left out as well; [Effective] reports it instead.
func (t *Template) Render(v Variables) Object {
	rendered, _ := t.render(v)
	return rendered
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
