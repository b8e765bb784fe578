package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

func roles(names ...string) func(*directory.Assertion) {
	return func(a *directory.Assertion) { a.Roles, a.HasRoles = names, true }
}

func TestRolesOfTheNewestTokenReplaceThoseOfTheSameProfile(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	okta := with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = true })
	m := f.resolve(with(okta, roles("admin", "editor")))
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{Roles: &[]string{"auditor"}}))
	ofP := with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.ExternalID, a.EmailVerified = "p", "p", "p-1", true
	})
	f.resolve(with(ofP, roles("viewer")))

	f.clock.advance(time.Minute)
	steps := []struct {
		name  string
		token directory.Assertion
		want  []string
	}{
		{"none said: no change", f.ada(), []string{"admin", "auditor", "editor", "viewer"}},
		{"another set", with(f.ada(), roles("reader")), []string{"auditor", "reader", "viewer"}},
		{"the empty set", with(f.ada(), roles()), []string{"auditor", "viewer"}},
		{"the other profile's", with(ofP, roles("admin")), []string{"admin", "auditor"}},
		{"the operator's hold always", with(ofP, roles()), []string{"auditor"}},
		{"a role twice is once", with(f.ada(), roles("auditor", "b", "b")), []string{"auditor", "b"}},
	}
	for _, step := range steps {
		m := f.resolve(step.token)
		if got := m.EffectiveRoles([]string{"okta", "p"}); !slices.Equal(got, step.want) {
			t.Errorf("%s: %v, want %v", step.name, got, step.want)
		}
	}
}

func TestRolesHoldOnlyWhileTheirProfileCounts(t *testing.T) {
	m := directory.Member{Roles: []string{"z", "a"}, ProfileRoles: map[string][]string{"p": {"b", "a"}, "q": {"c"}}}
	for _, row := range []struct{ counting, want []string }{
		{nil, []string{"a", "z"}},
		{[]string{"p"}, []string{"a", "b", "z"}},
		{[]string{"p", "p", "unknown"}, []string{"a", "b", "z"}},
		{[]string{"p", "q"}, []string{"a", "b", "c", "z"}},
	} {
		if got := m.EffectiveRoles(row.counting); !slices.Equal(got, row.want) {
			t.Errorf("%v: %v, want %v", row.counting, got, row.want)
		}
	}
	if m.Roles[0] != "z" {
		t.Error("the member was changed")
	}
}

func TestAttackAnOlderTokenReplayedDoesNotBringBackItsRoles(t *testing.T) {
	f := newFixture(t, acme("okta"))
	old := with(f.ada(), func(a *directory.Assertion) {
		a.Roles, a.HasRoles, a.Metadata, a.Name = []string{"admin"}, true, object("plan", "pro"), "Old"
	})
	f.resolve(old)
	f.clock.advance(time.Minute)
	f.resolve(with(old, func(a *directory.Assertion) {
		a.Roles, a.Metadata, a.Name, a.IssuedAt = nil, object("plan", "free"), "New", f.clock.Now()
	}))
	m := f.resolve(old)
	if len(m.EffectiveRoles([]string{"okta"})) != 0 || m.TrustedMetadata["plan"] != "free" || m.Name != "New" {
		t.Errorf("the old token brought back %v, %v, %q", m.ProfileRoles, m.TrustedMetadata, m.Name)
	}
}

// An older token may still have something to add; it does not make the member's
// newest token any older.
func TestAttackAnOldTokenDoesNotOpenTheDoorForAnother(t *testing.T) {
	f := newFixture(t, acme("okta"))
	issued := func(seconds int) func(*directory.Assertion) {
		return func(a *directory.Assertion) { a.IssuedAt = epoch.Add(time.Duration(seconds) * time.Second) }
	}
	f.resolve(with(with(f.ada(), roles()), issued(10)))
	if m := f.resolve(with(with(f.ada(), issued(5)), func(a *directory.Assertion) { a.EmailVerified = true })); !m.EmailVerified {
		t.Error("the older token verified nothing")
	}
	if m := f.resolve(with(with(f.ada(), roles("admin")), issued(7))); len(m.ProfileRoles) != 0 {
		t.Errorf("roles of an older token: %v", m.ProfileRoles)
	}
}

func TestRolesThatDoNotFitAreRefused(t *testing.T) {
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("r", i)
	}
	for name, row := range map[string]struct {
		roles []string
		code  string
	}{
		"101":       {many, "too_many_roles"},
		"empty":     {[]string{""}, "invalid_role"},
		"129 bytes": {[]string{strings.Repeat("r", 129)}, "invalid_role"},
		"newline":   {[]string{"admin\n"}, "invalid_role"},
		"not UTF-8": {[]string{"\xff"}, "invalid_role"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			_, _, err := f.Resolve(t.Context(), with(f.ada(), roles(row.roles...)))
			if e, ok := err.(*directory.Error); !ok || e.Code != row.code {
				t.Error(err)
			}
		})
	}
}

func TestMetadataKeysHaveOwners(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	says := func(profile string, o claims.Object) directory.Member {
		f.clock.advance(time.Second)
		return f.resolve(with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.EmailVerified, a.Metadata = profile, profile, true, o
		}))
	}
	m := says("okta", object("team", "red", "floor", 3))
	api := func(o claims.Object) directory.Member {
		return must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{TrustedMetadata: o}))
	}
	for _, step := range []struct {
		name   string
		do     func() directory.Member
		want   claims.Object
		owners map[string]string
	}{
		{"another profile adds its own and takes none", func() directory.Member { return says("p", object("team", "blue", "desk", "7")) },
			object("team", "red", "floor", num("3"), "desk", "7"), map[string]string{"team": "okta", "floor": "okta", "desk": "p"}},
		{"nil says nothing", func() directory.Member { return says("okta", nil) },
			object("team", "red", "floor", num("3"), "desk", "7"), map[string]string{"team": "okta", "floor": "okta", "desk": "p"}},
		{"what the newest token lacks is gone, only its own", func() directory.Member { return says("okta", object("team", "red")) },
			object("team", "red", "desk", "7"), map[string]string{"team": "okta", "desk": "p"}},
		{"the API may write any key", func() directory.Member { return api(object("team", "green", "note", "x")) },
			object("team", "green", "note", "x", "desk", "7"), map[string]string{"team": "@api", "note": "@api", "desk": "p"}},
		{"and the profile no longer that one", func() directory.Member { return says("okta", object("team", "red", "note", "y")) },
			object("team", "green", "note", "x", "desk", "7"), map[string]string{"team": "@api", "note": "@api", "desk": "p"}},
		{"a null of the token deletes its own", func() directory.Member { return says("p", object("desk", nil, "team", nil)) },
			object("team", "green", "note", "x"), map[string]string{"team": "@api", "note": "@api"}},
		{"what the API deletes is anybody's", func() directory.Member { api(object("team", nil)); return says("okta", object("team", "red")) },
			object("team", "red", "note", "x"), map[string]string{"team": "okta", "note": "@api"}},
	} {
		got := step.do()
		if diff := cmp.Diff(step.want, got.TrustedMetadata); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
		if diff := cmp.Diff(step.owners, got.MetadataOwners); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
}

func TestNumbersOfATokenAreNotAChangeEachTime(t *testing.T) {
	f := newFixture(t, acme("okta"))
	a := with(f.ada(), func(a *directory.Assertion) { a.Metadata = object("n", 1, "list", []any{1.5, "x"}) })
	f.resolve(a)
	before := f.store.applies.Load()
	f.resolve(a)
	if f.store.applies.Load() != before {
		t.Error("the same metadata was written twice")
	}
}

func TestTextsBelongToTheProfileThatWroteThem(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	named := func(profile, name, email string) directory.Member {
		return f.resolve(with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.EmailVerified, a.Name, a.UnverifiedEmail = profile, profile, true, name, email
		}))
	}
	named("okta", "Ada", "ada@home.example")
	if m := named("p", "Countess", "c@home.example"); m.Name != "Ada" || m.UnverifiedEmail != "ada@home.example" {
		t.Errorf("p wrote %q, %q", m.Name, m.UnverifiedEmail)
	}
	m := named("okta", "Ada L.", "")
	if m.Name != "Ada L." || m.UnverifiedEmail != "ada@home.example" {
		t.Errorf("okta wrote %q, %q", m.Name, m.UnverifiedEmail)
	}
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{Name: ptr("Lovelace")}))
	if m := named("okta", "Ada", ""); m.Name != "Lovelace" {
		t.Errorf("okta wrote %q over the API's", m.Name)
	}
	if m := named("okta", "\x1b[31mAda", "a\nb"); m.Name != "Lovelace" || m.UnverifiedEmail != "ada@home.example" {
		t.Errorf("%q, %q", m.Name, m.UnverifiedEmail)
	}
}
