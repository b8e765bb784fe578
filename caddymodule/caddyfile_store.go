package caddymodule

import (
	"slices"

	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// readStore reads `store <backend> …`: the rest is the backend's own.
func readStore(r *reader, a *App) error {
	if a.StoreRaw != nil {
		return r.again()
	}
	if !r.NextArg() {
		return r.wrong()
	}
	name := r.Val()
	if known := storeNames(); !slices.Contains(known, name) {
		return r.unrecognized("store", name, known...)
	}
	backend, err := caddyfile.UnmarshalModule(r.Dispenser, storeNamespace+"."+name)
	if err != nil {
		return err
	}
	a.StoreRaw = caddyconfig.JSONModuleObject(backend, storeKey, name, nil)
	return nil
}

// readLocalCache reads `local_cache <entries> <max_age> | off`.
func readLocalCache(r *reader, a *App) error {
	c, err := once(r, &a.LocalCache)
	if err != nil {
		return err
	}
	args, err := r.args(1)
	if err != nil {
		return err
	}
	if len(args) == 1 && args[0] == "off" {
		c.Off = true
		return nil
	}
	if len(args) != 2 {
		return r.wrong()
	}
	if c.Entries, err = r.parseNumber(args[0], 1); err != nil {
		return err
	}
	if c.MaxAge, err = r.parseDuration(args[1]); err == nil && c.MaxAge == 0 {
		return r.Errf("a max_age of 0 remembers nothing; expected 'local_cache off'")
	}
	return err
}

// readStoreOutage reads `on_store_outage deny | serve_cached <duration>`.
func readStoreOutage(r *reader, a *App) error {
	o, err := once(r, &a.OnStoreOutage)
	if err != nil {
		return err
	}
	if !r.NextArg() {
		return r.wrong()
	}
	switch policy := r.Val(); policy {
	case "deny":
		return nil
	case "serve_cached":
		return r.duration(&o.ServeCached)
	default:
		return r.unrecognized("policy", policy, "deny", "serve_cached")
	}
}
