package caddymodule

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/store/sealed"
)

// minSecret is the least length of a project's secrets, in bytes.
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
	c.session(a)
	c.localCache(a)
	for name, t := range sorted(a.Templates) {
		c.template(grammar.Place{"template", name}, name, t, a.claimPolicy())
	}
	c.sharedUpstreams(a)
	c.paths(grammar.Place{"test"}, a.Tests...)
	c.roles(a)
	c.organizations(a)
	for name, p := range sorted(a.Profiles) {
		c.profile(grammar.Place{"profile", name}, name, p, a)
	}
	if err := c.trustsAll(a).CheckSecrets(); err != nil {
		c.Refuse(grammar.Place{"profile"}, "%s", strings.TrimPrefix(err.Error(), "trust: "))
	}
}

// sharedUpstreams checks the addresses of upstreams. Sources of upstreams have a
// text of their own (`srv _http._tcp.app`), so that any text may be one.
func (c *checker) sharedUpstreams(a *App) {
	at := grammar.Place{"shared_upstream"}
	for _, address := range a.SharedUpstreams {
		if c.Known(at.At(address), address) && !grammar.IsLabel(address) {
			c.Refuse(at, "expected addresses as reverse_proxy has them")
		}
	}
	c.Unique(at, a.SharedUpstreams)
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
	at := grammar.Place{"issuer"}
	if a.Issuer == "" || !c.Known(at, a.Issuer) {
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
		c.Refuse(at, "expected a URL without a trailing slash and without a query")
	}
}

// projectIsNot keeps a project's id out of other names: outside compat it alone
// tells the JWTs that are credentials from those that are not.
func (c *checker) projectIsNot(at grammar.Place, a *App, name string) {
	if a.Project != nil && a.Project.ID == name {
		c.Refuse(at, "this is the project's id, by which the gateway knows the JWTs it takes as credentials")
	}
}

// secrets checks the secrets that seal records.
func (c *checker) secrets(a *App) {
	c.sealing(a.Secrets)
	if !storeIsLocal(a.StoreRaw) && len(a.Secrets) == 0 {
		c.Refuse(grammar.Place{"store"}, "this store can be reached from other machines, so that records must be sealed with a 'secret' of yours, here or in an earlier global attest block")
	}
}

// sealing checks the secrets that seal, as far as no placeholder hides them.
func (c *checker) sealing(secrets []string) {
	at := grammar.Place{"secret"}
	c.differ(at, secrets)
	var known [][]byte
	for _, secret := range secrets {
		if !c.Known(at, secret) {
			secret = strings.Repeat("?", sealed.MinSecret)
		}
		known = append(known, []byte(secret))
	}
	if len(known) > 0 {
		c.core(nil, sealed.CheckSecrets(known))
	}
}

// callers checks the passwords of a project.
func (c *checker) callers(at grammar.Place, secrets []string) {
	c.differ(at, secrets)
	for _, secret := range secrets {
		if c.Known(at, secret) && len(secret) < minSecret {
			c.Refuse(at, "a secret must have at least %d bytes", minSecret)
		}
	}
}

// differ refuses a secret that is given twice, and never shows one.
func (c *checker) differ(at grammar.Place, secrets []string) {
	for i, secret := range secrets {
		if slices.Contains(secrets[:i], secret) {
			c.Refuse(at, "the same secret is given twice")
		}
	}
}

// paths checks file names.
func (c *checker) paths(at grammar.Place, paths ...string) {
	for _, path := range paths {
		if c.Known(at, path) && !isPath(path) {
			c.Refuse(at, "expected the name of a file")
		}
	}
	c.Unique(at, paths)
}

// keys are the names of a map, sorted.
func keys[V any](m map[string]V) []string {
	var names []string
	for name := range sorted(m) {
		names = append(names, name)
	}
	return names
}

// unknown refuses a name that nothing configured has.
func (c *checker) unknown(at grammar.Place, kind string, configured []string) {
	if len(configured) == 0 {
		c.Refuse(at, "there is no such %s; none is configured", kind)
		return
	}
	c.Refuse(at, "there is no such %s; expected %s", kind, grammar.OneOf(configured...))
}

// url refuses what is not an absolute URL of a scheme, or holds more than an
// address.
func (c *checker) url(at grammar.Place, text string, schemes ...string) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !slices.Contains(schemes, u.Scheme) || !grammar.IsLabel(text) {
		c.Refuse(at, "expected a URL that begins with %s", grammar.OneOf(prefixes(schemes)...))
		return
	}
	if u.User != nil || u.Fragment != "" {
		c.Refuse(at, "expected a URL without credentials and without a fragment")
	}
}

func prefixes(schemes []string) []string {
	var all []string
	for _, scheme := range schemes {
		all = append(all, scheme+"://")
	}
	return all
}

// isLoopbackHost tells whether a host is this machine, in a way that no name server
// has a say in.
func isLoopbackHost(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// isPath tells whether a text can name a file at all.
func isPath(text string) bool { return text != "" && !strings.ContainsRune(text, 0) }
