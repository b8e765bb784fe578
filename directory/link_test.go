package directory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/attestgate/caddy-attest/directory"
)

// linkCell is one cell of the table of linking: a token of profile q, what its
// external id names, and who has its address.
type linkCell struct {
	verified        string // "verified" or "unverified"
	subject, holder string
	want            string // whom the token becomes, or the code and the reason
	second          string // the same as a second factor
}

// The members of a cell are "subject", whom q's external id names, and "holder",
// who has the token's address. "new" is a member who was not there.
func linkCells() []linkCell {
	const (
		unverified = "email_not_verified"
		conflict   = "member_identity_conflict"
		gone       = "member_not_found member_deleted"
		nobody     = "member_session_member_id_mismatch no_such_member"
		squatted   = "member_session_member_id_mismatch email_of_member_not_verified"
		secondGone = "member_session_member_id_mismatch member_deleted"
	)
	return []linkCell{
		{"verified", "none", "nobody", "new with the address", nobody},
		{"verified", "none", "unverified", "new with the address", squatted},
		{"verified", "none", "verified", "holder", "holder"},
		{"verified", "none", "made by the API", "holder", "holder"},
		{"verified", "none", "deleted", gone, secondGone},
		{"verified", "new", "nobody", "new with the address", nobody},
		{"verified", "new", "unverified", "new with the address", squatted},
		{"verified", "new", "verified", "holder", "holder"},
		{"verified", "new", "made by the API", "holder", "holder"},
		{"verified", "new", "deleted", gone, secondGone},
		{"verified", "known", "nobody", "subject with the address", "subject"},
		{"verified", "known", "subject", "subject with the address", "subject"},
		{"verified", "known", "unverified", "subject with the address", "subject"},
		{"verified", "known", "verified", conflict, conflict},
		{"verified", "known", "made by the API", conflict, conflict},
		{"verified", "known", "deleted", "subject", "subject"},

		{"unverified", "none", "nobody", unverified, unverified},
		{"unverified", "none", "unverified", unverified, unverified},
		{"unverified", "none", "verified", unverified, unverified},
		{"unverified", "none", "made by the API", unverified, unverified},
		{"unverified", "none", "deleted", unverified, unverified},
		{"unverified", "new", "nobody", "new with the address", unverified},
		{"unverified", "new", "unverified", "new", unverified},
		{"unverified", "new", "verified", "new", unverified},
		{"unverified", "new", "made by the API", unverified, unverified},
		{"unverified", "new", "deleted", gone, secondGone},
		{"unverified", "known", "nobody", "subject with the address", "subject"},
		{"unverified", "known", "subject", "subject with the address", "subject"},
		{"unverified", "known", "unverified", "subject", "subject"},
		{"unverified", "known", "verified", "subject", "subject"},
		{"unverified", "known", "made by the API", "subject", "subject"},
		{"unverified", "known", "deleted", "subject", "subject"},
	}
}

func TestLinkTable(t *testing.T) {
	for _, cell := range linkCells() {
		t.Run(fmt.Sprint(cell.verified, "/external id ", cell.subject, "/address of ", cell.holder), func(t *testing.T) {
			cell.check(newFixture(t, acme("okta", "p", "q")), cell.want, false)
			cell.check(newFixture(t, acme("okta", "p", "q")), cell.second, true)
		})
	}
}

func (c linkCell) check(f *fixture, want string, second bool) {
	f.t.Helper()
	members := c.given(f)
	token := c.token(f)
	token.SecondOnly = second
	if code, reason, _ := strings.Cut(want, " "); strings.Contains(code, "_") {
		f.refused(token, refusal(code, reason))
		c.unchanged(f, members)
		return
	}
	whom, address := strings.CutSuffix(want, " with the address")
	got := f.resolve(token)
	if whom == "new" && (got.ID == members["subject"].ID || got.ID == members["holder"].ID) || whom != "new" && got.ID != members[whom].ID {
		f.t.Errorf("became %+v, want %s of %+v", got, whom, members)
	}
	if second {
		c.unchanged(f, members)
		return
	}
	if has := got.Email == token.Email; has != address && whom != "holder" || !has && c.holder != "subject" && got.UnverifiedEmail != token.Email {
		f.t.Errorf("has the address %q, and unverified %q", got.Email, got.UnverifiedEmail)
	}
	if holder, ok := members["holder"]; ok && address { // it has moved
		if lost := f.again(holder); lost.Email != "" || lost.UnverifiedEmail != token.Email || lost.ExternalIDs["p"] != "p-1" {
			f.t.Errorf("the holder is now %+v", lost)
		}
	}
}

// given makes the members of the cell.
func (c linkCell) given(f *fixture) map[string]directory.Member {
	members := map[string]directory.Member{}
	if c.subject == "known" {
		members["subject"] = f.resolve(with(c.token(f), func(a *directory.Assertion) {
			if c.holder != "subject" {
				a.Email = ""
			}
			a.EmailVerified = false
		}))
	}
	ofP := func(verified bool) directory.Member {
		return f.resolve(with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.EmailVerified = "p", "p", "p-1", verified
		}))
	}
	switch c.holder {
	case "unverified":
		members["holder"] = ofP(false)
	case "verified":
		members["holder"] = ofP(true)
	case "made by the API":
		members["holder"] = f.createMember("acme", directory.NewMember{
			Email: f.ada().Email, Status: directory.StatusInvited, Roles: []string{"admin"},
		})
	case "deleted":
		members["holder"] = f.deleted(ofP(true))
	}
	return members
}

func (c linkCell) token(f *fixture) directory.Assertion {
	a := f.ada()
	a.Profile, a.Namespace, a.EmailVerified = "q", "q", c.verified == "verified"
	if c.subject == "none" {
		a.ExternalID = ""
	}
	return a
}

func (c linkCell) unchanged(f *fixture, members map[string]directory.Member) {
	f.t.Helper()
	for _, m := range members {
		if m.Status != directory.StatusDeleted && c.holder != "deleted" && f.again(m).Version != m.Version {
			f.t.Errorf("%+v was changed", m)
		}
	}
}

// again reads a member anew.
func (f *fixture) again(m directory.Member) directory.Member {
	f.t.Helper()
	return must[directory.Member](f.t)(f.Member(f.t.Context(), m.OrganizationID, m.ID))
}

// Profiles legacy and corp cover one domain. Whoever comes first by legacy, which
// verifies no address, must not be one member with whoever owns the address.
func TestAttackPreHijackByAnUnverifiedAddress(t *testing.T) {
	f := newFixture(t, acme("legacy", "corp"))
	by := func(profile, subject string, verified bool) directory.Member {
		return f.resolve(with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.Email, a.EmailVerified = profile, profile, subject, "ceo@acme.example", verified
		}))
	}
	attacker := by("legacy", "attacker", false)
	ceo := by("corp", "ceo-real", true)
	if attacker.ID == ceo.ID {
		t.Fatal("the attacker is the same member as the owner of the address")
	}
	if again := by("legacy", "attacker", false); again.ID != attacker.ID || again.Email != "" || again.UnverifiedEmail != "ceo@acme.example" {
		t.Errorf("the attacker is now %+v", again)
	}
	if again := by("corp", "ceo-real", true); again.ID != ceo.ID || again.Email != "ceo@acme.example" || !again.EmailVerified {
		t.Errorf("the owner is now %+v", again)
	}
}

func TestAttackInvitedMemberIsTakenOverByAnUnverifiedAddress(t *testing.T) {
	for _, status := range []string{directory.StatusInvited, directory.StatusPending, directory.StatusActive} {
		for _, subject := range []string{"attacker", ""} {
			f := newFixture(t, acme("legacy", "corp"))
			invited := f.createMember("acme", directory.NewMember{Email: "ceo@acme.example", Status: status, Roles: []string{"admin"}})
			token := with(f.ada(), func(a *directory.Assertion) {
				a.Profile, a.Namespace, a.ExternalID, a.Email = "legacy", "legacy", subject, "ceo@acme.example"
			})
			f.refused(token, refusal("email_not_verified", ""))
			token.AssumeVerified = true
			if m := f.resolve(token); m.ID != invited.ID {
				t.Errorf("assumed verified it is %+v", m)
			}
		}
	}
}

// A caller who writes back what it has read vouches for nothing.
func TestAttackAddressThatTheAPIRepeatsIsNotVerifiedByThat(t *testing.T) {
	f := newFixture(t, acme("legacy", "corp"))
	attacker := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace = "legacy", "legacy" }))
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", attacker.ID, directory.MemberChange{Email: &attacker.Email, Name: ptr("Ada")}))
	owner := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.EmailVerified = "corp", "corp", true }))
	if owner.ID == attacker.ID {
		t.Error("the attacker is the same member as the owner of the address")
	}
}

func TestAddressThatTheAPIVerifiesLinks(t *testing.T) {
	f := newFixture(t, acme("legacy", "corp"))
	m := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace = "legacy", "legacy" }))
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", m.ID, directory.MemberChange{EmailVerified: ptr(true)}))
	corp := with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.EmailVerified = "corp", "corp", true })
	if linked := f.resolve(corp); linked.ID != m.ID {
		t.Errorf("became %+v", linked)
	}
}

func TestRecycledAddressIsNotItsFormerHolder(t *testing.T) {
	f := newFixture(t, acme("q"))
	of := func(subject string) directory.Assertion {
		return with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.EmailVerified = "q", "q", subject, true
		})
	}
	f.resolve(of("old-holder"))
	f.refused(of("new-holder"), refusal("duplicate_member_external_id", "member_has_another_external_id"))
	second := of("new-holder")
	second.SecondOnly = true
	f.refused(second, refusal("member_session_member_id_mismatch", "member_has_another_external_id"))
}

func TestUncoveredAddressIdentifiesNobody(t *testing.T) {
	uncovered := func(a *directory.Assertion) {
		a.Email, a.UnverifiedEmail, a.EmailVerified = "", "ada@acme.example", true
	}
	covered := func(a *directory.Assertion) { a.EmailVerified = true }
	for _, given := range []func(*directory.Assertion){uncovered, covered} {
		for _, shown := range []func(*directory.Assertion){uncovered, covered} {
			f := newFixture(t, acme("okta", "q"))
			one := f.resolve(with(f.ada(), given))
			other := f.resolve(with(with(f.ada(), shown), func(a *directory.Assertion) { a.Profile, a.Namespace = "q", "q" }))
			both := one.Email != "" && one.Email == other.Email
			if (one.ID == other.ID) != both {
				t.Errorf("%+v and %+v", one, other)
			}
		}
	}
}

func TestDeletedSubjectStaysSoWhoeverHasTheAddress(t *testing.T) {
	f := newFixture(t, acme("p", "q"))
	of := func(profile, subject, email string) directory.Assertion {
		return with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.Email, a.EmailVerified = profile, profile, subject, email, true
		})
	}
	f.resolve(of("p", "other", "ada@acme.example"))
	f.deleted(f.resolve(of("q", "ada-1", "")))
	token := of("q", "ada-1", "ada@acme.example")
	f.refused(token, refusal("member_not_found", "member_deleted"))
	token.SecondOnly = true
	f.refused(token, refusal("member_session_member_id_mismatch", "member_deleted"))
}

func TestSharedNamespaceIsOneSubject(t *testing.T) {
	f := newFixture(t, acme("p", "q"))
	given := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.Email = "p", "staff", "" }))
	shared := with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace = "q", "staff" })
	if m := f.resolve(shared); m.ID != given.ID {
		t.Errorf("became %+v", m)
	}
	alone := with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.Email = "q", "q", "" })
	if m := f.resolve(alone); m.ID == given.ID {
		t.Error("the same external id in another namespace is another person")
	}
}

// Two gateways read that the address is unverified, and only one may move it.
func TestAttackRaceForAnUnverifiedAddressHasOneWinner(t *testing.T) {
	f := newFixture(t, acme("p", "q"))
	f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace = "p", "p" }))
	gateways := []*directory.Directory{f.Directory, f.another(acme("p", "q"))}
	ids := make([]string, 2)
	var done sync.WaitGroup
	for i := range ids {
		done.Go(func() {
			_, m, err := gateways[i].Resolve(context.Background(), with(f.ada(), func(a *directory.Assertion) {
				a.Profile, a.Namespace, a.EmailVerified = "q", "q", true
			}))
			if ids[i] = m.ID; err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if ids[0] != ids[1] {
		t.Errorf("one address, and the members %q", ids)
	}
}

func (f *fixture) deleted(m directory.Member) directory.Member {
	f.t.Helper()
	if err := f.DeleteMember(f.t.Context(), m.OrganizationID, m.ID); err != nil {
		f.t.Fatal(err)
	}
	// Later, so that it is not the revocation by the deletion that refuses.
	f.clock.advance(60e9)
	return m
}

func TestLinkingIsRemembered(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	made := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = true }))
	p := with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.ExternalID, a.EmailVerified = "p", "p", "p-1", true
	})
	f.resolve(p)
	p.Email, p.EmailVerified = "", false // it now comes without
	m := f.resolve(p)
	if m.ID != made.ID || m.ExternalIDs["p"] != "p-1" || m.ExternalIDs["okta"] != "ada-1" || !m.EmailVerified {
		t.Errorf("%+v", m)
	}
}

func TestSecondFactorLinksAndActivatesNothing(t *testing.T) {
	f := newFixture(t, acme("palm"))
	f.createMember("acme", directory.NewMember{Email: "ada@acme.example", Status: directory.StatusInvited})
	m := f.resolve(with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.SecondOnly, a.EmailVerified, a.Name = "palm", "palm", true, true, "Ada"
	}))
	if len(m.ExternalIDs) != 0 || m.Status != directory.StatusInvited || m.Name != "" || m.EmailVerified {
		t.Errorf("%+v", m)
	}
	if n := f.store.applies.Load(); n != 1 {
		t.Errorf("%d writes, only the invitation's was due", n)
	}
}

func TestFirstSignInActivates(t *testing.T) {
	for _, status := range []string{directory.StatusInvited, directory.StatusPending} {
		f := newFixture(t, acme("okta"))
		f.createMember("acme", directory.NewMember{Email: "ada@acme.example", Status: status})
		a := f.ada()
		a.CreateMembers, a.EmailVerified = false, true
		if m := f.resolve(a); m.Status != directory.StatusActive {
			t.Errorf("%s became %s", status, m.Status)
		}
	}
}

func TestEmailOfAMember(t *testing.T) {
	type a = directory.Assertion
	for name, row := range map[string]struct {
		given func(f *fixture)
		token func(*a)
		email string
	}{
		"the issuer renames its own":  {func(f *fixture) { f.resolve(f.ada()) }, func(x *a) { x.Email = "new@acme.example" }, "new@acme.example"},
		"an older token does not":     {func(f *fixture) { f.resolve(f.ada()) }, func(x *a) { x.Email, x.IssuedAt = "new@acme.example", epoch.Add(-1e9) }, "ada@acme.example"},
		"without one it keeps it":     {func(f *fixture) { f.resolve(f.ada()) }, func(x *a) { x.Email = "" }, "ada@acme.example"},
		"a first one is added":        {func(f *fixture) { f.resolve(with(f.ada(), func(x *a) { x.Email = "" })) }, func(x *a) {}, "ada@acme.example"},
		"what the API wrote it keeps": {func(f *fixture) { f.resolve(f.ada()); f.renamed("boss@acme.example") }, func(x *a) { x.Email = "new@acme.example" }, "boss@acme.example"},
		"attack: the address of a deleted member": {func(f *fixture) {
			f.resolve(f.ada())
			f.deleted(f.resolve(with(f.ada(), func(x *a) { x.ExternalID, x.Email = "bob", "bob@acme.example" })))
		}, func(x *a) { x.Email = "bob@acme.example" }, "ada@acme.example"},
		"attack: an unverified address is planted on a member others know": {func(f *fixture) {
			m := f.resolve(with(f.ada(), func(x *a) { x.Email = "" }))
			must[directory.Member](f.t)(f.UpdateMember(f.t.Context(), "acme", m.ID, directory.MemberChange{ExternalID: ptr("hr-1")}))
		}, func(x *a) { x.Email = "victim@acme.example" }, ""},
		"a verified one is not planted": {func(f *fixture) {
			m := f.resolve(with(f.ada(), func(x *a) { x.Email = "" }))
			must[directory.Member](f.t)(f.UpdateMember(f.t.Context(), "acme", m.ID, directory.MemberChange{ExternalID: ptr("hr-1")}))
		}, func(x *a) { x.Email, x.EmailVerified = "ada@acme.example", true }, "ada@acme.example"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			row.given(f)
			if m := f.resolve(with(f.ada(), row.token)); m.Email != row.email {
				t.Errorf("%q, want %q", m.Email, row.email)
			}
		})
	}
}

func (f *fixture) renamed(email string) {
	f.t.Helper()
	m := must[directory.Member](f.t)(f.FindMemberByEmail(f.t.Context(), "acme", "ada@acme.example"))
	must[directory.Member](f.t)(f.UpdateMember(f.t.Context(), "acme", m.ID, directory.MemberChange{Email: &email}))
}

// The address is free when the token is read and taken when the member is
// written.
func TestAttackARaceForAnAddressHasOneWinner(t *testing.T) {
	f := newFixture(t, acme("okta"))
	f.resolve(f.ada())
	var winner directory.Member
	f.store.meanwhile = func() {
		winner = f.createMember("acme", directory.NewMember{Email: "new@acme.example"})
	}
	f.store.meanwhileAt = f.store.gets.Load() + 4 // orgs, the organization, the member, and then the index
	_, _, err := f.Resolve(t.Context(), with(f.ada(), func(a *directory.Assertion) { a.Email, a.EmailVerified = "new@acme.example", true }))
	if winner.ID == "" || !errors.Is(err, directory.ErrIdentityConflict) {
		t.Errorf("%v, against %+v", err, winner)
	}
	if m, err := f.FindMemberByEmail(t.Context(), "acme", "new@acme.example"); err != nil || m.ID != winner.ID {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestARetiredEmailIsFreeAndIdentifiesNobody(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.resolve(f.ada())
	renamed := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.Email = "countess@acme.example" }))
	if renamed.ID != made.ID || len(renamed.RetiredEmails) != 1 || renamed.RetiredEmails[0] != "ada@acme.example" {
		t.Errorf("%+v", renamed)
	}
	other := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID = "ada-2" }))
	if other.ID == made.ID || other.Email != "ada@acme.example" {
		t.Errorf("the address went to %+v", other)
	}
}

func TestAMemberIsKnownByAtMostSixteenNamespaces(t *testing.T) {
	var profiles []string
	for i := range 17 {
		profiles = append(profiles, fmt.Sprint("p", i))
	}
	f := newFixture(t, acme(profiles...))
	of := func(p string) directory.Assertion {
		return with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.EmailVerified = p, p, true })
	}
	for _, p := range profiles[:16] {
		f.resolve(of(p))
	}
	f.refused(of("p16"), refusal("duplicate_member_external_id", "too_many_external_ids"))
}

// Whoever shows an address first, unverified, must not keep the operator from giving
// it to its owner: the operator's word counts as verified.
func TestAttackSquatterBlocksAnInvitation(t *testing.T) {
	for name, give := range map[string]func(*fixture) directory.Member{
		"invited by the API": func(f *fixture) directory.Member {
			return f.createMember("acme", directory.NewMember{Email: f.ada().Email, Status: directory.StatusInvited})
		},
		"changed by the API": func(f *fixture) directory.Member {
			m := f.createMember("acme", directory.NewMember{Email: "ada@old.example"})
			return must[directory.Member](f.t)(f.UpdateMember(f.t.Context(), "acme", m.ID, directory.MemberChange{Email: ptr(f.ada().Email)}))
		},
		"assumed for the profile": func(f *fixture) directory.Member {
			return f.resolve(with(f.ada(), func(a *directory.Assertion) { a.AssumeVerified = true }))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta", "p"))
			squat := with(f.ada(), func(a *directory.Assertion) { a.Profile, a.Namespace, a.ExternalID = "p", "p", "squatter" })
			squatter := f.resolve(squat)
			owner := give(f)
			if owner.ID == squatter.ID || owner.Email != squat.Email {
				t.Fatalf("the owner is %+v", owner)
			}
			if lost := f.resolve(squat); lost.ID != squatter.ID || lost.Email != "" || lost.UnverifiedEmail != squat.Email {
				t.Errorf("the squatter is now %+v", lost)
			}
			verified := with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = true })
			if got := f.resolve(verified); got.ID != owner.ID {
				t.Errorf("the owner signs in as %+v", got)
			}
		})
	}
}

// A member who yields an unverified address keeps every external id.
func TestAnUnverifiedHolderYieldsItsAddressOnly(t *testing.T) {
	f := newFixture(t, acme("okta"))
	holder := f.resolve(f.ada())
	must[directory.Member](t)(f.UpdateMember(t.Context(), "acme", holder.ID, directory.MemberChange{ExternalID: ptr("a-1")}))
	_, err := f.CreateMember(t.Context(), "acme", directory.NewMember{Email: holder.Email, ExternalID: "a-1"})
	if !errors.Is(err, directory.ErrDuplicateExternalID) {
		t.Errorf("got %v", err)
	}
	if got := f.again(holder); got.Email != holder.Email || got.ExternalID() != "a-1" {
		t.Errorf("the holder is now %+v", got)
	}
}
