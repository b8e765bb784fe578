package directory_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
)

func TestCreateOrganization(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{
		Name: "Globex GmbH", Slug: "globex", ExternalID: "globex:1", Profiles: []string{"okta"},
		TrustedMetadata: object("plan", "pro", "seats", 5, "none", nil),
	})
	want := directory.Organization{
		ID: made.ID, Name: "Globex GmbH", Slug: "globex", ExternalID: "globex:1", Profiles: []string{"okta"},
		CreatedBy: directory.ByAPI, Status: directory.StatusActive,
		TrustedMetadata: object("plan", "pro", "seats", num("5")), CreatedAt: epoch, UpdatedAt: epoch, Version: 1,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	for _, ref := range []string{made.ID, "globex", "globex:1"} {
		o, err := f.FindOrganization(t.Context(), ref)
		if diff := cmp.Diff(want, o); err != nil || diff != "" {
			t.Errorf("%s: %v %s", ref, err, diff)
		}
	}
	if o, err := f.Organization(t.Context(), made.ID); err != nil || o.ID != made.ID {
		t.Error(err)
	}
	if _, err := f.Organization(t.Context(), "globex"); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Errorf("by slug where an id is due: %v", err)
	}
}

func TestSlugsMadeFromNames(t *testing.T) {
	for name, want := range map[string]string{
		"Globex GmbH & Co.":      `^globex-gmbh---co\.-[0-9a-f]{12}$`,
		"日本":                     `^org-[0-9a-f]{12}$`,
		"-":                      `^org-[0-9a-f]{12}$`,
		strings.Repeat("x", 128): `^x{115}-[0-9a-f]{12}$`,
	} {
		o := newFixture(t).createOrganization(directory.NewOrganization{Name: name})
		if !regexp.MustCompile(want).MatchString(o.Slug) {
			t.Errorf("%q became %q", name, o.Slug)
		}
	}
}

// A fault may have written all the same: taking the record back then would leave
// references that nobody bears.
func TestAFaultWhileFoundingLosesNothing(t *testing.T) {
	f := newFixture(t)
	f.store.lieAt.Store(2) // the references are written, and the answer lost
	if _, _, err := f.Resolve(t.Context(), f.evil("initech")); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if m := f.resolve(f.evil("initech")); m.OrganizationID == "" {
		t.Error("the organization is lost")
	}
}

func TestOrganizationsThatCannotBe(t *testing.T) {
	const id = "organization-00000000-0000-4000-8000-000000000000"
	for name, row := range map[string]struct {
		organization directory.NewOrganization
		code         string
	}{
		"no name":                  {directory.NewOrganization{}, "invalid_organization_name"},
		"name of 129 characters":   {directory.NewOrganization{Name: strings.Repeat("é", 129)}, "invalid_organization_name"},
		"name with a line break":   {directory.NewOrganization{Name: "a\nb"}, "invalid_organization_name"},
		"slug of one":              {directory.NewOrganization{Name: "x", Slug: "x"}, "invalid_organization_slug"},
		"slug of 129":              {directory.NewOrganization{Name: "x", Slug: strings.Repeat("x", 129)}, "invalid_organization_slug"},
		"slug with a slash":        {directory.NewOrganization{Name: "x", Slug: "a/b"}, "invalid_organization_slug"},
		"confusable slug":          {directory.NewOrganization{Name: "x", Slug: "аcme"}, "invalid_organization_slug"},
		"slug like an id":          {directory.NewOrganization{Name: "x", Slug: id}, "invalid_organization_slug"},
		"external id with a space": {directory.NewOrganization{Name: "x", ExternalID: "a b"}, "invalid_organization_external_id"},
		"external id of 129":       {directory.NewOrganization{Name: "x", ExternalID: strings.Repeat("x", 129)}, "invalid_organization_external_id"},
		"external id like an id":   {directory.NewOrganization{Name: "x", ExternalID: id}, "invalid_organization_external_id"},
		"profile that is no name":  {directory.NewOrganization{Name: "x", Profiles: []string{"@api"}}, "invalid_argument"},
		"slug of a configured one": {directory.NewOrganization{Name: "x", Slug: "acme"}, "organization_slug_already_used"},
		"its external id":          {directory.NewOrganization{Name: "x", ExternalID: "acme-1"}, "organization_external_id_already_used"},
		"its external id as slug":  {directory.NewOrganization{Name: "x", Slug: "acme-1"}, "organization_slug_already_used"},
		"slug of another":          {directory.NewOrganization{Name: "x", Slug: "globex"}, "organization_slug_already_used"},
		"external id of another":   {directory.NewOrganization{Name: "x", ExternalID: "globex-1"}, "organization_external_id_already_used"},
		"slug as external id":      {directory.NewOrganization{Name: "x", ExternalID: "globex"}, "organization_external_id_already_used"},
		"metadata too large":       {directory.NewOrganization{Name: "x", TrustedMetadata: object("a", strings.Repeat("x", 4096))}, "metadata_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			f.createOrganization(directory.NewOrganization{Name: "Globex", Slug: "globex", ExternalID: "globex-1"})
			_, err := f.CreateOrganization(t.Context(), row.organization)
			if !errors.Is(err, refusal(row.code, "")) {
				t.Errorf("got %v, want %s", err, row.code)
			}
			page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
			if page.Total != 2 {
				t.Errorf("%d organizations, not two", page.Total)
			}
			if records := must[[]store.Ref](t)(f.store.List(t.Context(), "organizations")); len(records) != 1 {
				t.Errorf("the refused one left its record: %v", records)
			}
		})
	}
}

func TestUpdateOrganization(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{
		Name: "Globex", Slug: "globex", ExternalID: "globex-1", TrustedMetadata: object("a", 1, "b", object("c", 1, "d", 2)),
	})
	f.clock.advance(time.Second)
	got := must[directory.Organization](t)(f.UpdateOrganization(t.Context(), "globex-1", directory.OrganizationChange{
		Name: ptr("Globex 2"), Slug: ptr("globex2"), ExternalID: ptr(""), Profiles: &[]string{},
		TrustedMetadata: object("a", nil, "b", object("d", 3)),
	}))
	want := made
	want.Name, want.Slug, want.ExternalID, want.Profiles = "Globex 2", "globex2", "", []string{}
	want.TrustedMetadata = object("b", object("d", num("3")))
	want.UpdatedAt, want.Version = epoch.Add(time.Second), 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for ref, found := range map[string]bool{made.ID: true, "globex2": true, "globex": false, "globex-1": false} {
		if o, err := f.FindOrganization(t.Context(), ref); (err == nil) != found || found && o.ID != made.ID {
			t.Errorf("%s: %v, %v", ref, o.ID, err)
		}
	}
	if diff := cmp.Diff(want, must[directory.Organization](t)(f.Organization(t.Context(), made.ID))); diff != "" {
		t.Error(diff)
	}
	// What was given up is free again, for a token too.
	if m := f.resolve(f.evil("globex")); m.OrganizationID == made.ID {
		t.Error("the former slug still means it")
	}
	_, err := f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{Slug: ptr("globex")})
	if !errors.Is(err, directory.ErrSlugUsed) {
		t.Error(err)
	}
	_, err = f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{ExternalID: ptr("globex")})
	if !errors.Is(err, directory.ErrOrganizationExternalIDUsed) {
		t.Error(err)
	}
	_, err = f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{Slug: ptr("")})
	if !errors.Is(err, refusal("invalid_organization_slug", "")) {
		t.Error(err)
	}
	if diff := cmp.Diff(want, must[directory.Organization](t)(f.Organization(t.Context(), made.ID))); diff != "" {
		t.Errorf("refused changes left something: %s", diff)
	}
}

func TestNoListAndAnEmptyListSurviveTheStore(t *testing.T) {
	f := newFixture(t)
	for name, profiles := range map[string][]string{"none": nil, "empty": {}, "one": {"p"}} {
		made := f.createOrganization(directory.NewOrganization{Name: name, Profiles: profiles})
		got := must[directory.Organization](t)(f.Organization(t.Context(), made.ID)).Profiles
		if diff := cmp.Diff(profiles, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	made := f.createOrganization(directory.NewOrganization{Name: "x", Profiles: []string{}})
	var none []string
	if o := must[directory.Organization](t)(f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{Profiles: &none})); o.Profiles != nil {
		t.Errorf("the list was not removed: %v", o.Profiles)
	}
}

func TestTheAPICannotChangeWhatTheOperatorConfigured(t *testing.T) {
	o := acme("okta")
	o.TrustedMetadata = object("plan", "pro")
	f := newFixture(t, o)
	for name, change := range map[string]directory.OrganizationChange{
		"name":        {Name: ptr("x")},
		"slug":        {Slug: ptr("x-y")},
		"external id": {ExternalID: ptr("")},
		"profiles":    {Profiles: &[]string{"evil"}},
		"metadata":    {TrustedMetadata: object("plan", "free")},
		"no metadata": {TrustedMetadata: object("plan", nil)},
	} {
		if _, err := f.UpdateOrganization(t.Context(), "acme", change); !errors.Is(err, directory.ErrConfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := f.DeleteOrganization(t.Context(), "acme"); !errors.Is(err, directory.ErrConfigured) {
		t.Error(err)
	}
	changed, err := f.UpdateOrganization(t.Context(), "acme-1", directory.OrganizationChange{
		Name: ptr("Acme Inc."), Profiles: &[]string{"okta"}, TrustedMetadata: object("note", "x"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object("plan", "pro", "note", "x"), changed.TrustedMetadata); diff != "" {
		t.Error(diff)
	}
	// What the operator writes later wins over what the API wrote.
	o.TrustedMetadata = object("note", "operator")
	f.Directory = f.another(o)
	got := must[directory.Organization](t)(f.Organization(t.Context(), "acme"))
	if diff := cmp.Diff(object("note", "operator"), got.TrustedMetadata); diff != "" {
		t.Error(diff)
	}
}

func TestAttackADeletedOrganizationIsNotRevivedByAToken(t *testing.T) {
	f := newFixture(t)
	o, m, err := f.Resolve(t.Context(), f.evil("initech"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.DeleteOrganization(t.Context(), "initech"); err != nil {
		t.Fatal(err)
	}
	f.clock.advance(time.Hour)
	f.refused(f.evil("initech"), refusal("organization_not_found", "organization_deleted"))
	for what, err := range map[string]error{
		"get":    second(f.Organization(t.Context(), o.ID)),
		"find":   second(f.FindOrganization(t.Context(), "initech")),
		"member": second(f.Member(t.Context(), o.ID, m.ID)),
		"find m": second(f.FindMember(t.Context(), o.ID, m.ID)),
		"email":  second(f.FindMemberByEmail(t.Context(), o.ID, m.Email)),
		"update": second(f.UpdateMember(t.Context(), o.ID, m.ID, directory.MemberChange{Name: ptr("x")})),
		"react":  second(f.ReactivateMember(t.Context(), o.ID, m.ID)),
		"locate": second(f.LocateMember(t.Context(), m.ID)),
		"again":  f.DeleteOrganization(t.Context(), o.ID),
	} {
		if !errors.Is(err, directory.ErrOrganizationNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
	if page.Total != 0 {
		t.Errorf("found %d", page.Total)
	}
}

func TestAttackTheSlugOfADeletedOrganizationAsExternalID(t *testing.T) {
	f := newFixture(t)
	f.createOrganization(directory.NewOrganization{Name: "x", Slug: "initech", ExternalID: "initech-1"})
	if err := f.DeleteOrganization(t.Context(), "initech"); err != nil {
		t.Fatal(err)
	}
	f.refused(f.evil("initech"), refusal("organization_not_found", "organization_is_called_so_otherwise"))
}

func second[T any](_ T, err error) error { return err }

func TestAttackRecycledOrganizationHasNothingOfTheOld(t *testing.T) {
	f := newFixture(t)
	old := f.createOrganization(directory.NewOrganization{Name: "x", Slug: "xx", ExternalID: "x1", TrustedMetadata: object("a", 1)})
	f.createMember(old.ID, directory.NewMember{Email: "ada@acme.example"})
	if err := f.DeleteOrganization(t.Context(), "xx"); err != nil {
		t.Fatal(err)
	}
	made := f.createOrganization(directory.NewOrganization{Name: "y", Slug: "xx", ExternalID: "x1"})
	if made.ID == old.ID || len(made.TrustedMetadata) != 0 {
		t.Errorf("%+v", made)
	}
	if _, err := f.FindMemberByEmail(t.Context(), made.ID, "ada@acme.example"); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Error(err)
	}
	if o, err := f.FindOrganization(t.Context(), "x1"); err != nil || o.ID != made.ID {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestTwoWhoCreateOneOrganizationAtOnce(t *testing.T) {
	f := newFixture(t)
	gateways := []*directory.Directory{f.Directory, f.another()}
	errs := make([]error, 50)
	var done sync.WaitGroup
	for i := range errs {
		done.Go(func() {
			_, errs[i] = gateways[i%2].CreateOrganization(context.Background(), directory.NewOrganization{Name: "x", Slug: "xx", ExternalID: fmt.Sprint("x", i)})
		})
	}
	done.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if !errors.Is(err, directory.ErrSlugUsed) {
			t.Error(err)
		}
	}
	page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
	if made != 1 || page.Total != 1 {
		t.Errorf("%d made, %d there", made, page.Total)
	}
}

// An interruption between the two partitions leaves at worst a reference that
// nobody bears, and that is taken over.
func TestACrashBetweenTheTwoPartitions(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{Name: "x", Slug: "first"})
	f.store.breakAt.Store(2) // the reference is claimed, the organization not written
	if _, err := f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{Slug: ptr("second")}); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	if o, err := f.FindOrganization(t.Context(), "first"); err != nil || o.ID != made.ID {
		t.Errorf("%+v, %v", o, err)
	}
	if o, err := f.FindOrganization(t.Context(), "second"); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Errorf("%+v, %v", o, err)
	}
	if _, _, err := f.Resolve(t.Context(), f.evil("second")); err == nil {
		t.Error("the reference was taken while its holder may be about to bear it")
	}
	f.clock.advance(2 * time.Minute)
	if m := f.resolve(f.evil("second")); m.OrganizationID == made.ID {
		t.Error("a reference nobody bears was believed")
	}
}

func TestTheHolderMayClaimItsOwnReferenceAgain(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{Name: "x", Slug: "first"})
	f.store.breakAt.Store(2)
	change := directory.OrganizationChange{Slug: ptr("second")}
	if _, err := f.UpdateOrganization(t.Context(), made.ID, change); err == nil {
		t.Fatal("not interrupted")
	}
	if _, err := f.UpdateOrganization(t.Context(), made.ID, change); err != nil {
		t.Fatal(err)
	}
	if o, err := f.FindOrganization(t.Context(), "second"); err != nil || o.ID != made.ID {
		t.Errorf("%+v, %v", o, err)
	}
}

// One caller gives a slug up, another takes it back before the first has tidied.
func TestASlugTakenBackIsNotReleased(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{Name: "x", Slug: "first"})
	rename := func(slug string) {
		must[directory.Organization](t)(f.UpdateOrganization(t.Context(), made.ID, directory.OrganizationChange{Slug: &slug}))
	}
	applies := 0
	f.store.before = func(string) {
		if applies++; applies == 3 { // claimed, written, and now to be released
			rename("first")
		}
	}
	rename("second")
	if o, err := f.FindOrganization(t.Context(), "first"); err != nil || o.ID != made.ID || o.Slug != "first" {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestConcurrentChangesOfOneOrganizationAllHold(t *testing.T) {
	f := newFixture(t)
	made := f.createOrganization(directory.NewOrganization{Name: "x", Slug: "start"})
	var done sync.WaitGroup
	for i := range 10 {
		done.Go(func() {
			_, err := f.UpdateOrganization(context.Background(), made.ID, directory.OrganizationChange{
				Slug: ptr(fmt.Sprint("slug", i%3)), TrustedMetadata: claims.Object{fmt.Sprint("key", i): i},
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	o := must[directory.Organization](t)(f.Organization(t.Context(), made.ID))
	if len(o.TrustedMetadata) != 10 {
		t.Errorf("%v", o.TrustedMetadata)
	}
	for _, ref := range []string{"start", "slug0", "slug1", "slug2"} {
		if found, err := f.FindOrganization(t.Context(), ref); (err == nil) != (ref == o.Slug) {
			t.Errorf("%s, called %s: %+v, %v", ref, o.Slug, found.ID, err)
		}
	}
}

func TestConfiguredOrganizationsThatCannotBe(t *testing.T) {
	for name, row := range map[string]struct {
		list []directory.Organization
		text string
	}{
		"no id":                            {[]directory.Organization{{}}, "expected 1 to 128"},
		"id with a space":                  {[]directory.Organization{{ID: "a b"}}, "expected 1 to 128"},
		"twice":                            {[]directory.Organization{{ID: "a1"}, {ID: "a1"}}, `"a1" already names organization "a1"`},
		"external id is another's id":      {[]directory.Organization{{ID: "a1"}, {ID: "b1", ExternalID: "a1"}}, `"a1" already names organization "a1"`},
		"slug is another's external id":    {[]directory.Organization{{ID: "a1", ExternalID: "x1"}, {ID: "b1", Slug: "x1"}}, `"x1" already names organization "a1"`},
		"id is another's slug":             {[]directory.Organization{{ID: "a1", Slug: "b1"}, {ID: "b1"}}, `"b1" already names organization "a1"`},
		"external id outside the alphabet": {[]directory.Organization{{ID: "a1", ExternalID: "a b"}}, "external_id: expected 1 to 128"},
		"slug outside the alphabet":        {[]directory.Organization{{ID: "a1", Slug: "a:b"}}, "slug: expected 2 to 128"},
		"name with a line break":           {[]directory.Organization{{ID: "a1", Name: "a\nb"}}, "name: expected 1 to 128 characters"},
		"metadata of 21 keys":              {[]directory.Organization{{ID: "a1", TrustedMetadata: manyKeys(21)}}, "metadata has at most 20 members"},
		"name of 129 characters":           {[]directory.Organization{{ID: "a1", Name: strings.Repeat("ä", 129)}}, "name: expected 1 to 128 characters"},
		"metadata nested 33 deep":          {[]directory.Organization{{ID: "a1", TrustedMetadata: nestedMetadata(33)}}, "metadata nests at most 32 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := directory.New(directory.Config{Store: newFixture(t).store, IndexKey: indexKey, Organizations: row.list})
			var mistake *directory.ConfigError
			if !errors.As(err, &mistake) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("%v, want %q", err, row.text)
			}
		})
	}
}

func TestASlugThatIsDerivedIsNoMistake(t *testing.T) {
	f := newFixture(t, directory.Organization{ID: "a"})
	if o := must[directory.Organization](t)(f.FindOrganization(t.Context(), "a")); o.Slug != "" || o.Name != "a" {
		t.Errorf("%+v", o)
	}
}

// nestedMetadata is metadata of that depth.
func nestedMetadata(depth int) claims.Object {
	o := claims.Object{}
	for range depth - 1 {
		o = claims.Object{"a": o}
	}
	return o
}

func TestNewNeedsAStoreAndAKey(t *testing.T) {
	if _, err := directory.New(directory.Config{IndexKey: indexKey}); err == nil {
		t.Error("without a store")
	}
	if _, err := directory.New(directory.Config{Store: newFixture(t).store, IndexKey: indexKey[:31]}); err == nil {
		t.Error("with a short key")
	}
}

func manyKeys(n int) claims.Object {
	o := claims.Object{}
	for i := range n {
		o[fmt.Sprint("k", i)] = i
	}
	return o
}
