package trust

import (
	"net/http"
	"slices"
	"strings"
)

// A Place is where a proxied request carries a trusted token. The zero Place is
// Authorization: Bearer (RFC 6750 §2.1).
type Place struct {
	// Header is the name of a header, and Scheme the word before the token there.
	Header, Scheme string
	// Cookie is the name of a cookie.
	Cookie string
}

// ambientHeaders are those that a proxy in front adds to whatever request passes it,
// without the page that made the request knowing.
var ambientHeaders = []string{
	"X-Goog-Iap-Jwt-Assertion", "Cf-Access-Jwt-Assertion", "X-Pomerium-Jwt-Assertion", "Teleport-Jwt-Assertion",
	"X-Amzn-Oidc-Data", "X-Amzn-Oidc-Accesstoken", "X-Auth-Request-Access-Token", "X-Forwarded-Access-Token",
	"X-Ms-Token-Aad-Id-Token", "X-Ms-Token-Aad-Access-Token",
}

// Ambient tells whether a request carries the token without whoever made it meaning to,
// so that pages of other sites can have it sent.
func (p Place) Ambient() bool { return p.Cookie != "" || slices.Contains(ambientHeaders, p.Header) }

// String names the place as the configuration does.
func (p Place) String() string {
	switch {
	case p.Cookie != "":
		return "cookie " + p.Cookie
	case p.Header != "":
		return strings.TrimSpace("header " + p.Header + " " + p.Scheme)
	}
	return "authorization bearer"
}

// forbiddenHeaders have a meaning of their own on the way.
var forbiddenHeaders = []string{
	"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "Host", "Connection", "Upgrade", "Te", "Trailer", "Transfer-Encoding",
	"Content-Length", "Content-Type", "Content-Encoding", "Origin", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Accept",
}

func (p *Profile) readPlace() *ConfigError {
	place := &p.config.TokenFrom
	place.Header = http.CanonicalHeaderKey(place.Header)
	switch {
	case place.Header != "" && place.Cookie != "":
		return configErrorf("token_from", "is one place")
	case place.Header != "" && (!isToken(place.Header) || slices.Contains(forbiddenHeaders, place.Header)):
		return valueErrorf("token_from", place.Header, "is no header that a token can be read from; Authorization: Bearer is the default")
	case place.Scheme != "" && (!isToken(place.Scheme) || place.Header == ""):
		return valueErrorf("token_from", place.Scheme, "is no scheme")
	case place.Cookie != "" && !isToken(place.Cookie):
		return valueErrorf("token_from", place.Cookie, "is no name of a cookie")
	case place.Cookie != "" && p.config.Factor.SecondOnly:
		return configErrorf("token_from", "cookie does not go with second_only: a browser sends it with every request")
	}
	return nil
}

// isToken is the grammar of names in HTTP (RFC 9110 §5.6.2).
func isToken(text string) bool {
	return text != "" && len(text) <= 128 && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

// ByPlace are the named profiles by the place that they read tokens from.
func (s *Set) ByPlace(names []string) map[Place][]string {
	places := map[Place][]string{}
	for _, name := range names {
		if p, found := s.byName[name]; found {
			places[p.config.TokenFrom] = append(places[p.config.TokenFrom], name)
		}
	}
	return places
}

// Places are those of all profiles beside the default, each once.
func (s *Set) Places() (places []Place) {
	for _, p := range s.profiles {
		if place := p.config.TokenFrom; place != (Place{}) && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}
