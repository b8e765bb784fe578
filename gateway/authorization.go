package gateway

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/session"
)

// authorizationRule decides which Authorization values `attest off` leaves in the
// request. They belong to the app behind it, which may log its users in by
// itself.
//
// Where no route forwards the JWT in Authorization, all do but credentials of
// the gateway's. Where some route does, an upstream may take its identity from
// there, and verify less than it should: what could be read as a JWT of ours goes
// too, and so does every scheme that is not known to carry something else.
type authorizationRule struct {
	// schemes in which some route forwards the JWT in Authorization, in lower case.
	schemes []string
	// issued tells whether an iss is that of the gateway or of an issuer it trusts.
	issued func(issuer string) bool
}

// appSchemes carry no JWT (RFC 7617, RFC 7616, RFC 4559).
var appSchemes = []string{"basic", "digest", "negotiate"}

func newAuthorizationRule(routes []*route, issued func(string) bool) authorizationRule {
	a := authorizationRule{issued: issued}
	for _, r := range routes {
		if r.injectsAuthorization() {
			a.schemes = append(a.schemes, strings.ToLower(r.Forward.Scheme))
		}
	}
	return a
}

// keeps tells whether the app behind `attest off` receives the value.
func (a authorizationRule) keeps(value string) bool {
	scheme, credentials := splitScheme(value)
	switch {
	case scheme == "bearer":
		return a.keepsBearer(credentials)
	case len(a.schemes) == 0:
		return true
	}
	return slices.Contains(appSchemes, scheme) && !slices.Contains(a.schemes, scheme) && !a.namesScheme(credentials)
}

func (a authorizationRule) keepsBearer(token string) bool {
	if session.LooksLikeToken(token) {
		return false
	}
	issuer, ok := jose.UnverifiedIssuer(token)
	if ok {
		return !a.issued(issuer)
	}
	return len(a.schemes) == 0 || !strings.ContainsAny(token, ". \t,")
}

// namesScheme tells whether a scheme that carries our JWT stands inside the
// credentials of another: apps that cut the header at "Bearer " read on there.
func (a authorizationRule) namesScheme(credentials string) bool {
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
	end := strings.IndexAny(value, " \t")
	if end < 0 {
		return strings.ToLower(value), ""
	}
	return strings.ToLower(value[:end]), strings.TrimSpace(value[end:])
}
