package caddymodule

import (
	"slices"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// Project is the one project of a gateway: the name under which callers of the
// session API present themselves by HTTP Basic, with a secret as the password.
type Project struct {
	// The user name of a caller, and the audience of the JWTs that the session
	// API hands out: 1 to 128 of A–Z a–z 0–9 . _ ~ -
	ID string `json:"id"`

	// The passwords of callers. Default: none, so that nobody may call.
	Secrets []ProjectSecret `json:"secrets,omitempty"`
}

// ProjectSecret is one password and what it opens.
type ProjectSecret struct {
	// The password, at least 32 characters.
	Secret string `json:"secret"`

	// What the password opens: `sessions` (sessions, reading roles, whoami),
	// `directory` (organizations and members), `read` (of the others named here,
	// or of everything if it stands alone, only what changes nothing).
	// Default: everything.
	Scopes []string `json:"scopes,omitempty"`
}

// allows tells whether the secret opens any of the API's parts `sessions` or
// `directory`.
func (s ProjectSecret) allows(part string) bool {
	named := false
	for _, scope := range s.Scopes {
		if scope == part {
			return true
		}
		named = named || scope != scopeRead
	}
	return !named
}

// The words of ProjectSecret.Scopes; the first two are also words of API.Serve.
const (
	scopeSessions  = "sessions"
	scopeDirectory = "directory"
	scopeRead      = "read"
)

var projectBlock = grammar.Block[Project]{Name: "project", Lines: []grammar.Line[Project]{
	grammar.Custom("secret", "<value> [sessions|directory|read]...", "a caller's password, 32 characters or more, and what it opens; default all", readProjectSecret),
}}

// readProjectSecret reads a password and its scopes. A scope that is none is not
// repeated in the error: it may be the second word of a password without quotes.
func readProjectSecret(r *grammar.Reader, p *Project) error {
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	for _, scope := range args[1:] {
		if !slices.Contains(scopes, scope) {
			return r.Wrong()
		}
	}
	s := ProjectSecret{Secret: args[0]}
	if len(args) > 1 {
		s.Scopes = args[1:]
	}
	p.Secrets = append(p.Secrets, s)
	return nil
}

// project checks who may call.
func (c *checker) project(a *App) {
	p := a.Project
	if p == nil {
		return
	}
	at := grammar.Place{"project"}
	c.Form(at, p.ID, projectForm, wantProject)
	var secrets []string
	for _, s := range p.Secrets {
		secrets = append(secrets, s.Secret)
		c.Choices(at.At("secret"), s.Scopes, scopes...)
	}
	c.callers(at.At("secret"), secrets)
}
