package trust

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A Place is where a proxied request carries a trusted token. The zero Place is
// Authorization: Bearer (RFC 6750 §2.1).
type Place struct {
	// Header is the name of a header, and Scheme the word before the token there.
	Header, Scheme string
	// Cookie is the name of a cookie.
	Cookie string
	// Query is the name of a parameter in the query of a page that a person goes to, and Form
	// that of a field in a form which another site has a browser post there. At are the paths
	// of those pages and From the origins of those sites, each with a space between them, so
	// that places can be compared.
	Query, Form, At, From string
}

// Navigated tells whether a person brings the token in going to a page: it is used up, the
// browser is given a cookie and goes on to the page without it.
func (p Place) Navigated() bool { return p.Query+p.Form != "" }

// IsAt tells whether the token may stand in a request for the path, as it was sent.
func (p Place) IsAt(path string) bool { return slices.Contains(strings.Fields(p.At), path) }

// IsFrom tells whether pages of the origin may post the token.
func (p Place) IsFrom(origin string) bool { return slices.Contains(strings.Fields(p.From), origin) }

// collides tells whether a request could carry one token in both of two places that differ.
func (p Place) collides(q Place) bool {
	return p != q && p.Navigated() && p.Query == q.Query && p.Form == q.Form && slices.ContainsFunc(strings.Fields(p.At), q.IsAt)
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
	case p.Query != "":
		return "query " + p.Query + " at " + p.At
	case p.Form != "":
		return "form " + p.Form + " at " + p.At + " from " + p.From
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
	case count(place.Header, place.Cookie, place.Query, place.Form) > 1:
		return configErrorf("token_from", "is one place")
	case place.Header != "" && (!isToken(place.Header) || slices.Contains(forbiddenHeaders, place.Header)):
		return valueErrorf("token_from", place.Header, "is no header that a token can be read from; Authorization: Bearer is the default")
	case place.Scheme != "" && (!isToken(place.Scheme) || place.Header == ""):
		return valueErrorf("token_from", place.Scheme, "is no scheme")
	case place.Cookie != "" && !isToken(place.Cookie):
		return valueErrorf("token_from", place.Cookie, "is no name of a cookie")
	case place.Cookie != "" && p.config.Factor.SecondOnly:
		return configErrorf("token_from", "cookie does not go with second_only: a browser sends it with every request")
	case place.Navigated():
		return p.readNavigated(*place)
	case place.At+place.From != "":
		return configErrorf("token_from", "at and from go with query and form")
	}
	return nil
}

// MaxNavigatedAge is the longest max_token_age of a profile whose tokens stand in an
// address or a form: both are kept by histories and logs on the way.
const MaxNavigatedAge = time.Minute

// readNavigated reads where a person brings a token, and what must hold of such a one.
func (p *Profile) readNavigated(place Place) *ConfigError {
	paths, origins := strings.Fields(place.At), strings.Fields(place.From)
	switch c := p.config; {
	case !parameterForm.MatchString(place.Query + place.Form):
		return valueErrorf("token_from", place.Query+place.Form, "is no name of a parameter: expected 1 to 64 of A–Z a–z 0–9 _ . -")
	case len(paths) == 0 || len(paths) > maxPlacePaths:
		return configErrorf("token_from", "expected after at the paths of 1 to %d pages", maxPlacePaths)
	case place.Form != "" && (len(origins) == 0 || len(origins) > maxPlacePaths):
		return configErrorf("token_from", "expected after from the origins of 1 to %d sites that post the form", maxPlacePaths)
	case place.Query != "" && len(origins) > 0:
		return configErrorf("token_from", "from goes with form: who follows a link does not say where it stood")
	case c.Factor.SecondOnly:
		return configErrorf("token_from", "query and form do not go with second_only: they start a session")
	case !c.ReplayReject:
		return configErrorf("token_from", "query and form need 'replay reject': addresses are kept by histories and logs on the way")
	case c.MaxTokenAge <= 0 || c.MaxTokenAge > MaxNavigatedAge:
		return configErrorf("token_from", "query and form need 'max_token_age' of at most %s: addresses are kept by histories and logs on the way", MaxNavigatedAge)
	}
	if i := slices.IndexFunc(paths, func(path string) bool { return !isPagePath(path) }); i >= 0 {
		return valueErrorf("token_from", paths[i], "is no path of a page: expected one as /sso, without query, escapes and dot segments")
	}
	if i := slices.IndexFunc(origins, func(origin string) bool { return !isOrigin(origin) }); i >= 0 {
		return valueErrorf("token_from", origins[i], "is no origin: expected one as https://example.com")
	}
	return firstError(checkUnique("token_from", paths), checkUnique("token_from", origins))
}

const maxPlacePaths = 16

var (
	parameterForm = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)
	pageForm      = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]*)+$`)
	originForm    = regexp.MustCompile(`^https?://([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(:[0-9]{1,5})?$`)
)

// isPagePath tells a path that is written in one way only.
func isPagePath(text string) bool {
	clean := path.Clean(text)
	return len(text) <= 256 && pageForm.MatchString(text) && (text == clean || text == clean+"/")
}

// isOrigin tells an origin as browsers write it (RFC 6454 §6.2).
func isOrigin(text string) bool {
	scheme, host, _ := strings.Cut(text, "://")
	return originForm.MatchString(text) && !(scheme == "https" && strings.HasSuffix(host, ":443")) && !(scheme == "http" && strings.HasSuffix(host, ":80"))
}

// count is how many of the texts are not empty.
func count(texts ...string) (n int) {
	for _, text := range texts {
		if text != "" {
			n++
		}
	}
	return n
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
