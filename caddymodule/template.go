package caddymodule

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/claims"
)

// Template is a claim template: a JSON object in which {{ variables }} stand for
// values. Caddy's placeholders are never replaced in it.
type Template struct {
	// The template itself. Either this or a file.
	Text string `json:"text,omitempty"`

	// The file that holds the template.
	File string `json:"file,omitempty"`

	// Where the template stands in a Caddyfile, for errors that are found when the
	// configuration is loaded; the adapter writes it. Default: unknown.
	Source string `json:"source,omitempty"`
}

// templateText is the place of a template's own text.
const templateText = "text"

// readTemplate reads `template <name> <heredoc>` or `template <name> file
// <path>`. Only a heredoc or quotes keep a template one word.
func readTemplate(r *grammar.Reader, a *App) error {
	args, err := r.Args(2)
	if err != nil {
		return err
	}
	name := args[0]
	if _, ok := a.Templates[name]; ok {
		return r.Errf("template '%s' is already defined", name)
	}
	switch {
	case len(args) == 2:
		r.MarkToken(r.Path.At(name, templateText), r.Token())
		grammar.Put(&a.Templates, name, &Template{Text: args[1]})
	case len(args) == 3 && args[1] == "file":
		grammar.Put(&a.Templates, name, &Template{File: args[2]})
	default:
		return r.Wrong()
	}
	return nil
}

// template checks a claim template, and its text if it stands here.
func (c *checker) template(at grammar.Place, name string, t *Template, policy claims.Policy) {
	c.Form(at, name, nameForm, wantName)
	if (t.Text == "") == (t.File == "") {
		c.Refuse(at, "expected either the text of a template or 'file <path>'")
		return
	}
	if t.File != "" {
		c.paths(at, t.File)
		return
	}
	if _, err := policy.ParseTemplate(name, t.Text); err != nil {
		c.Problems = append(c.Problems, templateProblem(at.At(templateText), err))
	}
}

// templateProblem is what is wrong with a template, counted in its own lines.
func templateProblem(at grammar.Place, err error) *grammar.Problem {
	var syntax *claims.SyntaxError
	if !errors.As(err, &syntax) {
		return &grammar.Problem{Place: at, Text: err.Error()}
	}
	return &grammar.Problem{
		Place: at,
		Text:  fmt.Sprintf("line %d, column %d: %s", syntax.Line, syntax.Column, syntax.Message),
		Line:  syntax.Line,
	}
}

// byteOrderMark is what some editors begin a file with; JSON has none (RFC 8259,
// section 8.1).
const byteOrderMark = "\ufeff"

// parseTemplates reads the claim templates; a mistake in one names its line and
// column. Caddy's replacer never touches their text.
func (a *App) parseTemplates() (map[string]*claims.Template, error) {
	policy := a.claimPolicy()
	parsed := make(map[string]*claims.Template, len(a.Templates))
	for name, t := range sorted(a.Templates) {
		at, text := grammar.Place{"template", name}, t.Text
		if t.File != "" {
			data, err := os.ReadFile(t.File)
			if err != nil {
				return nil, &grammar.Problem{Place: at, Text: err.Error()}
			}
			text = strings.TrimPrefix(string(data), byteOrderMark)
		}
		template, err := policy.ParseTemplate(name, text)
		if err != nil {
			return nil, templateProblem(at.At(t.File), err)
		}
		parsed[name] = template
	}
	return parsed, nil
}

// tokenClaims are the claims of tokens that any of the templates names.
func tokenClaims(templates map[string]*claims.Template) []string {
	var paths []string
	for _, t := range templates {
		paths = append(paths, t.TokenClaims()...)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
