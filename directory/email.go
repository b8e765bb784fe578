package directory

import "strings"

// maxEmail is the longest address, in bytes (RFC 5321: 64 + 1 + 255).
const maxEmail = 320

// canonicalEmail is the one spelling of an address: ASCII, exactly one @, lower
// case. It answers false for anything that a mail server and we could read as
// two different people: a second @, quotes, comments, spaces, other scripts.
func canonicalEmail(text string) (string, bool) {
	local, domain, found := strings.Cut(text, "@")
	if !found || len(text) > maxEmail || !isLocalPart(local) || !isDomain(domain) {
		return "", false
	}
	return strings.ToLower(text), true
}

// isLocalPart holds for a dot-atom of RFC 5322 §3.2.3.
func isLocalPart(text string) bool {
	const special = "!#$%&'*+-/=?^_`{|}~"
	for _, atom := range strings.Split(text, ".") {
		if atom == "" || !every(atom, func(c byte) bool { return isAlphanumeric(c) || strings.IndexByte(special, c) >= 0 }) {
			return false
		}
	}
	return true
}

// isDomain holds for dotted labels of letters, digits and hyphens. A final dot
// would be a second spelling of the same domain.
func isDomain(text string) bool {
	for _, label := range strings.Split(text, ".") {
		if label == "" || !every(label, func(c byte) bool { return isAlphanumeric(c) || c == '-' }) {
			return false
		}
	}
	return true
}
