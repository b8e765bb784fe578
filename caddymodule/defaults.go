package caddymodule

import (
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Defaults of the app and its routes. Those of a profile are in package trust.
const (
	defaultDuration     = caddy.Duration(60 * time.Minute)
	defaultMaxDuration  = caddy.Duration(30 * 24 * time.Hour)
	defaultJWTLifetime  = caddy.Duration(5 * time.Minute)
	defaultReuseFor     = caddy.Duration(30 * time.Second)
	defaultCacheEntries = 10_000
	defaultCacheMaxAge  = caddy.Duration(5 * time.Second)

	// An injected JWT is made anew for every request but those of defaultReuseFor;
	// it need not outlive the request by much.
	defaultInjectedLifetime = caddy.Duration(60 * time.Second)
)

// setDefaults says everything that the configuration left open.
func (a *App) setDefaults() {
	a.Session = orNew(a.Session)
	a.Session.setDefaults()
	a.LocalCache = orNew(a.LocalCache)
	a.LocalCache.setDefaults()
	a.OnStoreOutage = orNew(a.OnStoreOutage)
	a.Keys = orNew(a.Keys)
	if a.Keys.Algorithm == "" && len(a.Keys.Files) == 0 {
		a.Keys.Algorithm = "ES256"
		if a.Compat != nil {
			a.Keys.Algorithm = "RS256"
		}
	}
	a.Issuer = a.issuer()
	for name, p := range a.Profiles {
		p.Issuers, p.Audiences = p.issuers(name), p.audiences()
	}
}

func (s *Session) setDefaults() {
	s.MaxDuration = or(s.MaxDuration, defaultMaxDuration)
	s.Duration = or(s.Duration, min(defaultDuration, s.MaxDuration))
	s.JWTLifetime = or(s.JWTLifetime, defaultJWTLifetime)
	if s.ReuseFor == nil {
		s.ReuseFor = new(caddy.Duration)
		*s.ReuseFor = defaultReuseFor
	}
	s.Cookie = orNew(s.Cookie)
	s.Cookie.setDefaults()
}

func (c *Cookie) setDefaults() {
	name := "__Host-session"
	if c.Domain != "" {
		name = "__Secure-session"
	}
	c.Name, c.SameSite = or(c.Name, name), or(c.SameSite, "lax")
}

func (l *LocalCache) setDefaults() {
	if !l.Off {
		l.Entries, l.MaxAge = or(l.Entries, defaultCacheEntries), or(l.MaxAge, defaultCacheMaxAge)
	}
}

// setDefaults says everything that the route left open.
func (h *Attest) setDefaults(app *App) {
	if h.Off {
		return
	}
	if len(h.Profiles) == 0 {
		h.Profiles = keys(app.Profiles)
	}
	if len(h.Audiences) == 0 {
		h.Audiences = []string{app.Issuer}
	}
	if h.Template == "" && app.Templates[defaultTemplate] != nil {
		h.Template = defaultTemplate
	}
	h.JWTLifetime = or(h.JWTLifetime, defaultInjectedLifetime)
	h.ForwardJWT = orNew(h.ForwardJWT)
	h.ForwardJWT.setDefaults()
}

func (f *ForwardJWT) setDefaults() {
	f.Header = or(f.Header, "Authorization")
	if strings.EqualFold(f.Header, "Authorization") {
		f.Scheme = or(f.Scheme, "Bearer")
	}
}

// setDefaults says what is served where the configuration does not.
func (h *API) setDefaults(app *App) {
	if len(h.Serve) > 0 {
		return
	}
	h.Serve = []string{serveKeys}
	for _, part := range parts {
		if part != serveKeys && app.callersMay(part) {
			h.Serve = append(h.Serve, part)
		}
	}
}

// or is the value, or the default where it is not given.
func or[T comparable](value, fallback T) T {
	var none T
	if value == none {
		return fallback
	}
	return value
}

// orNew is the value, or an empty one.
func orNew[T any](value *T) *T {
	if value == nil {
		return new(T)
	}
	return value
}
