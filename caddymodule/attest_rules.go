package caddymodule

import (
	"regexp"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// route checks an attest handler against the app.
func (c *checker) route(h *Attest, a *App) {
	if h.Off {
		c.routeOff(h)
		return
	}
	if names, ok := c.routeProfiles(h, a); ok {
		c.routeTakesFirst(names, a)
		if err := c.trustsAll(a).CheckRoute(names); err != nil {
			c.Refuse(attestPlace, "%s", strings.TrimPrefix(err.Error(), "trust: "))
		}
	}
	c.routeAudiences(h, a)
	if h.Template != "" && a.Templates[h.Template] == nil {
		c.unknown(attestPlace.At("template", h.Template), "template", keys(a.Templates))
	}
	c.core(attestPlace, h.gatewayRoute().Route.Check())
	if h.ForwardJWT != nil {
		c.forwardJWT(attestPlace.At("forward_jwt"), h.ForwardJWT)
	}
}

// routeOff checks that `off` means it.
func (c *checker) routeOff(h *Attest) {
	if h.Any || h.Optional || h.SetCookie || h.ForwardJWT != nil || h.JWTLifetime != 0 ||
		h.Template != "" || len(h.Profiles)+len(h.Audiences) > 0 {
		c.Refuse(attestPlace, "'off' admits nobody, so that nothing else can be said")
	}
}

// routeProfiles checks which profiles the route names.
func (c *checker) routeProfiles(h *Attest, a *App) (names []string, ok bool) {
	configured := keys(a.Profiles)
	switch {
	case len(configured) == 0:
		c.Refuse(attestPlace, "no profile is configured; add one to the global attest block")
		return nil, false
	case h.Any && len(h.Profiles) > 0:
		c.Refuse(attestPlace, "'any' is every profile and stands alone")
		return nil, false
	case h.Any, len(h.Profiles) == 0 && len(configured) == 1:
		return configured, true
	case len(h.Profiles) == 0:
		c.Refuse(attestPlace, "there are several profiles, so that the route must name its own: expected %s, or any", strings.Join(configured, ", "))
		return nil, false
	}
	ok = true
	for _, name := range h.Profiles {
		if a.Profiles[name] == nil {
			c.Refuse(attestPlace, "there is no profile '%s'; expected %s", name, grammar.OneOf(configured...))
			ok = false
		}
	}
	c.Unique(attestPlace, h.Profiles)
	return h.Profiles, ok
}

// routeTakesFirst refuses a route that nobody could enter.
func (c *checker) routeTakesFirst(names []string, a *App) {
	for _, name := range names {
		if f := a.Profiles[name].Factor; f == nil || !f.SecondOnly {
			return
		}
	}
	c.Refuse(attestPlace, "every profile of this route is 'second_only', so that no session could come about; name one that can stand first")
}

// routeAudiences checks for whom the upstream's JWT is.
func (c *checker) routeAudiences(h *Attest, a *App) {
	at := attestPlace.At("audience")
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

var (
	headerForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)
	schemeForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,31}$`)
)

// forwardJWT checks where the upstream receives its JWT. An underscore or a dot
// in the name would make it one of several spellings of another header; a header
// of the protocol's own never arrives, or breaks the request.
func (c *checker) forwardJWT(at grammar.Place, f *ForwardJWT) {
	c.Form(at, f.Header, headerForm, "a header of letters, digits and -")
	if slices.Contains(protocolHeaders, strings.ToLower(f.Header)) || strings.HasPrefix(strings.ToLower(f.Header), "x-forwarded-") {
		c.Refuse(at, "'%s' has a meaning of its own in HTTP; expected authorization or a header such as X-Session-Jwt", f.Header)
	}
	if f.Scheme != "" {
		c.Form(at, f.Scheme, schemeForm, "a scheme of letters, digits, _ and -")
	}
}

// protocolHeaders say something about the message or its sender already.
var protocolHeaders = []string{
	"accept", "accept-encoding", "accept-language", "age", "allow", "alt-used", "cache-control", "connection",
	"content-disposition", "content-encoding", "content-language", "content-length", "content-location",
	"content-range", "content-type", "cookie", "date", "dpop", "expect", "forwarded", "from", "host", "http2-settings",
	"if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since", "keep-alive",
	"last-event-id", "max-forwards", "origin", "pragma", "proxy-authenticate", "proxy-authorization",
	"proxy-connection", "range", "referer", "set-cookie", "te", "trailer", "transfer-encoding", "upgrade",
	"user-agent", "via", "www-authenticate", "x-real-ip",
}
