package trust

import (
	"strings"
	"unicode"
)

// validName is the rule for names of profiles, namespaces, factors and captures.
func validName(name string) bool {
	if name == "" || len(name) > 64 {
		return false
	}
	for n := range len(name) {
		c := name[n]
		first := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		if !first && (n == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return true
}

func hasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// boundedText is the rule for ids and names from a token: at most so many bytes,
// no control characters.
func boundedText(v any, most int) (string, bool) {
	text, ok := v.(string)
	return text, ok && len(text) <= most && !hasControl(text)
}
