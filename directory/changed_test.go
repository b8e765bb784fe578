package directory_test

import (
	"testing"

	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/store"
)

func TestChanged(t *testing.T) {
	for _, row := range []struct {
		ref  store.Ref
		want directory.Entity
	}{
		{directory.OrganizationRef("acme"), directory.Entity{OrganizationID: "acme"}},
		{directory.MemberRef("acme", "member-1"), directory.Entity{OrganizationID: "acme", MemberID: "member-1"}},
		{directory.ProfileRef("okta"), directory.Entity{Profile: "okta"}},
		{store.Ref{Partition: "o:acme", Key: "x:index"}, directory.Entity{}},
		{store.Ref{Partition: "orgs", Key: "r:index"}, directory.Entity{}},
		{store.Ref{Partition: "s:session", Key: "s"}, directory.Entity{}},
		{store.Ref{Partition: "ring", Key: "p:okta"}, directory.Entity{}},
	} {
		got, ok := directory.Changed(store.Event{Ref: row.ref})
		if ok != (row.want != directory.Entity{}) || ok && got != row.want {
			t.Errorf("%v is about %+v, %v", row.ref, got, ok)
		}
	}
}
