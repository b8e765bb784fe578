package directory_test

import (
	"errors"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/directory"
)

// evil is a first sign-in by a profile whose issuer a hostile tenant controls
// and that may make both members and organizations.
func (f *fixture) evil(organization string) directory.Assertion {
	return directory.Assertion{
		Profile: "evil", Namespace: "evil", ExternalID: "mallory", Email: "ada@acme.example", EmailVerified: true,
		Organization: organization, CreateMembers: true, CreateOrganizations: true, IssuedAt: f.clock.Now(),
	}
}

// Whatever the hostile issuer calls the victim's organization by, it gets
// nothing: not the organization, no member, no write at all.
func TestAttackNamingAnotherTenantsOrganization(t *testing.T) {
	f := newFixture(t, acme("okta"))
	api := f.createOrganization(directory.NewOrganization{Name: "Globex", Slug: "globex", ExternalID: "globex-1"})
	listed := f.createOrganization(directory.NewOrganization{Name: "Hooli", Slug: "hooli", ExternalID: "hooli-1", Profiles: []string{"okta"}})
	made, _, err := f.Resolve(t.Context(), with(f.ada(), func(a *directory.Assertion) {
		a.Organization, a.OrganizationFixed, a.CreateOrganizations = "initech:1", false, true
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		organization string
		fixed        bool
		code, reason string
	}{
		"external id of a configured one":       {"acme-1", false, "organization_not_found", "profile_not_admitted"},
		"id of a configured one":                {"acme", false, "organization_not_found", "organization_is_called_so_otherwise"},
		"external id of one made by the API":    {"globex-1", false, "organization_not_found", "profile_not_admitted"},
		"slug of one made by the API":           {"globex", false, "organization_not_found", "organization_is_called_so_otherwise"},
		"id of one made by the API":             {api.ID, false, "invalid_token_organization_id_claim", "organization_looks_like_an_id"},
		"external id of one with a list":        {"hooli-1", false, "organization_not_found", "profile_not_admitted"},
		"id of one with a list":                 {listed.ID, false, "invalid_token_organization_id_claim", "organization_looks_like_an_id"},
		"external id of one another token made": {"initech:1", false, "organization_not_found", "profile_not_admitted"},
		"slug of one another token made":        {made.Slug, false, "organization_not_found", "organization_is_called_so_otherwise"},
		"id of one another token made":          {made.ID, false, "invalid_token_organization_id_claim", "organization_looks_like_an_id"},
		"an id nobody has yet":                  {"organization-test-00000000-0000-4000-8000-000000000000", false, "invalid_token_organization_id_claim", "organization_looks_like_an_id"},
		"the operator's word, configured id":    {"acme", true, "organization_not_found", "profile_not_admitted"},
		"the operator's word, slug":             {"globex", true, "organization_not_found", "organization_is_called_so_otherwise"},
		"with a space":                          {"acme ", false, "invalid_token_organization_id_claim", "organization_not_allowed"},
		"confusable":                            {"аcme", false, "invalid_token_organization_id_claim", "organization_not_allowed"},
		"a path":                                {"../acme", false, "invalid_token_organization_id_claim", "organization_not_allowed"},
		"none":                                  {"", false, "token_missing_organization_id_claim", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			f.refused(with(f.evil(row.organization), func(a *directory.Assertion) { a.OrganizationFixed = row.fixed }), refusal(row.code, row.reason))
		})
	}
}

func TestAttackTheNameOfAnotherTenantsOrganizationReachesNothing(t *testing.T) {
	f := newFixture(t)
	victim := f.createOrganization(directory.NewOrganization{Name: "Globex", Slug: "globex", Profiles: []string{"okta"}})
	o, _, err := f.Resolve(t.Context(), f.evil("Globex")) // its name, byte for byte
	if err != nil || o.ID == victim.ID || o.Slug == victim.Slug {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestTheSameEmailInTwoOrganizationsIsTwoMembers(t *testing.T) {
	f := newFixture(t, acme("okta"), directory.Organization{ID: "globex", Profiles: []string{"okta"}})
	one := f.resolve(f.ada())
	two := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Organization = "globex" }))
	if one.ID == two.ID || one.Email != two.Email || two.OrganizationID != "globex" {
		t.Errorf("%+v\n%+v", one, two)
	}
	for _, row := range []struct{ organization, member string }{{"acme", two.ID}, {"globex", one.ID}} {
		if _, err := f.Member(t.Context(), row.organization, row.member); !errors.Is(err, directory.ErrMemberNotFound) {
			t.Errorf("a member of the other organization: %v", err)
		}
		if _, err := f.FindMember(t.Context(), row.organization, row.member); !errors.Is(err, directory.ErrMemberNotFound) {
			t.Errorf("a member of the other organization: %v", err)
		}
	}
}

// A tenant that may found organizations must not take, as its external id, what
// is another's slug: callers of the API may name organizations by either.
func TestAttackAReferenceNeverMeansTwoOrganizations(t *testing.T) {
	f := newFixture(t)
	victim := f.createOrganization(directory.NewOrganization{Name: "Globex", Slug: "globex"})
	f.refused(f.evil("globex"), refusal("organization_not_found", "organization_is_called_so_otherwise"))
	if o, err := f.FindOrganization(t.Context(), "globex"); err != nil || o.ID != victim.ID {
		t.Errorf("%+v, %v", o, err)
	}
	if _, _, err := f.Resolve(t.Context(), f.evil("initech")); err != nil {
		t.Fatal(err)
	}
	_, err := f.CreateOrganization(t.Context(), directory.NewOrganization{Name: "Initech", Slug: "initech"})
	if !errors.Is(err, directory.ErrSlugUsed) {
		t.Error(err)
	}
}

func TestFoundingASlugNeverTakesTheNextTenantsExternalID(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"acme:1", "acme-1", "acme@1", "a", "1"} {
		if o, _, err := f.Resolve(t.Context(), f.evil(id)); err != nil || o.ExternalID != id {
			t.Errorf("%s: %+v, %v", id, o, err)
		}
	}
}

func TestWhatATokenFounds(t *testing.T) {
	f := newFixture(t)
	o, _, err := f.Resolve(t.Context(), f.evil("initech"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Name != "initech" || o.ExternalID != "initech" || o.Slug != "initech" || o.CreatedBy != "evil" || o.Configured {
		t.Errorf("%+v", o)
	}
	again, _, err := f.Resolve(t.Context(), with(f.evil("initech"), func(a *directory.Assertion) { a.CreateOrganizations = false }))
	if err != nil || again.ID != o.ID {
		t.Errorf("%+v, %v", again, err)
	}
	f.refused(with(f.evil("hooli"), func(a *directory.Assertion) { a.CreateOrganizations = false }), refusal("organization_not_found", ""))
	f.refused(with(f.evil("hooli"), func(a *directory.Assertion) { a.SecondOnly = true }), refusal("organization_not_found", ""))
}

// refused asserts that nothing is written: no organization is founded for a token
// that cannot become its first member.
func TestARefusedTokenFoundsNothing(t *testing.T) {
	f := newFixture(t)
	for name, row := range map[string]struct {
		change       func(*directory.Assertion)
		code, reason string
	}{
		"no members may be made": {func(a *directory.Assertion) { a.CreateMembers = false }, "member_not_found", ""},
		"metadata of 21 keys":    {func(a *directory.Assertion) { a.Metadata = manyKeys(21) }, "metadata_too_many_keys", ""},
		"a role of two lines":    {func(a *directory.Assertion) { a.Roles = []string{"a\nb"} }, "invalid_role", "role_not_allowed"},
		"the caller's own check": {func(a *directory.Assertion) {
			a.Check = func(o directory.Organization, m directory.Member) error {
				if o.ExternalID != "hooli" || o.Slug != "hooli" || o.ID == "" || m.OrganizationID != o.ID {
					t.Errorf("asked about %+v of %+v", m, o)
				}
				return directory.ErrMemberMismatch
			}
		}, "member_session_member_id_mismatch", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			f.refused(with(f.evil("hooli"), row.change), refusal(row.code, row.reason))
		})
	}
}

func TestAdmits(t *testing.T) {
	for name, row := range map[string]struct {
		organization     directory.Organization
		byToken, byCalls bool
	}{
		"configured, listed":             {directory.Organization{Configured: true, Profiles: []string{"p"}}, true, true},
		"configured, no list":            {directory.Organization{Configured: true}, false, false},
		"made by it":                     {directory.Organization{CreatedBy: "p"}, true, true},
		"made by it, another listed":     {directory.Organization{CreatedBy: "p", Profiles: []string{"q"}}, true, true},
		"made by another":                {directory.Organization{CreatedBy: "q"}, false, false},
		"made by the API, no list":       {directory.Organization{CreatedBy: directory.ByAPI}, false, true},
		"made by the API, an empty list": {directory.Organization{CreatedBy: directory.ByAPI, Profiles: []string{}}, false, false},
		"made by the API, listed":        {directory.Organization{CreatedBy: directory.ByAPI, Profiles: []string{"p"}}, true, true},
		"made by the API, another":       {directory.Organization{CreatedBy: directory.ByAPI, Profiles: []string{"q"}}, false, false},
	} {
		if got := row.organization.Admits("p", false); got != row.byToken {
			t.Errorf("%s: by its own claim %v", name, got)
		}
		if got := row.organization.Admits("p", true); got != row.byCalls {
			t.Errorf("%s: named by a caller %v", name, got)
		}
	}
	if (directory.Organization{CreatedBy: directory.ByAPI}).Admits(directory.ByAPI, false) {
		t.Error("a profile that is called like the API")
	}
	if (directory.Organization{Configured: true}).Admits("", true) {
		t.Error("a profile without a name")
	}
}

func TestTheOrganizationACallerNames(t *testing.T) {
	f := newFixture(t, acme("okta"))
	api := f.createOrganization(directory.NewOrganization{Name: "Globex", Slug: "globex", ExternalID: "globex-1"})
	closed := f.createOrganization(directory.NewOrganization{Name: "Closed", Slug: "closed", Profiles: []string{}})
	for name, row := range map[string]struct {
		token  string
		fixed  bool
		caller string
		want   string // the organization, or the code
		reason string
	}{
		"by id":                        {"", false, api.ID, api.ID, ""},
		"by slug":                      {"", false, "globex", api.ID, ""},
		"by external id":               {"", false, "globex-1", api.ID, ""},
		"a configured one by id":       {"", false, "acme", "acme", ""},
		"and by external id":           {"", false, "acme-1", "acme", ""},
		"the token says the same":      {"globex-1", false, "globex", api.ID, ""},
		"the operator says the same":   {"acme", true, "acme-1", "acme", ""},
		"unknown":                      {"", false, "hooli", "organization_not_found", ""},
		"an id that is nobody's":       {"", false, "organization-00000000-0000-4000-8000-000000000000", "organization_not_found", ""},
		"one that admits no profile":   {"", false, closed.ID, "organization_not_admitting", ""},
		"token and caller differ":      {"globex-1", false, "acme", "invalid_token_organization_id_claim", "token_and_caller_name_two_organizations"},
		"operator and caller differ":   {"acme", true, "globex", "invalid_token_organization_id_claim", "token_and_caller_name_two_organizations"},
		"neither is known, and differ": {"new", false, "other", "invalid_token_organization_id_claim", "token_and_caller_name_two_organizations"},
		"attack: founding by a token what the caller means otherwise": {"new", false, "globex", "invalid_token_organization_id_claim", "token_and_caller_name_two_organizations"},
		"attack: the slug as claim":                                   {"globex", false, "globex", "organization_not_found", "organization_is_called_so_otherwise"},
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			a := with(f.ada(), func(a *directory.Assertion) {
				a.Organization, a.OrganizationFixed, a.APIOrganization, a.CreateOrganizations = row.token, row.fixed, row.caller, true
			})
			if row.want == api.ID || row.want == "acme" {
				if m := f.resolve(a); m.OrganizationID != row.want {
					t.Errorf("member of %s", m.OrganizationID)
				}
				return
			}
			f.refused(a, refusal(row.want, row.reason))
		})
	}
	t.Run("both name one to be founded", func(t *testing.T) {
		f.t = t
		f.resolve(with(f.ada(), func(a *directory.Assertion) {
			a.Organization, a.OrganizationFixed, a.APIOrganization, a.CreateOrganizations = "initech", false, "initech", true
		}))
	})
	t.Run("a caller alone creates nothing", func(t *testing.T) {
		f.t = t
		f.refused(with(f.ada(), func(a *directory.Assertion) {
			a.Organization, a.APIOrganization, a.CreateOrganizations = "", "umbrella", true
		}), refusal("organization_not_found", ""))
	})
}

func TestTokensReachAnOrganizationTheAPIMadeOnlyThroughTheAPI(t *testing.T) {
	f := newFixture(t)
	o := f.createOrganization(directory.NewOrganization{Name: "Globex", ExternalID: "globex"})
	f.refused(f.evil("globex"), refusal("organization_not_found", "profile_not_admitted"))
	m := f.resolve(with(f.evil("globex"), func(a *directory.Assertion) { a.APIOrganization = o.ID }))
	if m.OrganizationID != o.ID {
		t.Errorf("%+v", m)
	}
}

func TestConfigurationWinsOverWhatWasFoundedBefore(t *testing.T) {
	f := newFixture(t)
	founded, _, err := f.Resolve(t.Context(), f.evil("acme-1"))
	if err != nil {
		t.Fatal(err)
	}
	f.Directory = f.another(acme("okta"))
	f.refused(f.evil("acme-1"), refusal("organization_not_found", "profile_not_admitted"))
	if o, err := f.FindOrganization(t.Context(), "acme-1"); err != nil || o.ID != "acme" {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := f.Organization(t.Context(), founded.ID); err != nil || o.ID != founded.ID {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestAnOrganizationTheOperatorDroppedIsGone(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.resolve(f.ada())
	if err := f.RevokeOrganization(t.Context(), "acme", epoch.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.Directory = f.another()
	if _, err := f.Organization(t.Context(), "acme"); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
	if _, err := f.Member(t.Context(), "acme", m.ID); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
	f.Directory = f.another(acme("okta"))
	if again := f.resolve(f.ada()); again.ID != m.ID {
		t.Error("the organization came back without its members")
	}
}
