package directory_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/directory"
)

// BenchmarkResolve is a sign-in of somebody known, who has nothing new to say.
func BenchmarkResolve(b *testing.B) {
	f := newFixture(b, acme("okta"))
	a := with(f.ada(), func(a *directory.Assertion) {
		a.Name, a.Roles, a.HasRoles, a.Metadata = "Ada", []string{"admin", "editor"}, true, object("team", "red")
	})
	f.resolve(a)
	b.ReportAllocs()
	for b.Loop() {
		f.resolve(a)
	}
}

// BenchmarkLookup is what a request with a session costs that no cache knows.
func BenchmarkLookup(b *testing.B) {
	f := newFixture(b, acme("okta"))
	m := f.resolve(f.ada())
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := f.Lookup(b.Context(), "acme", m.ID); err != nil {
			b.Fatal(err)
		}
	}
}
