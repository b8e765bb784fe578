package claims

import (
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const stytchNamespace = "https://stytch.com/"

// Reserved tells whether a top-level claim of that name is the gateway's own
// word, which neither a template nor a caller may speak. Names are compared
// folded: many JSON readers, encoding/json among them, take "ſub" for "sub".
func Reserved(name string) bool { return reservation(name) != nil }

// reservation is the fault of using the name, nil where it is free.
func reservation(name string) *Error {
	folded := strictjson.Fold(name)
	switch folded {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", // RFC 7519 §4.1
		"session", "organization", // ours
		"amr", "acr", "auth_time", "azp", // OpenID Connect Core §2
		"act", "client_id", "scope", // RFC 8693 §4
		"cnf", // RFC 7800
		"sid": // OpenID Connect Front-Channel Logout
		return errReserved.in(name)
	}
	if strings.HasPrefix(folded, stytchNamespace) {
		return errStytch.in(name)
	}
	return nil
}
