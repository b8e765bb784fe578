package caddymodule

import (
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/gateway/proxy"
)

// route checks an attest handler, or what another door has of one, against the app.
func (c *checker) route(at grammar.Place, h *Attest, a *App) {
	if h.Preflight != "" {
		c.Choices(at.At("preflight"), []string{h.Preflight}, preflightPass)
	}
	if h.UnsafePaths != "" {
		c.Choices(at.At("unsafe_paths"), []string{h.UnsafePaths}, pathsPass)
	}
	if h.Off {
		c.routeOff(at, h)
		return
	}
	if names, ok := c.routeProfiles(at, h, a); ok {
		c.routeTakesFirst(at, names, a)
		if err := c.trustsAll(a).CheckRoute(names); err != nil {
			c.Refuse(at, "%s", strings.TrimPrefix(err.Error(), "trust: "))
		}
		c.core(at, h.gatewayRoute().CheckPlaces(c.trustsAll(a), names))
	}
	c.routeAudiences(at, h, a)
	if h.Template != "" && a.Templates[h.Template] == nil {
		c.unknown(at.At("template", h.Template), "template", keys(a.Templates))
	}
	if f := h.ForwardJWT; f != nil && f.Typ != "" {
		c.forwardedType(at.At("forward_jwt", "typ"), f, a)
	}
	route := h.gatewayRoute()
	c.core(at, route.Route.Check())
	c.core(at, route.Forward.Check())
	c.core(at, route.Login.Check())
	if h.Login != nil && h.Optional {
		c.Refuse(at.At("login"), "an optional route lets whoever has no session through, and sends nobody anywhere")
	}
	c.core(at, proxy.CheckCopies(route.Copies, route.Forward))
}

// forwardedType checks of what kind the upstream's JWT is.
func (c *checker) forwardedType(at grammar.Place, f *ForwardJWT, a *App) {
	switch c.Choices(at, []string{f.Typ}, forwardTypes...); {
	case f.None:
		c.Refuse(at, "'none' sends no JWT")
	case f.Typ == typAccessToken && a.Compat != nil:
		c.Refuse(at, "Stytch's SDKs take JWTs of typ JWT alone, so that at+jwt does not go with compat")
	}
}

// routeOff checks that `off` means it.
func (c *checker) routeOff(at grammar.Place, h *Attest) {
	if h.Any || h.Optional || h.SetCookie || h.ForwardJWT != nil || h.Login != nil || h.Preflight != "" || h.JWTLifetime != 0 ||
		h.Template != "" || h.Observe || len(h.Profiles)+len(h.Audiences)+len(h.Require)+len(h.CopyClaims) > 0 {
		c.Refuse(at, "'off' admits nobody, so that nothing else can be said but 'unsafe_paths'")
	}
}

// routeProfiles checks which profiles the route names.
func (c *checker) routeProfiles(at grammar.Place, h *Attest, a *App) (names []string, ok bool) {
	configured := keys(a.Profiles)
	switch {
	case len(configured) == 0:
		c.Refuse(at, "no profile is configured; add one to the global attest block")
		return nil, false
	case h.Any && len(h.Profiles) > 0:
		c.Refuse(at, "'any' is every profile and stands alone")
		return nil, false
	case h.Any, len(h.Profiles) == 0 && len(configured) == 1:
		return configured, true
	case len(h.Profiles) == 0:
		c.Refuse(at, "there are several profiles, so that the route must name its own: expected %s, or any", strings.Join(configured, ", "))
		return nil, false
	}
	ok = true
	for _, name := range h.Profiles {
		if a.Profiles[name] == nil {
			c.Refuse(at, "there is no profile '%s'; expected %s", name, grammar.OneOf(configured...))
			ok = false
		}
	}
	c.Unique(at, h.Profiles)
	return h.Profiles, ok
}

// routeTakesFirst refuses a route that nobody could enter.
func (c *checker) routeTakesFirst(at grammar.Place, names []string, a *App) {
	for _, name := range names {
		if f := a.Profiles[name].Factor; f == nil || !f.SecondOnly {
			return
		}
	}
	c.Refuse(at, "every profile of this route is 'second_only', so that no session could come about; name one that can stand first")
}

// routeAudiences checks for whom the upstream's JWT is.
func (c *checker) routeAudiences(at grammar.Place, h *Attest, a *App) {
	at = at.At("audience")
	for _, audience := range h.Audiences {
		if !c.Known(at, audience) {
			continue
		}
		if !grammar.IsLabel(audience) {
			c.Refuse(at.At(audience), "expected 1 to %d bytes of text without control characters", grammar.MaxLabel)
		}
		if a.Compat == nil {
			c.projectIsNot(at.At(audience), a, audience)
		}
	}
	c.Unique(at, h.Audiences)
}
