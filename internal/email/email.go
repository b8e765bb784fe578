// Package email is the one grammar of addresses: which text is an address, and
// how it is compared.
package email

import "strings"

// MaxBytes is the length of the longest address, in bytes (RFC 5321 §4.5.3.1: 64 + 1 + 255).
const MaxBytes = 320

// Parse answers the one spelling of an address, ASCII with exactly one @ in lower
// case, and its domain. It answers false for anything that a mail server and we
// could read as two different people (CVE-2026-40574): a second @, quotes,
// comments, spaces, other scripts.
func Parse(text string) (address, domain string, ok bool) {
	local, domain, found := strings.Cut(text, "@")
	if !found || len(text) > MaxBytes || !isLocalPart(local) || !IsDomain(domain) {
		return "", "", false
	}
	return strings.ToLower(text), strings.ToLower(domain), true
}

// isLocalPart holds for a dot-atom of RFC 5322 §3.2.3.
func isLocalPart(text string) bool {
	for atom := range strings.SplitSeq(text, ".") {
		if atom == "" || strings.IndexFunc(atom, notInAtom) >= 0 {
			return false
		}
	}
	return true
}

func notInAtom(c rune) bool {
	return !isAlphanumeric(c) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", c)
}

// IsDomain holds for dotted labels of letters, digits and hyphens. A final dot
// would be a second spelling of the same domain.
func IsDomain(text string) bool {
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || strings.IndexFunc(label, func(c rune) bool { return !isAlphanumeric(c) && c != '-' }) >= 0 {
			return false
		}
	}
	return true
}

func isAlphanumeric(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}
