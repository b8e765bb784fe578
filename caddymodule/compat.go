package caddymodule

import (
	"slices"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/directory"
)

// Compat makes the gateway speak another product's dialect.
type Compat struct {
	// The dialect. `stytch`: JWTs are signed with RS256, carry the project id as
	// their first audience, `stytch.com/<project id>` as issuer unless the app
	// sets one, and session and organization under https://stytch.com/ names, so
	// that the official Stytch SDKs verify them. It needs a project.
	Mode string `json:"mode"`

	// The id of the organization whose members the consumer endpoints
	// (/v1/sessions/…) call users. Default: these endpoints are not served.
	ConsumerOrganization string `json:"consumer_organization,omitempty"`
}

// compatStytch is the one value of Compat.Mode.
const compatStytch = "stytch"

var compatBlock = grammar.Block[Compat]{Name: "compat stytch", Lines: []grammar.Line[Compat]{
	grammar.Text("consumer_organization", "<id>", "whose members the consumer endpoints call users",
		func(c *Compat) *string { return &c.ConsumerOrganization }),
}}

// readCompat reads `compat stytch { … }`.
func readCompat(r *grammar.Reader, a *App) error {
	c, err := grammar.Once(r, &a.Compat)
	if err != nil {
		return err
	}
	if err := r.Choice(&c.Mode, compatStytch); err != nil {
		return err
	}
	return compatBlock.Read(r, c)
}

// defaultNamespace is that of the API's external ids under compat, where Stytch has one
// space of them: a member that was made with a token's sub for an external id signs in by
// the token.
func (a *App) defaultNamespace() string {
	if a.Compat != nil && len(a.Profiles) == 1 {
		return directory.NamespaceAPI
	}
	return ""
}

// compatNamespaces asks several profiles whose external ids theirs are: one space would
// make one person of two who have the same sub with two issuers.
func (c *checker) compatNamespaces(a *App) {
	if a.Compat == nil || len(a.Profiles) < 2 {
		return
	}
	for name, p := range sorted(a.Profiles) {
		if p.Namespace == "" {
			c.Refuse(grammar.Place{"profile", name}, "with 'compat stytch' and several profiles each says whose external ids its tokens have: 'namespace api' for those of API callers, as Stytch has them, or 'namespace own' for its own, as it was before")
		}
	}
}

// compat checks what another dialect asks of the rest.
func (c *checker) compat(a *App) {
	if a.Compat == nil {
		return
	}
	at := grammar.Place{"compat"}
	c.Choices(at, []string{a.Compat.Mode}, compatStytch)
	if a.Project == nil {
		c.Refuse(at, "Stytch's dialect names the project in every JWT; add a 'project' here or in an earlier global attest block")
	}
	c.compatNamespaces(a)
	if id := a.Compat.ConsumerOrganization; id != "" {
		c.Form(at.At("consumer_organization"), id, idForm, wantID)
	}
	if a.Keys != nil && !slices.Contains([]string{"", "RS256"}, a.Keys.Algorithm) {
		c.Refuse(grammar.Place{"keys", "algorithm"}, "Stytch's SDKs verify RS256 only, which 'compat stytch' chooses by itself")
	}
}
