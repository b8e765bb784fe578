package claims

import (
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Policy says which top-level names neither a template nor a caller may use. The
// zero Policy reserves every name that a session JWT, or a token of a neighbouring
// standard, gives a meaning of its own.
type Policy struct {
	// Compat reserves only what Stytch does: the names of RFC 7519 §4.1 and everything
	// under https://stytch.com/.
	Compat bool
}

const stytchNamespace = "https://stytch.com/"

// Reserved tells whether a top-level claim of that name is reserved. Names are
// compared folded: many JSON readers, encoding/json among them, take "ſub" for
// "sub".
func (p Policy) Reserved(name string) bool { return p.reservation(name) != nil }

// reservation is the fault of using the name, nil where it is free.
func (p Policy) reservation(name string) *Error {
	folded := strictjson.Fold(name)
	switch folded {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti": // RFC 7519 §4.1
		return errReserved.forClaim(name)
	case "session", "organization", // ours
		"amr", "acr", "auth_time", "azp", // OpenID Connect Core §2
		"act", "client_id", "scope", // RFC 8693 §4
		"cnf", // RFC 7800
		"sid": // OpenID Connect Front-Channel Logout
		if !p.Compat {
			return errReserved.forClaim(name)
		}
	}
	if strings.HasPrefix(folded, stytchNamespace) {
		return errStytch.forClaim(name)
	}
	return nil
}
