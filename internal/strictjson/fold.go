package strictjson

import (
	"strings"
	"unicode"
)

// FoldsTogether tells whether two names of the object are one under simple
// Unicode case folding, so that no strict reader would take it. Most objects hold
// only lower-case ASCII names, and for those it allocates nothing.
func FoldsTogether[V any](object map[string]V) bool {
	if !mayFold(object) {
		return false
	}
	seen := make(map[string]struct{}, len(object))
	for name := range object {
		folded := Fold(name)
		if _, twice := seen[folded]; twice {
			return true
		}
		seen[folded] = struct{}{}
	}
	return false
}

func mayFold[V any](object map[string]V) bool {
	for name := range object {
		if !plain(name) {
			return true
		}
	}
	return false
}

// Fold maps every name of one case-folding class to one representative, so that
// Fold(a) == Fold(b) exactly when strings.EqualFold(a, b). A name of lower-case
// ASCII represents itself.
func Fold(name string) string {
	if plain(name) {
		return name
	}
	return strings.Map(smallestFold, name)
}

func plain(name string) bool {
	for i := 0; i < len(name); i++ {
		if !plainByte(name[i]) {
			return false
		}
	}
	return true
}

func plainByte(c byte) bool { return c < 0x80 && (c < 'A' || 'Z' < c) }

// smallestFold walks the orbit of r (unicode.SimpleFold) and takes the ASCII
// lower-case letter in it where there is one, else its smallest rune.
func smallestFold(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		return least + ('a' - 'A')
	}
	return least
}
