package trust

import (
	"slices"
	"strings"
)

const maxEmail = 320 // bytes: RFC 5321 §4.5.3.1 gives 64 + 1 + 255

// emailRule is what a profile vouches for.
type emailRule struct {
	domains []string // lower case; "*" for all
}

// covers answers the address as it identifies: lower case, of a domain the
// profile names as a whole. It must be plain: ASCII, one @, nothing that could be
// read as another address (CVE-2026-40574).
func (r emailRule) covers(address string) (string, bool) {
	address = lowerASCII(address)
	local, domain, found := strings.Cut(address, "@")
	if !found || !plainLocal(local) || !plainDomain(domain) {
		return "", false
	}
	if !slices.Contains(r.domains, "*") && !slices.Contains(r.domains, domain) {
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

func plainLocal(local string) bool {
	if local == "" {
		return false
	}
	for n := range len(local) {
		if c := local[n]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),:;<>@[\]`, c) >= 0 {
			return false
		}
	}
	return true
}

func plainDomain(domain string) bool {
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || captureEnd(label) != len(label) {
			return false
		}
	}
	return true
}

// verifiedClaim is the claim that says whether the address is proved.
const verifiedClaim = "email_verified"

// verified reads email_verified: yes, silent or no. Some issuers write it as
// text; what is neither true nor absent is a no.
func verified(claims map[string]any) (yes, no bool) {
	switch v := lookup(claims, verifiedClaim).(type) {
	case nil:
		return false, false
	case bool:
		return v, !v
	case string:
		return v == "true", v != "true"
	}
	return false, true
}
