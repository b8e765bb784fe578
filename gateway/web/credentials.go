package web

import (
	"errors"
	"net/http"

	"github.com/attestgate/caddy-attest/gateway/authn"
)

// ErrTwoAuthorizations tells of two Authorization lines, which servers read
// differently.
var ErrTwoAuthorizations = errors.New("two Authorization lines")

// Credentials reads what r presents (house rules, RFC 6750 §2.1). An Authorization
// of another scheme, or a Bearer of another shape, is the upstream's business. places are
// where else trusted tokens may stand.
func Credentials(r *http.Request, cookie Cookie, places []authn.Place) authn.Presented {
	p := authn.Presented{
		CrossSite: cookie.CrossSite(r), Reflects: reflects(r), Browser: r.Header.Get("Sec-Fetch-Mode") != "",
		Method: r.Method, Host: r.Host, Navigation: navigationOf(r),
	}
	if origins := r.Header["Origin"]; len(origins) == 1 {
		p.Origin = origins[0]
	}
	placed, twice := placed(r, places) // also where something else decides: no form passes with a token in it
	lines := r.Header["Authorization"]
	if len(lines) > 1 {
		p.Ambiguous = ErrTwoAuthorizations
		return p
	}
	if len(lines) == 1 {
		p.Bearer, p.Opaque = bearer(lines[0])
	}
	if p.Cookie, p.Ambiguous = cookie.read(r); p.Ambiguous == nil {
		p.Placed, p.Ambiguous = placed, twice
	}
	return p
}

// bearer answers the token of an Authorization value where it is one for us, or may be one
// at some routes.
func bearer(value string) (ours, opaque string) {
	scheme, token := splitScheme(value)
	switch {
	case scheme != "bearer":
		return "", ""
	case authn.LooksLikeSessionToken(token) || authn.LooksLikeJWT(token):
		return token, ""
	}
	return "", token
}
