package strictjson_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

func TestFoldNamesTheClass(t *testing.T) {
	for in, want := range map[string]string{
		"sub": "sub", "SUB": "sub", "ſub": "sub", "\u212aid": "kid", "": "",
		"https://ſTYTCH.com/": "https://stytch.com/", "x-y_z": "x-y_z", "straße": "straße",
	} {
		if got := strictjson.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

// Every character of the planes in which any has another case, against every
// member of its folding class.
func TestFoldAgreesWithEqualFoldOnEveryRune(t *testing.T) {
	for r := rune(0); r <= 0x1ffff; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		folded := strictjson.Fold(string(r))
		if !strings.EqualFold(folded, string(r)) {
			t.Fatalf("%U folds to %q, which is of another class", r, folded)
		}
		if next := unicode.SimpleFold(r); strictjson.Fold(string(next)) != folded {
			t.Fatalf("%U and %U are of one class and fold apart", r, next)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range [][2]string{{"sub", "ſub"}, {"KID", "\u212aid"}, {"a", "b"}, {"σ", "ς"}, {"ß", "ss"}, {"İ", "i"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a) || !utf8.ValidString(b) {
			t.Skip("names are always UTF-8")
		}
		same := strictjson.Fold(a) == strictjson.Fold(b)
		if same != strings.EqualFold(a, b) {
			t.Errorf("Fold says %v of %q and %q, EqualFold does not", same, a, b)
		}
		if strictjson.Fold(strictjson.Fold(a)) != strictjson.Fold(a) {
			t.Errorf("folding %q twice is not folding it once", a)
		}
		if strictjson.FoldsTogether(map[string]int{a: 1, b: 2}) != (a != b && same) {
			t.Errorf("FoldsTogether disagrees on %q and %q", a, b)
		}
	})
}
