package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/directory"
)

// restarted is the directory after a reload with these organizations, and what
// was adopted.
func (f *fixture) restarted(configured ...directory.Organization) (*fixture, []directory.Adoption) {
	f.t.Helper()
	d := f.another(configured...)
	adoptions := must[[]directory.Adoption](f.t)(d.Adopt(f.t.Context()))
	return &fixture{Directory: d, t: f.t, store: f.store, clock: f.clock}, adoptions
}

// tokenOf is a token of the profile whose claim names the organization.
func (f *fixture) tokenOf(profile, externalID string) directory.Assertion {
	return with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.EmailVerified = profile, profile, true
		a.Organization, a.OrganizationFixed, a.CreateOrganizations = externalID, false, true
	})
}

// An operator who names a second profile one day too late must not lose a tenant.
func TestConfiguredOrganizationAdoptsTheOneCreatedUnderItsExternalID(t *testing.T) {
	f := newFixture(t)
	before := f.resolve(f.tokenOf("okta", "acme-1"))
	made := before.OrganizationID
	late := acme("okta", "p")
	f, adoptions := f.restarted(late)
	want := []directory.Adoption{{ConfiguredID: "acme", OrganizationID: made, Profile: "okta"}}
	if diff := cmp.Diff(want, adoptions); diff != "" {
		t.Error(diff)
	}
	for range 2 { // and at every start from then on
		if m := f.resolve(f.tokenOf("okta", "acme-1")); m.ID != before.ID || m.OrganizationID != made {
			t.Errorf("the member is now %+v", m)
		}
		if m := f.resolve(f.tokenOf("p", "acme-1")); m.ID != before.ID {
			t.Errorf("the second profile reaches %+v", m)
		}
		if m := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = true })); m.ID != before.ID { // names it by the configured id
			t.Errorf("the operator's word reaches %+v", m)
		}
		for _, ref := range []string{"acme", "acme-1", made} {
			o := must[directory.Organization](t)(f.FindOrganization(t.Context(), ref))
			if o.ID != made || o.ConfiguredID != "acme" || o.Name != "Acme Inc." || !o.Configured {
				t.Errorf("%s is %+v", ref, o)
			}
		}
		if id := f.ConfiguredID("acme"); id != made {
			t.Errorf("acme is %s", id)
		}
		if f, adoptions = f.restarted(late); len(adoptions) != 0 {
			t.Errorf("adopted again: %+v", adoptions)
		}
	}
	page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
	if page.Total != 1 {
		t.Errorf("%d organizations", page.Total)
	}
}

func TestAdoptionOutlivesItsExternalIDAndAdoptOff(t *testing.T) {
	f := newFixture(t)
	made := f.resolve(f.tokenOf("okta", "acme-1")).OrganizationID
	f, _ = f.restarted(acme("okta"))
	f, adoptions := f.restarted(directory.Organization{ID: "acme", Profiles: []string{"okta"}, NoAdoption: true})
	if o := must[directory.Organization](t)(f.FindOrganization(t.Context(), "acme")); o.ID != made || len(adoptions) != 0 {
		t.Errorf("%+v, %+v", o, adoptions)
	}
}

func TestAdoptionKeepsWhatWasCutOff(t *testing.T) {
	f := newFixture(t)
	f.resolve(f.tokenOf("okta", "acme-1"))
	configured := directory.Organization{ID: "acme", Profiles: []string{"okta"}}
	f, _ = f.restarted(configured)
	if err := f.RevokeOrganization(t.Context(), "acme", f.clock.Now()); err != nil {
		t.Fatal(err)
	}
	f, _ = f.restarted(acme("okta"))
	f.refused(f.tokenOf("okta", "acme-1"), refusal("invalid_trusted_auth_token", "revoked"))
	f.clock.advance(time.Second)
	f.resolve(f.tokenOf("okta", "acme-1"))
}

func TestAdoptionIsRefused(t *testing.T) {
	jit := func(f *fixture) { f.resolve(f.tokenOf("okta", "acme-1")) }
	for name, row := range map[string]struct {
		given  func(f *fixture)
		late   directory.Organization
		reason string
	}{
		"adopt off":                    {jit, directory.Organization{ID: "acme", ExternalID: "acme-1", Profiles: []string{"okta"}, NoAdoption: true}, ""},
		"a profile that is not listed": {jit, acme("p"), directory.AdoptionProfileNotListed},
		"created by the API": {func(f *fixture) {
			f.createOrganization(directory.NewOrganization{Name: "Acme", ExternalID: "acme-1", Profiles: []string{"okta"}})
		}, acme("okta"), directory.AdoptionCreatedByAPI},
		"both have members": {func(f *fixture) {
			early, _ := f.restarted(directory.Organization{ID: "acme", Profiles: []string{"okta"}})
			early.resolve(early.ada())
			jit(early)
		}, acme("okta"), directory.AdoptionBothHaveMembers},
		"deleted": {func(f *fixture) {
			jit(f)
			if err := f.DeleteOrganization(f.t.Context(), "acme-1"); err != nil {
				f.t.Fatal(err)
			}
		}, acme("okta"), ""},
		"another external id": {jit, directory.Organization{ID: "acme", ExternalID: "acme-2", Profiles: []string{"okta"}}, ""},
		"nobody is there":     {func(*fixture) {}, acme("okta"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			row.given(f)
			before := f.store.applies.Load()
			f, adoptions := f.restarted(row.late)
			if got := len(adoptions) == 1 && adoptions[0].Refused == row.reason; got != (row.reason != "") {
				t.Errorf("adoptions: %+v", adoptions)
			}
			if o := must[directory.Organization](t)(f.FindOrganization(t.Context(), "acme")); o.ID != "acme" {
				t.Errorf("acme is %+v", o)
			}
			if f.store.applies.Load() != before {
				t.Error("something was written")
			}
		})
	}
}

// What the operator calls acme is the configured organization, also where it was adopted
// and has another id, and never a tenant that a token made under that name before.
func TestOperatorsNameMeansTheConfiguredOrganization(t *testing.T) {
	find := func(f *fixture, id string) directory.Organization {
		return must[directory.Organization](t)(f.FindOrganization(t.Context(), id))
	}
	f := newFixture(t)
	tenant := find(f, f.resolve(f.tokenOf("okta", "acme")).OrganizationID)
	adopted := find(f, f.resolve(f.tokenOf("okta", "acme-1")).OrganizationID)
	for name, want := range map[string]bool{"acme": true, tenant.ID: true, "acme-1": false, "": false} {
		if f.Means(name, tenant) != want {
			t.Errorf("nothing is configured, and %q means %s: %t", name, tenant.ID, !want)
		}
	}
	f, _ = f.restarted(acme("okta", "p"))
	if adopted = find(f, adopted.ID); !f.Means("acme", adopted) || !f.Means(adopted.ID, adopted) {
		t.Errorf("acme does not mean %+v", adopted)
	}
	if f.Means("acme", tenant) || !f.Means(tenant.ID, tenant) {
		t.Error("acme means the tenant that a token named so")
	}
}
