package web

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/internal/jose"
)

// AuthorizationRule decides which Authorization values `attest off`, and a route that
// forwards the JWT in another header, leave in the request. They belong to the app
// behind it, which may log its users in by itself.
//
// Where no route forwards the JWT in Authorization, all do but credentials of
// the gateway's. Where some route does, an upstream may take its identity from
// there, and verify less than it should: what could be read as a JWT of ours goes
// too, and so does every scheme that is not known to carry something else.
type AuthorizationRule struct {
	// schemes in which some route forwards the JWT in Authorization, in lower case.
	schemes []string
	// issued tells whether an iss is that of the gateway or of an issuer it trusts; empty:
	// whether it trusts tokens without.
	issued func(issuer string) bool
	// opaque tells that some profile takes tokens that say nothing themselves: then every
	// Bearer may be one.
	opaque bool
}

// appSchemes carry no JWT (RFC 7617, RFC 7616, RFC 4559).
var appSchemes = []string{"basic", "digest", "negotiate"}

// NewAuthorizationRule makes the rule for the schemes in which some route forwards
// the JWT in Authorization. issued tells whether an iss is that of the gateway or of
// an issuer it trusts, opaque whether some profile introspects.
func NewAuthorizationRule(schemes []string, issued func(issuer string) bool, opaque bool) AuthorizationRule {
	a := AuthorizationRule{issued: issued, opaque: opaque}
	for _, scheme := range schemes {
		a.schemes = append(a.schemes, strings.ToLower(scheme))
	}
	return a
}

// Keeps tells whether the app receives the value.
func (a AuthorizationRule) Keeps(value string) bool {
	scheme, credentials := splitScheme(value)
	switch {
	case scheme == "bearer":
		return a.keepsBearer(credentials)
	case len(a.schemes) == 0:
		return true
	}
	return slices.Contains(appSchemes, scheme) && !slices.Contains(a.schemes, scheme) && !a.namesScheme(credentials)
}

func (a AuthorizationRule) keepsBearer(token string) bool {
	if authn.LooksLikeSessionToken(token) {
		return false
	}
	issuer, ok := jose.UnverifiedIssuer(token)
	switch {
	case ok:
		return !a.issued(issuer)
	case a.opaque:
		return false
	case authn.LooksLikeJWT(token) && a.issued(""): // some profile takes tokens without iss
		return false
	}
	return len(a.schemes) == 0 || !strings.ContainsAny(token, ". \t,")
}

// namesScheme tells whether a scheme that carries our JWT stands inside the
// credentials of another: apps that search the header for "Bearer " read on there.
func (a AuthorizationRule) namesScheme(credentials string) bool {
	words := strings.Fields(strings.ToLower(credentials))
	for i := range max(0, len(words)-1) {
		if strings.HasSuffix(words[i], "bearer") || slices.ContainsFunc(a.schemes, func(s string) bool { return strings.HasSuffix(words[i], s) }) {
			return true
		}
	}
	return false
}

// splitScheme takes an Authorization value apart, the scheme in lower case. An
// upstream may take a space or a tab for the gap.
func splitScheme(value string) (scheme, credentials string) {
	scheme = value
	if end := strings.IndexAny(value, " \t"); end >= 0 {
		scheme, credentials = value[:end], strings.TrimSpace(value[end:])
	}
	if scheme == "Bearer" { // as nearly all write it
		return "bearer", credentials
	}
	return strings.ToLower(scheme), credentials
}
