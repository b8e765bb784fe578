package trust

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/email"
)

// emailRule is the domains whose addresses a profile vouches for.
type emailRule struct {
	domains []string // lower case; "*" for all
}

// covers answers the address as it identifies: lower case, of a domain the
// profile names as a whole.
func (r emailRule) covers(text string) (string, bool) {
	address, domain, ok := email.Parse(text)
	if !ok || !slices.Contains(r.domains, "*") && !slices.Contains(r.domains, domain) {
		return "", false
	}
	return address, true
}

// lowerASCII leaves other letters alone: strings.ToLower would make a k of the
// Kelvin sign.
func lowerASCII(text string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + ('a' - 'A')
		}
		return c
	}, text)
}

// verifiedClaim is the claim that tells whether the address is verified (OpenID Connect
// Core §5.1).
const verifiedClaim = "email_verified"

// readEmailVerified reads email_verified: true, absent or false. Some issuers write it
// as text; what is neither true nor absent is false.
func readEmailVerified(claims map[string]any) (yes, no bool) {
	switch v := claims[verifiedClaim].(type) {
	case nil:
		return false, false
	case bool:
		return v, !v
	case string:
		return v == "true", v != "true"
	}
	return false, true
}
