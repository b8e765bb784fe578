package caddymodule

import (
	"fmt"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// Provision replaces placeholders, checks the configuration and loads the store's
// module. It reads the files that are named, but opens none that another process
// could hold and does not reach for the network: `caddy validate` provisions
// beside a running server.
func (a *App) Provision(ctx caddy.Context) error {
	a.fill()
	rules := func(c *checker) { c.app(a) }
	if err := provision(rules, a.replace); err != nil {
		return err
	}
	a.setDefaults()
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
func (a *App) replace(r *replacer) {
	r.text(where{"issuer"}, &a.Issuer)
	r.texts(where{"secret"}, a.Secrets)
	r.texts(where{"shared_upstream"}, a.SharedUpstreams)
	if a.Project != nil {
		for i := range a.Project.Secrets {
			r.text(where{"project", "secret"}, &a.Project.Secrets[i].Secret)
		}
	}
	if a.Keys != nil {
		r.texts(where{"keys", "file"}, a.Keys.Files)
	}
	for name, t := range sorted(a.Templates) {
		r.text(where{"template", name}, &t.File)
	}
	for name, p := range sorted(a.Profiles) {
		p.replace(r, where{"profile", name})
	}
}

// replace replaces the placeholders of a profile, where they are.
func (p *Profile) replace(r *replacer, at where) {
	r.texts(at.at("issuer"), p.Issuers)
	r.texts(at.at("audience"), p.Audiences)
	r.text(at.at("jwks_file"), &p.JWKSFile)
	r.texts(at.at("public_key_file"), p.PublicKeyFiles)
	if k := p.JWKSURL; k != nil {
		r.text(at.at("jwks_url"), &k.URL)
		r.text(at.at("jwks_url", "bearer"), &k.Bearer)
		r.text(at.at("jwks_url", "ca"), &k.CA)
	}
}

var (
	_ caddy.Module      = (*App)(nil)
	_ caddy.Provisioner = (*App)(nil)
)
