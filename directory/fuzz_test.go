package directory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/directory"
)

// FuzzResolve: whatever a token says, it is refused, or it becomes a member who
// can be read again, whose address has one spelling, and whom the same token
// means a second time without a write.
func FuzzResolve(f *testing.F) {
	f.Add("ada-1", "ada@acme.example", "Ada", "x@y", "admin", "key", "value", "tenant-1")
	f.Add("", "Ada@ACME.example", "", "", "", "ſ", "", "acme")
	f.Add("\x00", "a@b@c", "\xff", "\u0085", "\n", "S", "\xff", "organization-00000000-0000-4000-8000-000000000000")
	f.Add("аda", "ada@acme.example.", "é", "e\u0301", " ", "", "\u2028", "a|b:c@d.e_f-g")
	f.Fuzz(func(t *testing.T, id, email, name, unverified, role, key, value, organization string) {
		w := newFixture(t)
		a := with(w.ada(), func(a *directory.Assertion) {
			a.ExternalID, a.Email, a.Name, a.UnverifiedEmail = id, email, name, unverified
			a.Roles, a.HasRoles, a.Metadata = []string{role}, true, object(key, value, "s", 1)
			a.Organization, a.OrganizationFixed, a.CreateOrganizations = organization, false, true
		})
		o, m, err := w.Resolve(t.Context(), a)
		var refused *directory.Error
		if errors.As(err, &refused) {
			return
		}
		if err != nil {
			t.Fatalf("a token caused a fault: %v", err)
		}
		if m.Email != "" && (strings.Count(m.Email, "@") != 1 || m.Email != strings.ToLower(m.Email) || !strings.EqualFold(m.Email, email)) {
			t.Errorf("%q became %q", email, m.Email)
		}
		if m.Email != "" && strings.IndexFunc(m.Email, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0 {
			t.Errorf("%q is not plain", m.Email)
		}
		if o.ExternalID != organization || m.ExternalIDs["okta"] != id {
			t.Errorf("%q of %q became %v of %q", id, organization, m.ExternalIDs, o.ExternalID)
		}
		stored := must[directory.Member](t)(w.Member(t.Context(), o.ID, m.ID))
		if diff := cmp.Diff(m, stored); diff != "" {
			t.Errorf("read otherwise than written: %s", diff)
		}
		before := w.store.applies.Load()
		if again := w.resolve(a); again.ID != m.ID || w.store.applies.Load() != before {
			t.Errorf("the same token is %s and wrote %d times", again.ID, w.store.applies.Load()-before)
		}
	})
}
