package caddymodule

import (
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// noteSources keeps where the block and what it names stand, for errors that only
// show when the configuration is loaded. What an earlier block named has its place.
func (a *App) noteSources(r *grammar.Reader) {
	a.Source = or(a.Source, r.Source(nil))
	for name, p := range a.Profiles {
		p.Source = or(p.Source, r.Source(grammar.Place{"profile", name}))
	}
	for name, t := range a.Templates {
		t.Source = or(t.Source, r.Source(grammar.Place{"template", name}))
	}
}

// located adds the file and line to an error, or to each of several.
func (a *App) located(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range several.Unwrap() {
			all = append(all, a.located(one))
		}
		return errors.Join(all...)
	}
	var problem *grammar.Problem
	if errors.As(err, &problem) {
		return withSource(err, a.sourceOf(problem.Place))
	}
	return withSource(err, a.Source)
}

// sourceOf is where a place of the configuration stands, as nearly as was kept.
func (a *App) sourceOf(place grammar.Place) string {
	if len(place) < 2 {
		return a.Source
	}
	switch kind, name := place[0], place[1]; {
	case kind == "profile" && a.Profiles[name] != nil:
		return or(a.Profiles[name].Source, a.Source)
	case kind == "template" && a.Templates[name] != nil:
		return or(a.Templates[name].Source, a.Source)
	}
	return a.Source
}

// withSource adds the file and line to an error, as Caddy does when it adapts.
func withSource(err error, source string) error {
	if err == nil || source == "" {
		return err
	}
	return fmt.Errorf("%w, at %s", err, source)
}
