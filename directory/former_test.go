package directory_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/directory"
)

// shared is a sign-in by a profile that shares the namespace of API callers, and had one of
// its own before.
func (f *fixture) shared() directory.Assertion {
	return with(f.ada(), func(a *directory.Assertion) { a.Namespace, a.Former = directory.NamespaceAPI, "okta" })
}

func (f *fixture) ids(m directory.Member) map[string]string {
	f.t.Helper()
	return must[directory.Member](f.t)(f.Member(f.t.Context(), m.OrganizationID, m.ID)).ExternalIDs
}

func TestSharedNamespaceKeepsTheFormerOne(t *testing.T) {
	both := map[string]string{"api": "ada-1", "okta": "ada-1"}
	for name, c := range map[string]struct {
		before func(f *fixture) directory.Member
		want   map[string]string
	}{
		"a member imported by the API": {func(f *fixture) directory.Member {
			return f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "ada-1"})
		}, both},
		"a member imported without an address": {func(f *fixture) directory.Member {
			return f.createMember("acme", directory.NewMember{Email: "other@acme.example", ExternalID: "ada-1"})
		}, both},
		"a member from before": {func(f *fixture) directory.Member { return f.resolve(f.ada()) }, both},
		"a member from before, to whom the API gave another id": {func(f *fixture) directory.Member {
			m := f.resolve(f.ada())
			return must[directory.Member](f.t)(f.UpdateMember(f.t.Context(), "acme", m.ID, directory.MemberChange{ExternalID: ptr("crm-7")}))
		}, map[string]string{"api": "crm-7", "okta": "ada-1"}},
		"nobody": {func(f *fixture) directory.Member { return f.resolve(f.shared()) }, both},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			m := c.before(f)
			f.resolveTo(m, f.shared())
			if diff := cmp.Diff(c.want, f.ids(m)); diff != "" {
				t.Error(diff)
			}
			writes := f.store.applies.Load()
			f.resolveTo(m, f.shared())
			if n := f.store.applies.Load() - writes; n != 0 {
				t.Errorf("the next sign-in wrote %d times", n)
			}
			f.resolveTo(m, f.ada()) // back again
		})
	}
}

func (f *fixture) resolveTo(m directory.Member, a directory.Assertion) {
	f.t.Helper()
	a.EmailVerified = true
	if got := f.resolve(a); got.ID != m.ID {
		f.t.Errorf("the token names %s (%v), want %s (%v)", got.ID, got.ExternalIDs, m.ID, m.ExternalIDs)
	}
}

// Whoever signed in before goes on as who they were, whomever the API calls by that id.
func TestFormerNamespaceHolds(t *testing.T) {
	f := newFixture(t, acme("okta"))
	mine := f.resolve(f.ada())
	theirs := f.createMember("acme", directory.NewMember{Email: "bob@acme.example", ExternalID: "ada-1"})
	var told [][2]string
	a := with(f.shared(), func(a *directory.Assertion) {
		a.Apart = func(holds, other directory.Member) { told = append(told, [2]string{holds.ID, other.ID}) }
	})
	f.resolveTo(mine, a)
	if diff := cmp.Diff([][2]string{{mine.ID, theirs.ID}}, told); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"okta": "ada-1"}, f.ids(mine)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"api": "ada-1"}, f.ids(theirs)); diff != "" {
		t.Error(diff)
	}
}

// A second factor finds by either, and links nothing.
func TestSecondFactorInASharedNamespace(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "ada-1"})
	a := with(f.shared(), func(a *directory.Assertion) { a.SecondOnly, a.CreateMembers, a.Email = true, false, "" })
	f.resolveTo(m, a)
	if diff := cmp.Diff(map[string]string{"api": "ada-1"}, f.ids(m)); diff != "" {
		t.Error(diff)
	}
}

// An id of another person of the issuer is no reason to be somebody.
func TestSharedNamespaceRefusesARecycledAddress(t *testing.T) {
	f := newFixture(t, acme("okta"))
	f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "someone-else"})
	f.refused(with(f.shared(), func(a *directory.Assertion) { a.EmailVerified = true }), refusal("duplicate_member_external_id", "member_has_another_external_id"))
}
