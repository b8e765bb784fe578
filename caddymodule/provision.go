package caddymodule

import (
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// Provision replaces placeholders, checks the configuration and loads the store's
// module. It reads the files that are named, but opens none that another process
// could hold and does not reach for the network: `caddy validate` provisions
// beside a running server.
func (a *App) Provision(ctx caddy.Context) error {
	if err := a.provision(ctx); err != nil {
		return a.located(err)
	}
	return a.listen(ctx)
}

func (a *App) provision(ctx caddy.Context) error {
	a.digest, a.loadedAt = configDigest(a), time.Now()
	a.fill()
	rules := func(c *checker) { c.app(a) }
	if err := provision(rules, a.replace); err != nil {
		return err
	}
	if err := a.loadStore(ctx); err != nil {
		return err
	}
	return a.prepare(ctx)
}

// fill gives every entry a value, since JSON may say null.
func (a *App) fill() {
	fill(a.Templates)
	fill(a.Roles)
	fill(a.Resources)
	fill(a.Organizations)
	fill(a.Profiles)
}

func fill[T any](m map[string]*T) {
	for key, value := range m {
		if value == nil {
			m[key] = new(T)
		}
	}
}

// loadStore loads the module that keeps records.
func (a *App) loadStore(ctx caddy.Context) error {
	if a.StoreRaw == nil {
		a.StoreRaw = caddyconfig.JSONModuleObject(struct{}{}, storeKey, defaultStore, nil)
	}
	module, err := ctx.LoadModule(a, "StoreRaw")
	if err != nil {
		return fmt.Errorf("loading store: %w", err)
	}
	backend, ok := module.(StoreBackend)
	if !ok {
		return fmt.Errorf("store: module %T is no StoreBackend", module)
	}
	a.backend = backend
	return nil
}

// replace replaces the placeholders of the app, where they are.
func (a *App) replace(r *grammar.Replacer) {
	r.Text(grammar.Place{"issuer"}, &a.Issuer)
	r.Texts(grammar.Place{"secret"}, a.Secrets)
	r.Texts(grammar.Place{"shared_upstream"}, a.SharedUpstreams)
	r.Texts(grammar.Place{"test"}, a.Tests)
	if a.Project != nil {
		for i := range a.Project.Secrets {
			r.Text(grammar.Place{"project", "secret"}, &a.Project.Secrets[i].Secret)
		}
	}
	if a.Keys != nil {
		r.Texts(grammar.Place{"keys", "file"}, a.Keys.Files)
	}
	for name, t := range sorted(a.Templates) {
		r.Text(grammar.Place{"template", name}, &t.File)
	}
	for name, p := range sorted(a.Profiles) {
		p.replace(r, grammar.Place{"profile", name})
	}
}

// replace replaces the placeholders of a profile, where they are.
func (p *Profile) replace(r *grammar.Replacer, at grammar.Place) {
	r.Texts(at.At("issuer"), p.Issuers)
	r.Texts(at.At("audience"), p.Audiences)
	r.Text(at.At("jwks_file"), &p.JWKSFile)
	r.Texts(at.At("public_key_file"), p.PublicKeyFiles)
	r.Texts(at.At("shared_secret"), p.SharedSecrets)
	if p.SecretFiles != nil {
		r.Text(at.At("shared_secret"), &p.SecretFiles.Directory)
	}
	if p.JWKSURL != nil {
		p.JWKSURL.replace(r, at.At("jwks_url"))
	}
	if p.Discover != nil {
		p.Discover.replace(r, at.At("discover"))
	}
	if p.Introspect != nil {
		p.Introspect.replace(r, at.At("introspect"))
	}
}

func (k *JWKSURL) replace(r *grammar.Replacer, at grammar.Place) {
	r.Text(at, &k.URL)
	for word, text := range map[string]*string{"bearer": &k.Bearer, "ca": &k.CA, "client_cert": &k.ClientCert, "proxy": &k.Proxy} {
		r.Text(at.At(word), text)
	}
	r.Text(at.At("client_cert"), &k.ClientKey)
	for name, value := range k.Headers {
		r.Text(at.At("header"), &value)
		k.Headers[name] = value
	}
}

var (
	_ caddy.Module      = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
