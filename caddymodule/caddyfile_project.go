package caddymodule

import "slices"

var projectBlock = grammar[Project]{name: "project", words: []word[Project]{
	{
		name: "secret", args: "<value> [sessions|directory|read]...",
		help: "a caller's password, 32 characters or more, and what it opens; default all",
		read: readProjectSecret,
	},
}}

// readProject reads `project <project_id> { … }`.
func readProject(r *reader, a *App) error {
	p, err := once(r, &a.Project)
	if err != nil {
		return err
	}
	if err := r.text(&p.ID); err != nil {
		return err
	}
	return projectBlock.read(r, p)
}

// readProjectSecret reads a password and its scopes. A scope that is none is not
// repeated in the error: it may be the second word of a password without quotes.
func readProjectSecret(r *reader, p *Project) error {
	args, err := r.args(1)
	if err != nil {
		return err
	}
	for _, scope := range args[1:] {
		if !slices.Contains(scopes, scope) {
			return r.wrong()
		}
	}
	s := ProjectSecret{Secret: args[0]}
	if len(args) > 1 {
		s.Scopes = args[1:]
	}
	p.Secrets = append(p.Secrets, s)
	return nil
}
