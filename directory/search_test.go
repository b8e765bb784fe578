package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
)

func TestSearchOrganizationsPagesThroughAll(t *testing.T) {
	f := newFixture(t, acme("okta"), directory.Organization{ID: "zeta"})
	want := []string{"acme", "zeta"}
	for i := range 5 {
		want = append(want, f.createOrganization(directory.NewOrganization{Name: fmt.Sprint("org", i)}).ID)
	}
	f.resolve(f.ada()) // a member is no organization
	if err := f.RevokeOrganization(t.Context(), "acme", epoch); err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	var got []string
	for cursor := ""; ; {
		page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{Cursor: cursor, Limit: 3}))
		if page.Total != 7 || len(page.Organizations) > 3 {
			t.Errorf("%d of %d", len(page.Organizations), page.Total)
		}
		for _, o := range page.Organizations {
			got = append(got, o.ID)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestSearchMatches(t *testing.T) {
	f := newFixture(t, acme("okta"), directory.Organization{ID: "zeta"})
	for i := range 150 {
		f.createMember("acme", directory.NewMember{ExternalID: fmt.Sprint(i), Roles: []string{[]string{"odd", "even"}[i%2]}})
	}
	f.createMember("zeta", directory.NewMember{ExternalID: "0", Roles: []string{"odd"}})
	f.deleted(f.createMember("acme", directory.NewMember{ExternalID: "gone", Roles: []string{"odd"}}))
	odd := func(m directory.Member) bool { return slices.Contains(m.Roles, "odd") }
	for name, row := range map[string]struct {
		search directory.MemberSearch
		total  int
	}{
		"all":                 {directory.MemberSearch{Organizations: []string{"acme"}}, 150},
		"by external id":      {directory.MemberSearch{Organizations: []string{"acme-1"}}, 150},
		"some":                {directory.MemberSearch{Organizations: []string{"acme"}, Match: odd}, 75},
		"of two":              {directory.MemberSearch{Organizations: []string{"acme", "zeta", "acme-1"}, Match: odd}, 76},
		"deleted ones too":    {directory.MemberSearch{Organizations: []string{"acme"}, Match: odd, Deleted: true}, 76},
		"behind the last one": {directory.MemberSearch{Organizations: []string{"zeta"}, Cursor: "n"}, 1},
	} {
		page, err := f.SearchMembers(t.Context(), row.search)
		if err != nil || page.Total != row.total {
			t.Errorf("%s: %d, want %d (%v)", name, page.Total, row.total, err)
		}
	}
	first := must[directory.MemberPage](t)(f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"acme"}}))
	rest := must[directory.MemberPage](t)(f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"acme"}, Cursor: first.Next}))
	if len(first.Members) != directory.DefaultLimit || len(rest.Members) != 50 || rest.Next != "" {
		t.Errorf("%d and %d", len(first.Members), len(rest.Members))
	}
	named, err := f.SearchOrganizations(t.Context(), directory.OrganizationSearch{
		Match: func(o directory.Organization) bool { return strings.HasPrefix(o.Name, "Acme") },
	})
	if err != nil || named.Total != 1 || named.Organizations[0].ID != "acme" {
		t.Errorf("%+v, %v", named, err)
	}
}

func TestSearchesThatAreRefused(t *testing.T) {
	f := newFixture(t, acme("okta"))
	for name, err := range map[string]error{
		"no organization": second(f.SearchMembers(t.Context(), directory.MemberSearch{})),
		"limit 1001":      second(f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"acme"}, Limit: 1001})),
		"limit -1":        second(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{Limit: -1})),
	} {
		if !errors.Is(err, refusal("invalid_argument", "")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"acme", "nobody"}}); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
}

// A list is a hint: what it names is read, and must say itself whose it is.
func TestAListThatNamesTooMuchIsChecked(t *testing.T) {
	f := newFixture(t, acme("okta"), directory.Organization{ID: "zeta"})
	m := f.createMember("acme", directory.NewMember{ExternalID: "a"})
	ref := directory.MemberRef("acme", m.ID)
	record := must[[]store.Record](t)(f.store.Get(t.Context(), ref.Partition, ref.Key))[0]
	stray := store.Op{Key: "stray", Value: record.Value, Tags: []string{"members:zeta", "member:" + m.ID, "organizations"}}
	for _, partition := range []string{"o:acme", "o:zeta", "orgs"} {
		if err := f.store.Apply(t.Context(), partition, stray); err != nil {
			t.Fatal(err)
		}
	}
	if page, err := f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"zeta"}}); err != nil || page.Total != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	if page, err := f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}); err != nil || page.Total != 2 {
		t.Errorf("%+v, %v", page, err)
	}
	if found, err := f.LocateMember(t.Context(), m.ID); err != nil || found.ID != m.ID {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestAnOrphanIsNotListed(t *testing.T) {
	f := newFixture(t)
	f.store.breakAt.Store(2)
	if _, err := f.CreateOrganization(t.Context(), directory.NewOrganization{Name: "x", Slug: "xx"}); err == nil {
		t.Fatal("not interrupted")
	}
	if page, err := f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}); err != nil || page.Total != 0 {
		t.Errorf("%+v, %v", page, err)
	}
	f.createOrganization(directory.NewOrganization{Name: "x", Slug: "xx"})
}

func TestLocateNobody(t *testing.T) {
	f := newFixture(t)
	for _, id := range []string{"", "x", "member-00000000-0000-4000-8000-000000000000", "member-/-00000000-0000-4000-8000-000000000000"} {
		if _, err := f.LocateMember(t.Context(), id); !errors.Is(err, directory.ErrMemberNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
