package caddymodule

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/caddyserver/caddy/v2"
)

// minSecret is the least length of the operator's secrets and of a project's, in
// bytes.
const minSecret = 32

var (
	signingAlgorithms = []string{"ES256", "RS256", "EdDSA"}
	scopes            = []string{scopeSessions, scopeDirectory, scopeRead}
	parts             = []string{serveKeys, scopeSessions, scopeDirectory}
)

// app checks all that the app says.
func (c *checker) app(a *App) {
	c.issuer(a)
	c.secrets(a)
	c.project(a)
	c.compat(a)
	c.keys(a)
	c.session(a.Session)
	c.localCache(a)
	for name, t := range sorted(a.Templates) {
		c.template(where{"template", name}, name, t, a.claimPolicy())
	}
	c.sharedUpstreams(a)
	c.roles(a)
	c.organizations(a)
	for name, p := range sorted(a.Profiles) {
		c.profile(where{"profile", name}, name, p, a)
	}
}

// sharedUpstreams checks the addresses of upstreams. Sources of upstreams have a
// text of their own (`srv _http._tcp.app`), so that any text may be one.
func (c *checker) sharedUpstreams(a *App) {
	at := where{"shared_upstream"}
	for _, address := range a.SharedUpstreams {
		if c.known(at.at(address), address) && !isLabel(address) {
			c.refuse(at, "expected addresses as reverse_proxy has them")
		}
	}
	c.unique(at, a.SharedUpstreams)
}

// sorted ranges over a map in the order of its keys, so that the same mistake is
// always reported the same way.
func sorted[V any](m map[string]V) func(yield func(string, V) bool) {
	return func(yield func(string, V) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if !yield(key, m[key]) {
				return
			}
		}
	}
}

// issuer checks what the gateway calls itself.
func (c *checker) issuer(a *App) {
	at := where{"issuer"}
	if a.Issuer == "" || !c.known(at, a.Issuer) {
		return
	}
	if a.Compat == nil {
		c.projectIsNot(at, a, a.Issuer)
	}
	if a.Compat != nil && a.Issuer == a.stytchIssuer() {
		return
	}
	c.url(at, a.Issuer, "http", "https")
	if strings.HasSuffix(a.Issuer, "/") || strings.Contains(a.Issuer, "?") {
		c.refuse(at, "expected a URL without a trailing slash and without a query")
	}
}

// projectIsNot keeps a project's id out of other names: outside compat it alone
// tells the JWTs that are credentials from those that are not.
func (c *checker) projectIsNot(at where, a *App, name string) {
	if a.Project != nil && a.Project.ID == name {
		c.refuse(at, "this is the project's id, by which the gateway knows the JWTs it takes as credentials")
	}
}

// secrets checks the secrets that seal records.
func (c *checker) secrets(a *App) {
	c.secretTexts(where{"secret"}, a.Secrets)
	if !storeIsLocal(a.StoreRaw) && len(a.Secrets) == 0 {
		c.refuse(where{"store"}, "this store can be reached from other machines, so that records must be sealed with a 'secret' of yours, here or in an earlier global attest block")
	}
}

// secretTexts checks the length of secrets, and never shows one.
func (c *checker) secretTexts(at where, secrets []string) {
	for i, secret := range secrets {
		if c.known(at, secret) && len(secret) < minSecret {
			c.refuse(at, "a secret must have at least %d bytes", minSecret)
		}
		if slices.Contains(secrets[:i], secret) {
			c.refuse(at, "the same secret is given twice")
		}
	}
}

// project checks who may call.
func (c *checker) project(a *App) {
	p := a.Project
	if p == nil {
		return
	}
	at := where{"project"}
	c.form(at, p.ID, projectForm, wantProject)
	var secrets []string
	for _, s := range p.Secrets {
		secrets = append(secrets, s.Secret)
		c.choices(at.at("secret"), s.Scopes, scopes...)
	}
	c.secretTexts(at.at("secret"), secrets)
}

// compat checks what another dialect asks of the rest.
func (c *checker) compat(a *App) {
	if a.Compat == nil {
		return
	}
	at := where{"compat"}
	c.choices(at, []string{a.Compat.Mode}, compatStytch)
	if a.Project == nil {
		c.refuse(at, "Stytch's dialect names the project in every JWT; add a 'project' here or in an earlier global attest block")
	}
	if id := a.Compat.ConsumerOrganization; id != "" {
		c.form(at.at("consumer_organization"), id, idForm, wantID)
	}
	if a.Keys != nil && !slices.Contains([]string{"", "RS256"}, a.Keys.Algorithm) {
		c.refuse(where{"keys", "algorithm"}, "Stytch's SDKs verify RS256 only, which 'compat stytch' chooses by itself")
	}
}

// keys checks the signing keys.
func (c *checker) keys(a *App) {
	k := a.Keys
	if k == nil {
		return
	}
	at := where{"keys"}
	c.choice(at.at("algorithm"), k.Algorithm, signingAlgorithms...)
	if k.RotateEvery != 0 && len(k.Files) > 0 {
		c.refuse(at.at("rotate_every"), "keys from files are rotated by changing the files; remove 'rotate_every' or 'file'")
	}
	if k.RotateEvery != 0 && k.RotateEvery < caddy.Duration(time.Hour) {
		c.refuse(at.at("rotate_every"), "expected at least 1h, because a key is published before it signs")
	}
	c.paths(at.at("file"), k.Files...)
}

// paths checks file names.
func (c *checker) paths(at where, paths ...string) {
	for _, path := range paths {
		if c.known(at, path) && !isPath(path) {
			c.refuse(at, "expected the name of a file")
		}
	}
	c.unique(at, paths)
}

// localCache checks what is remembered, and for how long in an outage.
func (c *checker) localCache(a *App) {
	at := where{"local_cache"}
	l := a.LocalCache
	if l != nil {
		c.notNegative(at, l.MaxAge)
		if l.Entries < 0 {
			c.refuse(at, "the number of entries cannot be negative")
		}
		if l.Off && (l.Entries != 0 || l.MaxAge != 0) {
			c.refuse(at, "'off' remembers no entries for no time")
		}
	}
	if o := a.OnStoreOutage; o != nil {
		c.notNegative(where{"on_store_outage"}, o.ServeCached)
		if o.ServeCached > 0 && l != nil && l.Off {
			c.refuse(where{"on_store_outage"}, "'serve_cached' serves from the local cache, which is off")
		}
	}
}

// template checks a claim template, and its text if it stands here.
func (c *checker) template(at where, name string, t *Template, policy claims.Policy) {
	c.form(at, name, nameForm, wantName)
	if (t.Text == "") == (t.File == "") {
		c.refuse(at, "expected either the text of a template or 'file <path>'")
		return
	}
	if t.File != "" {
		c.paths(at, t.File)
		return
	}
	if _, err := policy.ParseTemplate(name, t.Text); err != nil {
		c.problems = append(c.problems, templateProblem(at.at(templateText), err))
	}
}
