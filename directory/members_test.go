package directory_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

func TestCreateMember(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.createMember("acme-1", directory.NewMember{
		Email: "Ada@Acme.example", ExternalID: "hr-1", EmailVerified: true, Name: "Ada", Roles: []string{"b", "a", "b"},
		TrustedMetadata: object("t", 1), UntrustedMetadata: object("u", true),
	})
	want := directory.Member{
		ID: made.ID, OrganizationID: "acme", Status: directory.StatusActive, Email: "ada@acme.example", EmailVerified: true, EmailOwner: directory.ByAPI,
		Name: "Ada", ExternalIDs: map[string]string{"api": "hr-1"}, Roles: []string{"a", "b"},
		TrustedMetadata: object("t", num("1")), UntrustedMetadata: object("u", true),
		MetadataOwners: map[string]string{"t": directory.ByAPI}, CreatedAt: epoch, UpdatedAt: epoch, Version: 1,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	for what, find := range map[string]func() (directory.Member, error){
		"id":          func() (directory.Member, error) { return f.FindMember(t.Context(), "acme", made.ID) },
		"external id": func() (directory.Member, error) { return f.FindMember(t.Context(), "acme", "hr-1") },
		"email":       func() (directory.Member, error) { return f.FindMemberByEmail(t.Context(), "acme", "ADA@acme.example") },
		"exact":       func() (directory.Member, error) { return f.Member(t.Context(), "acme", made.ID) },
		"anywhere":    func() (directory.Member, error) { return f.LocateMember(t.Context(), made.ID) },
	} {
		m, err := find()
		if diff := cmp.Diff(want, m); err != nil || diff != "" {
			t.Errorf("%s: %v %s", what, err, diff)
		}
	}
	if made.ExternalID() != "hr-1" {
		t.Error(made.ExternalID())
	}
}

func TestMembersThatCannotBe(t *testing.T) {
	for name, row := range map[string]struct {
		member       directory.NewMember
		code, reason string
	}{
		"nobody could find them": {directory.NewMember{Name: "x"}, "invalid_argument", "member_needs_email_or_external_id"},
		"not an address":         {directory.NewMember{Email: "x"}, "invalid_argument", "email_address"},
		"multi-@":                {directory.NewMember{Email: "a@b@c.d"}, "invalid_argument", "email_address"},
		"deleted at once":        {directory.NewMember{Email: "a@b.c", Status: directory.StatusDeleted}, "invalid_argument", "status"},
		"external id with space": {directory.NewMember{ExternalID: "a b"}, "invalid_argument", "external_id"},
		"external id like an id": {directory.NewMember{ExternalID: "member-00000000-0000-4000-8000-000000000000"}, "invalid_argument", "external_id"},
		"name with escape":       {directory.NewMember{Email: "a@b.c", Name: "\x1b[0m"}, "invalid_argument", "name"},
		"role with line break":   {directory.NewMember{Email: "a@b.c", Roles: []string{"a\n"}}, "invalid_role", "role_not_allowed"},
		"email of another":       {directory.NewMember{Email: "bob@acme.example"}, "duplicate_member_email", ""},
		"external id of another": {directory.NewMember{ExternalID: "bob"}, "duplicate_member_external_id", ""},
		"metadata of 21 keys":    {directory.NewMember{Email: "a@b.c", UntrustedMetadata: manyKeys(21)}, "metadata_too_many_keys", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			f.createMember("acme", directory.NewMember{Email: "bob@acme.example", ExternalID: "bob"})
			_, err := f.CreateMember(t.Context(), "acme", row.member)
			var got *directory.Error
			if !errors.As(err, &got) || got.Code != row.code || got.Reason != row.reason {
				t.Errorf("got %v, want %s (%s)", err, row.code, row.reason)
			}
			if n := f.store.applies.Load(); n != 1 {
				t.Errorf("%d writes", n)
			}
		})
	}
	f := newFixture(t)
	if _, err := f.CreateMember(t.Context(), "nobody", directory.NewMember{Email: "a@b.c"}); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
}

func TestUpdateMember(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.resolve(with(f.ada(), func(a *directory.Assertion) {
		a.EmailVerified, a.Roles, a.HasRoles, a.Metadata = true, []string{"reader"}, true, object("deep", object("a", 1, "b", 2))
	}))
	f.clock.advance(time.Minute)
	got := must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", made.ID, directory.MemberChange{
		Email: ptr("countess@acme.example"), ExternalID: ptr("hr-1"), Name: ptr("Ada"), Roles: &[]string{"auditor"},
		TrustedMetadata: object("deep", object("b", 3)), UntrustedMetadata: object("u", 1),
	}))
	want := made
	want.Email, want.EmailVerified, want.RetiredEmails = "countess@acme.example", false, []string{"ada@acme.example"}
	want.EmailOwner = directory.ByAPI
	want.ExternalIDs = map[string]string{"okta": "ada-1", "api": "hr-1"}
	want.Name, want.Roles = "Ada", []string{"auditor"}
	want.TrustedMetadata, want.UntrustedMetadata = object("deep", object("b", num("3"))), object("u", num("1"))
	want.MetadataOwners = map[string]string{"deep": directory.ByAPI}
	want.UpdatedAt, want.Version = epoch.Add(time.Minute), 2
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, must[directory.Member](t)(f.Member(t.Context(), "acme", made.ID))); diff != "" {
		t.Error(diff)
	}

	unchanged := must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", "hr-1", directory.MemberChange{}))
	want.Version = 3
	if diff := cmp.Diff(want, unchanged); diff != "" {
		t.Errorf("nil did not keep: %s", diff)
	}
	removed := must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", "hr-1", directory.MemberChange{
		Email: ptr(""), ExternalID: ptr(""), EmailVerified: ptr(true), Roles: &[]string{}, UntrustedMetadata: object("u", nil),
	}))
	if removed.Email != "" || removed.EmailVerified || removed.ExternalID() != "" || removed.Roles != nil || removed.UntrustedMetadata != nil {
		t.Errorf("%+v", removed)
	}
	if _, err := f.FindMember(t.Context(), "acme", "hr-1"); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Error(err)
	}
	if _, err := f.FindMemberByEmail(t.Context(), "acme", "countess@acme.example"); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Error(err)
	}
}

func TestARefusedUpdateChangesNothing(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "ada", TrustedMetadata: object("a", 1)})
	f.createMember("acme", directory.NewMember{Email: "bob@acme.example", ExternalID: "bob"})
	for code, change := range map[string]directory.MemberChange{
		"duplicate_member_email":       {Name: ptr("x"), Email: ptr("bob@acme.example")},
		"duplicate_member_external_id": {Name: ptr("x"), ExternalID: ptr("bob")},
		"metadata_too_large":           {Name: ptr("x"), TrustedMetadata: object("b", strings.Repeat("x", 4096))},
		"metadata_too_many_keys":       {Name: ptr("x"), TrustedMetadata: manyKeys(20)},
		"metadata_invalid_format":      {Name: ptr("x"), TrustedMetadata: object("A", 1)}, // folds to a
		"too_many_roles":               {Name: ptr("x"), Roles: ptr(slices.Repeat([]string{"r"}, 101))},
	} {
		if _, err := f.UpdateMember(t.Context(), "acme", made.ID, change); !errors.Is(err, refusal(code, "")) {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	if diff := cmp.Diff(made, must[directory.Member](t)(f.Member(t.Context(), "acme", made.ID))); diff != "" {
		t.Error(diff)
	}
}

func TestDeleteAndReactivate(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.resolve(with(f.ada(), roles("admin")))
	f.clock.advance(time.Minute)
	if err := f.DeleteMember(t.Context(), "acme", made.ID); err != nil {
		t.Fatal(err)
	}
	deletedAt := f.clock.Now()
	for what, err := range map[string]error{
		"get":    second(f.Member(t.Context(), "acme", made.ID)),
		"find":   second(f.FindMember(t.Context(), "acme", made.ID)),
		"email":  second(f.FindMemberByEmail(t.Context(), "acme", made.Email)),
		"update": second(f.UpdateMember(t.Context(), "acme", made.ID, directory.MemberChange{Name: ptr("x")})),
		"again":  f.DeleteMember(t.Context(), "acme", made.ID),
		"locate": second(f.LocateMember(t.Context(), made.ID)),
	} {
		if !errors.Is(err, directory.ErrMemberNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	f.clock.advance(time.Minute)
	f.refused(f.ada(), refusal("member_not_found", "member_deleted"))

	back := must[directory.Member](t)(f.ReactivateMember(t.Context(), "acme", made.ID))
	if back.ID != made.ID || back.Status != directory.StatusActive || !back.NotBefore.Equal(deletedAt) || back.Email != made.Email {
		t.Errorf("%+v", back)
	}
	if m := f.resolve(f.ada()); m.ID != made.ID {
		t.Error("the reactivated member is another")
	}
	// What was issued before the deletion stays revoked.
	f.refused(with(f.ada(), func(a *directory.Assertion) { a.IssuedAt = deletedAt }), refusal("invalid_trusted_auth_token", "revoked"))
	if m, err := f.ReactivateMember(t.Context(), "acme", made.ID); err != nil || m.Status != directory.StatusActive {
		t.Errorf("who is not deleted: %+v, %v", m, err)
	}
}

func TestAttackRecycledMemberHasNothingOfTheOld(t *testing.T) {
	f := newFixture(t, acme("okta"))
	old := f.resolve(with(f.ada(), roles("admin")))
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", old.ID, directory.MemberChange{
		ExternalID: ptr("hr-1"), Roles: &[]string{"owner"}, TrustedMetadata: object("secret", 1),
	}))
	f.deleted(old)

	made := f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "hr-1"})
	if made.ID == old.ID || len(made.EffectiveRoles([]string{"okta"})) != 0 || made.TrustedMetadata != nil {
		t.Errorf("%+v", made)
	}
	for _, ref := range []string{"hr-1", made.ID} {
		if m, err := f.FindMember(t.Context(), "acme", ref); err != nil || m.ID != made.ID {
			t.Errorf("%s: %+v, %v", ref, m, err)
		}
	}
	// Who was deleted is not let in by the address that somebody else has now: the
	// subject that the issuer knows them by stays with their tombstone.
	verified := func(a *directory.Assertion) { a.EmailVerified = true }
	f.refused(with(f.ada(), verified), refusal("member_not_found", "member_deleted"))
	// The operator has let somebody of this address in, so another subject may be it.
	if m := f.resolve(with(with(f.ada(), verified), func(a *directory.Assertion) { a.ExternalID = "ada-2" })); m.ID != made.ID {
		t.Errorf("%+v", m)
	}
	// The tombstone keeps what nobody took, and its id is never given again.
	back := must[directory.Member](t)(f.ReactivateMember(t.Context(), "acme", old.ID))
	if back.ID != old.ID || back.Email != "" || len(back.ExternalIDs) != 1 {
		t.Errorf("%+v", back)
	}
}

func TestANewMemberMayTakeTheNamesOfTwoTombstones(t *testing.T) {
	f := newFixture(t, acme("okta"))
	one := f.deleted(f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "one"}))
	two := f.deleted(f.createMember("acme", directory.NewMember{Email: "two@acme.example", ExternalID: "two"}))
	made := f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "two"})
	if made.ID == one.ID || made.ID == two.ID {
		t.Errorf("%+v", made)
	}
	// Their other names are free.
	f.createMember("acme", directory.NewMember{Email: "two@acme.example", ExternalID: "one"})
}

func TestRemoveExternalID(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.resolve(f.ada())
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{ExternalID: ptr("hr-1")}))
	got := must[directory.Member](t)(f.RemoveExternalID(t.Context(), "acme", "hr-1", directory.NamespaceAPI))
	if diff := cmp.Diff(map[string]string{"okta": "ada-1"}, got.ExternalIDs); diff != "" {
		t.Error(diff)
	}
	got = must[directory.Member](t)(f.RemoveExternalID(t.Context(), "acme", m.ID, "okta"))
	if got.ExternalIDs != nil {
		t.Errorf("%v", got.ExternalIDs)
	}
	other := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Email = "" }))
	if other.ID == m.ID {
		t.Error("the removed id still means the member")
	}
}

func TestTheAPINamespaceIsNotAProfiles(t *testing.T) {
	f := newFixture(t, acme("okta"))
	f.createMember("acme", directory.NewMember{ExternalID: "ada-1"})
	m := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Email = "" }))
	if m.ExternalID() != "" {
		t.Errorf("a token became the API's ada-1: %+v", m)
	}
	if found, err := f.FindMember(t.Context(), "acme", "ada-1"); err != nil || found.ID == m.ID {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestConcurrentChangesOfOneMemberAllHold(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.resolve(f.ada())
	var done sync.WaitGroup
	for i := range 12 {
		done.Go(func() {
			_, err := f.UpdateMember(context.Background(), "acme", m.ID, directory.MemberChange{TrustedMetadata: claims.Object{fmt.Sprint("key", i): i}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if got := must[directory.Member](t)(f.Member(t.Context(), "acme", m.ID)); len(got.TrustedMetadata) != 12 {
		t.Errorf("%v", got.TrustedMetadata)
	}
}

func TestWhatIsAnsweredIsTheCallersOwn(t *testing.T) {
	o := acme("okta")
	o.TrustedMetadata = object("plan", "pro")
	f := newFixture(t, o)
	first, m, err := f.Resolve(t.Context(), f.ada())
	if err != nil {
		t.Fatal(err)
	}
	first.Profiles[0], first.TrustedMetadata["plan"], m.ExternalIDs["okta"] = "evil", "free", "mallory"
	o.Profiles[0], o.TrustedMetadata["plan"] = "evil", "free"
	again, m, err := f.Resolve(t.Context(), f.ada())
	if err != nil || again.Profiles[0] != "okta" || again.TrustedMetadata["plan"] != "pro" || m.ExternalIDs["okta"] != "ada-1" {
		t.Errorf("%+v %+v %v", again, m, err)
	}
}
