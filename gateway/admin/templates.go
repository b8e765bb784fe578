package admin

import (
	"errors"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// A Template is a claim template.
type Template struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

func (a *Admin) templates(*call) (any, error) {
	list := []Template{}
	for _, name := range slices.Sorted(maps.Keys(a.Core.Templates)) {
		list = append(list, Template{name, a.Core.Templates[name].Text()})
	}
	return list, nil
}

// A Rendering asks for a template's claims.
type Rendering struct {
	// Text is the template; Name, where there is none, that of a configured one.
	Text string `json:"text"`
	Name string `json:"name"`
	// Member, within Organization where it is an external id, is whose claims these
	// are. Default: Variables.
	Member       string `json:"member"`
	Organization string `json:"organization"`
	// Variables stand for those of a member: {"member": {…}, "organization": {…}}.
	Variables claims.Variables `json:"variables"`
}

// A Rendered is a template's claims, or where it is wrong.
type Rendered struct {
	Claims claims.Object `json:"claims,omitempty"`
	// Bytes is how long the claims are as compact JSON, Limit how long they may be.
	Bytes int            `json:"bytes"`
	Limit int            `json:"limit"`
	Error *TemplateError `json:"error,omitempty"`
}

// A TemplateError is what is wrong with a template. Line and Column count from 1 and
// are 0 where it is not about a place.
type TemplateError struct {
	Message string `json:"message"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// renderTemplate answers a mistake in the template as a result: it is what was asked.
func (a *Admin) renderTemplate(c *call) (any, error) {
	var r Rendering
	if err := c.body(&r); err != nil {
		return nil, err
	}
	t, err := a.templateOf(r)
	var syntax *claims.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return Rendered{Limit: claims.MaxBytes, Error: &TemplateError{syntax.Message, syntax.Line, syntax.Column}}, nil
	case err != nil:
		return nil, err
	}
	rendered, err := a.Core.RenderTemplate(c.Context(), t, authn.TemplateSubject{
		Organization: r.Organization, Member: r.Member, Variables: r.Variables,
	})
	var unusable *claims.Error
	if errors.As(err, &unusable) {
		return Rendered{Bytes: rendered.Bytes, Limit: claims.MaxBytes, Error: &TemplateError{Message: unusable.Error()}}, nil
	}
	return Rendered{Claims: rendered.Claims, Bytes: rendered.Bytes, Limit: claims.MaxBytes}, err
}

func (a *Admin) templateOf(r Rendering) (*claims.Template, error) {
	if r.Text != "" {
		return a.Core.ClaimPolicy().ParseTemplate("template", r.Text)
	}
	t, ok := a.Core.Templates[r.Name]
	if !ok {
		return nil, notFound("there is no template of this name")
	}
	return t, nil
}
