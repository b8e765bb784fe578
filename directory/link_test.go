package directory_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/attestgate/caddy-attest/directory"
)

// Each row begins with what there is and ends with what a token of profile q,
// namespace q, becomes: the member called want, a new one (want "new"), or a
// refusal.
func TestLinkingRules(t *testing.T) {
	type a = directory.Assertion
	ofP := func(f *fixture, change func(*a)) directory.Member {
		return f.resolve(with(f.ada(), func(x *a) { x.Profile, x.Namespace = "p", "p"; change(x) }))
	}
	unchanged := func(*a) {}
	for name, row := range map[string]struct {
		given  func(f *fixture) directory.Member
		token  func(*a)
		want   string // "given", "new", or the code
		reason string
	}{
		"nobody is there": {
			given: func(f *fixture) directory.Member { return directory.Member{} },
			token: unchanged, want: "new",
		},
		"the same external id in another namespace is another person": {
			given: func(f *fixture) directory.Member { return ofP(f, func(x *a) { x.Email = "" }) },
			token: func(x *a) { x.Email = "" }, want: "new",
		},
		"a verified email links to a member known elsewhere": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: func(x *a) { x.EmailVerified = true }, want: "given",
		},
		"an email the operator vouches for does too": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: func(x *a) { x.AssumeVerified = true }, want: "given",
		},
		"attack: an email nobody verified takes over a member known elsewhere": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: unchanged, want: "duplicate_member_email", reason: "email_not_verified",
		},
		"attack: the same without an external id": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: func(x *a) { x.ExternalID = "" }, want: "duplicate_member_email", reason: "email_not_verified",
		},
		"attack: the same against a member the API knows": {
			given: func(f *fixture) directory.Member {
				return f.createMember("acme", directory.NewMember{Email: "ada@acme.example", ExternalID: "hr-1"})
			},
			token: unchanged, want: "duplicate_member_email", reason: "email_not_verified",
		},
		"attack: an uncovered email identifies nobody": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: func(x *a) { x.Email, x.UnverifiedEmail, x.EmailVerified = "", "ada@acme.example", true }, want: "new",
		},
		"attack: nor does the uncovered email of a member": {
			given: func(f *fixture) directory.Member {
				return ofP(f, func(x *a) { x.Email, x.UnverifiedEmail = "", "ada@acme.example" })
			},
			token: func(x *a) { x.EmailVerified = true }, want: "new",
		},
		"an invited member is linked by a covered email": {
			given: func(f *fixture) directory.Member {
				return f.createMember("acme", directory.NewMember{Email: "ada@acme.example", Status: directory.StatusInvited})
			},
			token: unchanged, want: "given",
		},
		"a member without external ids is linked by a covered email": {
			given: func(f *fixture) directory.Member { return ofP(f, func(x *a) { x.ExternalID = "" }) },
			token: unchanged, want: "given",
		},
		"attack: a recycled email, another subject of the same issuer": {
			given: func(f *fixture) directory.Member {
				return f.resolve(with(f.ada(), func(x *a) { x.Profile, x.Namespace, x.ExternalID = "q", "q", "old-holder" }))
			},
			token: func(x *a) { x.EmailVerified = true },
			want:  "duplicate_member_external_id", reason: "member_has_another_external_id",
		},
		"attack: external id of one member and email of another": {
			given: func(f *fixture) directory.Member {
				ofP(f, unchanged)
				return f.resolve(with(f.ada(), func(x *a) { x.Profile, x.Namespace, x.Email = "q", "q", "eve@acme.example" }))
			},
			token: func(x *a) { x.EmailVerified = true },
			want:  "duplicate_member_external_id", reason: "external_id_and_email_name_two_members",
		},
		"a shared namespace is one subject": {
			given: func(f *fixture) directory.Member {
				return ofP(f, func(x *a) { x.Namespace, x.Email = "q", "" })
			},
			token: unchanged, want: "given",
		},
		"an email alone is enough where the member is known by nothing else": {
			given: func(f *fixture) directory.Member { return ofP(f, func(x *a) { x.ExternalID = "" }) },
			token: func(x *a) { x.ExternalID = "" }, want: "given",
		},
		"attack: the subject of a deleted member": {
			given: func(f *fixture) directory.Member {
				return f.deleted(ofP(f, func(x *a) { x.Namespace, x.Email = "q", "" }))
			},
			token: unchanged, want: "member_not_found", reason: "member_deleted",
		},
		"attack: the email of a deleted member": {
			given: func(f *fixture) directory.Member { return f.deleted(ofP(f, unchanged)) },
			token: func(x *a) { x.EmailVerified = true }, want: "member_not_found", reason: "member_deleted",
		},
		"attack: the subject of a deleted member with the email of another": {
			given: func(f *fixture) directory.Member {
				ofP(f, func(x *a) { x.ExternalID = "other" })
				return f.deleted(ofP(f, func(x *a) { x.Namespace, x.Email = "q", "" }))
			},
			token: func(x *a) { x.EmailVerified = true }, want: "member_not_found", reason: "member_deleted",
		},
		"second factor names a member by shared namespace": {
			given: func(f *fixture) directory.Member { return ofP(f, func(x *a) { x.Namespace = "q" }) },
			token: func(x *a) { x.SecondOnly, x.Email = true, "" }, want: "given",
		},
		"second factor names a member by covered email": {
			given: func(f *fixture) directory.Member { return ofP(f, unchanged) },
			token: func(x *a) { x.SecondOnly = true }, want: "given",
		},
		"attack: second factor makes nobody": {
			given: func(f *fixture) directory.Member { return directory.Member{} },
			token: func(x *a) { x.SecondOnly = true },
			want:  "member_session_member_id_mismatch", reason: "no_such_member",
		},
		"attack: second factor of a deleted member": {
			given: func(f *fixture) directory.Member { return f.deleted(ofP(f, unchanged)) },
			token: func(x *a) { x.SecondOnly = true },
			want:  "member_session_member_id_mismatch", reason: "member_deleted",
		},
		"attack: second factor with another subject of its own namespace": {
			given: func(f *fixture) directory.Member {
				return f.resolve(with(f.ada(), func(x *a) { x.Profile, x.Namespace, x.ExternalID = "q", "q", "somebody" }))
			},
			token: func(x *a) { x.SecondOnly = true },
			want:  "member_session_member_id_mismatch", reason: "member_has_another_external_id",
		},
		"attack: second factor that names two": {
			given: func(f *fixture) directory.Member {
				ofP(f, unchanged)
				return ofP(f, func(x *a) { x.Namespace, x.Email = "q", "" })
			},
			token: func(x *a) { x.SecondOnly = true },
			want:  "duplicate_member_external_id", reason: "external_id_and_email_name_two_members",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta", "p", "q"))
			given := row.given(f)
			token := with(f.ada(), func(x *a) { x.Profile, x.Namespace = "q", "q"; row.token(x) })
			switch row.want {
			case "given":
				if m := f.resolve(token); m.ID != given.ID {
					t.Errorf("became %s, not %s", m.ID, given.ID)
				}
			case "new":
				if m := f.resolve(token); m.ID == given.ID {
					t.Error("became the member who was there")
				}
			default:
				f.refused(token, refusal(row.want, row.reason))
			}
		})
	}
}

func (f *fixture) deleted(m directory.Member) directory.Member {
	f.t.Helper()
	if err := f.DeleteMember(f.t.Context(), m.OrganizationID, m.ID); err != nil {
		f.t.Fatal(err)
	}
	// Later, so that it is not the cut of the deletion that refuses.
	f.clock.advance(60e9)
	return m
}

func TestLinkingIsRemembered(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	made := f.resolve(f.ada())
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
		a.CreateMembers = false
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
	_, _, err := f.Resolve(t.Context(), with(f.ada(), func(a *directory.Assertion) { a.Email = "new@acme.example" }))
	if winner.ID == "" || !errors.Is(err, directory.ErrDuplicateExternalID) {
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
