package directory_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// fits is metadata of exactly n bytes.
func fits(n int) claims.Object { return object("a", strings.Repeat("x", n-len(`{"a":""}`))) }

func nested(depth int) claims.Object {
	var v any = 1
	for range depth - 1 {
		v = []any{v}
	}
	return object("a", v)
}

func TestMetadataLimits(t *testing.T) {
	for name, row := range map[string]struct {
		metadata claims.Object
		code     string
	}{
		"20 keys":               {manyKeys(20), ""},
		"21 keys":               {manyKeys(21), "metadata_too_many_keys"},
		"4,096 bytes":           {fits(4096), ""},
		"4,097 bytes":           {fits(4097), "metadata_too_large"},
		"no HTML escapes count": {object("a", strings.Repeat("<", 4096-len(`{"a":""}`))), ""},
		"depth 32":              {nested(32), ""},
		"depth 33":              {nested(33), "metadata_invalid_format"},
		"names that fold":       {object("plan", 1, "PLAN", 2), "metadata_invalid_format"},
		"names that fold, deep": {object("a", object("s", 1, "ſ", 2)), "metadata_invalid_format"},
		"no UTF-8":              {object("a", "\xff"), "metadata_invalid_format"},
		"no number":             {object("a", math.NaN()), "metadata_invalid_format"},
		"no JSON":               {object("a", func() {}), "metadata_invalid_format"},
		"not JSON number":       {object("a", num("1e")), "metadata_invalid_format"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			_, member := f.CreateMember(t.Context(), "acme", directory.NewMember{ExternalID: "a", TrustedMetadata: row.metadata})
			_, untrusted := f.CreateMember(t.Context(), "acme", directory.NewMember{ExternalID: "b", UntrustedMetadata: row.metadata})
			_, organization := f.CreateOrganization(t.Context(), directory.NewOrganization{Name: "x", TrustedMetadata: row.metadata})
			_, configured := f.UpdateOrganization(t.Context(), "acme", directory.OrganizationChange{TrustedMetadata: row.metadata})
			_, _, token := f.Resolve(t.Context(), with(f.ada(), func(a *directory.Assertion) { a.Metadata = row.metadata }))
			for what, err := range map[string]error{
				"member": member, "untrusted": untrusted, "organization": organization, "configured": configured, "token": token,
			} {
				if row.code == "" && err != nil || row.code != "" && !errors.Is(err, refusal(row.code, "")) {
					t.Errorf("%s: got %v, want %q", what, err, row.code)
				}
			}
		})
	}
}

func TestTheLimitIsOnTheResultOfTheMerge(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.createMember("acme", directory.NewMember{ExternalID: "a", TrustedMetadata: fits(4096)})
	for _, step := range []struct {
		change claims.Object
		code   string
	}{
		{object("b", 1), "metadata_too_large"},
		{object("a", nil, "b", 1), ""},
		{manyKeys(20), "metadata_too_many_keys"},
		{manyKeys(19), ""},
	} {
		_, err := f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{TrustedMetadata: step.change})
		if step.code == "" && err != nil || step.code != "" && !errors.Is(err, refusal(step.code, "")) {
			t.Errorf("got %v, want %q", err, step.code)
		}
	}
}

// Metadata is merged at the top level only: objects and arrays are replaced
// whole, which is not how the claims of a session are merged.
func TestMetadataIsMergedShallowly(t *testing.T) {
	for name, row := range map[string]struct{ before, change, after claims.Object }{
		"a key is added":               {object("a", 1), object("b", 2), object("a", num("1"), "b", num("2"))},
		"a key is replaced":            {object("a", 1), object("a", "x"), object("a", "x")},
		"null deletes":                 {object("a", 1, "b", 2), object("a", nil), object("b", num("2"))},
		"null of an absent key":        {object("a", 1), object("b", nil), object("a", num("1"))},
		"an object replaces an object": {object("a", object("x", 1)), object("a", object("y", 2)), object("a", object("y", num("2")))},
		"a null inside stays":          {object(), object("a", object("x", nil)), object("a", object("x", nil))},
		"nothing changes nothing":      {object("a", 1), nil, object("a", num("1"))},
		"digits stay":                  {object("a", num("1.50")), object("b", num("1E400")), object("a", num("1.50"), "b", num("1E400"))},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			m := f.createMember("acme", directory.NewMember{ExternalID: "a", TrustedMetadata: row.before, UntrustedMetadata: row.before})
			change := directory.MemberChange{TrustedMetadata: row.change, UntrustedMetadata: row.change}
			must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, change))
			got := must[directory.Member](t)(f.Member(t.Context(), "acme", m.ID))
			if diff := cmp.Diff(row.after, got.TrustedMetadata); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(row.after, got.UntrustedMetadata); diff != "" {
				t.Error(diff)
			}
		})
	}
}
