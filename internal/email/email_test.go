package email_test

import (
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/internal/email"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"Ada@ACME.example":       "ada@acme.example",
		"a.b+c_{d}@x-1.example":  "a.b+c_{d}@x-1.example",
		"ada@localhost":          "ada@localhost",
		"ada@acme.example@evil":  "",
		`"ada"@acme.example`:     "",
		"ada(x)@acme.example":    "",
		"Ada <ada@acme.example>": "",
		" ada@acme.example":      "",
		"ada@acme.example\n":     "",
		"ada@acme.example\x00":   "",
		"ada@acme.example.":      "",
		"ada@acme..example":      "",
		"a..da@acme.example":     "",
		".ada@acme.example":      "",
		"ada.@acme.example":      "",
		"@acme.example":          "",
		"ada@":                   "",
		"ada":                    "",
		"":                       "",
		"аda@acme.example":       "", // Cyrillic а
		"ada@\u212Acme.example":  "", // Kelvin sign
		"ada＠acme.example":       "", // full width
		"ada@acme.example\xff":   "",
		"ada\\@acme.example":     "",
		strings.Repeat("a", 307) + "@acme.example": strings.Repeat("a", 307) + "@acme.example",
		strings.Repeat("a", 308) + "@acme.example": "",
	} {
		address, domain, ok := email.Parse(text)
		if address != want || ok != (want != "") || ok && !strings.HasSuffix(address, "@"+domain) {
			t.Errorf("%q is %q of %q, %v", text, address, domain, ok)
		}
	}
}

// Whatever is an address is its own spelling, and nothing else folds to it.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"ada@acme.example", "A@b", "a@b@c", "ſ@b", "a@\u212A"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address, domain, ok := email.Parse(text)
		if !ok {
			return
		}
		again, _, ok := email.Parse(address)
		if !ok || again != address || !strings.EqualFold(text, address) || strings.Count(address, "@") != 1 || !email.IsDomain(domain) {
			t.Errorf("%q is %q and then %q", text, address, again)
		}
	})
}
