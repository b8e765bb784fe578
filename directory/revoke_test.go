package directory_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/directory"
)

func TestNotBeforeRefusesWhatWasIssuedAtOrBeforeIt(t *testing.T) {
	ctx := t.Context()
	for name, cut := range map[string]func(f *fixture, m directory.Member, at time.Time) error{
		"member":       func(f *fixture, m directory.Member, at time.Time) error { return f.RevokeMember(ctx, "acme", m.ID, at) },
		"organization": func(f *fixture, _ directory.Member, at time.Time) error { return f.RevokeOrganization(ctx, "acme", at) },
		"profile":      func(f *fixture, _ directory.Member, at time.Time) error { return f.RevokeProfile(ctx, "okta", at) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			m := f.resolve(f.ada())
			at := epoch.Add(90*time.Second + time.Nanosecond)
			if err := cut(f, m, at); err != nil {
				t.Fatal(err)
			}
			if err := cut(f, m, at.Add(-time.Hour)); err != nil { // an earlier one changes nothing
				t.Fatal(err)
			}
			for issued, want := range map[time.Duration]bool{
				0: false, 90 * time.Second: false, 90*time.Second + 1: false, 91 * time.Second: true,
			} {
				_, _, err := f.Resolve(ctx, with(f.ada(), func(a *directory.Assertion) { a.IssuedAt = epoch.Add(issued) }))
				if (err == nil) != want || err != nil && !errors.Is(err, directory.ErrRevoked) {
					t.Errorf("issued after %v: %v", issued, err)
				}
			}
			if _, _, err := f.Resolve(ctx, with(f.ada(), func(a *directory.Assertion) { a.IssuedAt = time.Time{} })); !errors.Is(err, directory.ErrRevoked) {
				t.Errorf("without an issue time: %v", err)
			}
		})
	}
}

func TestNotBeforeIsToldToWhoeverChecksSessions(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.resolve(f.ada())
	at := epoch.Add(1500 * time.Millisecond)
	for _, err := range []error{
		f.RevokeMember(t.Context(), "acme", m.ID, at),
		f.RevokeOrganization(t.Context(), "acme", at.Add(time.Second)),
		f.RevokeProfile(t.Context(), "okta", at.Add(2*time.Second)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	o, m, err := f.Lookup(t.Context(), "acme", m.ID)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := f.ProfileState(t.Context(), "okta")
	if err != nil || !m.NotBefore.Equal(at) || !o.NotBefore.Equal(at.Add(time.Second)) || !profile.NotBefore.Equal(at.Add(2*time.Second)) {
		t.Errorf("%v, %v, %v, %v", m.NotBefore, o.NotBefore, profile, err)
	}
	if never, err := f.ProfileState(t.Context(), "other"); err != nil || never != (directory.ProfileState{}) {
		t.Errorf("%v, %v", never, err)
	}
}

func TestACutOfOneLeavesTheOthers(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	m := f.resolve(f.ada())
	if err := f.RevokeMember(t.Context(), "acme", m.ID, epoch); err != nil {
		t.Fatal(err)
	}
	if err := f.RevokeProfile(t.Context(), "p", epoch); err != nil {
		t.Fatal(err)
	}
	f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = "bob", "" }))
}

func TestACutMemberCannotComeBackAsAnother(t *testing.T) {
	for _, verified := range [][2]bool{{true, true}, {true, false}, {false, true}, {false, false}} {
		f := newFixture(t, acme("okta", "p"))
		m := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = verified[0] }))
		if err := f.RevokeMember(t.Context(), "acme", m.ID, epoch); err != nil {
			t.Fatal(err)
		}
		f.refused(with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.EmailVerified = "p", "p", "p-1", verified[1]
		}), refusal("invalid_trusted_auth_token", "revoked"))
	}
}

func TestCutsOfNobody(t *testing.T) {
	f := newFixture(t, acme("okta"))
	ctx := t.Context()
	if err := f.RevokeMember(ctx, "acme", "member-00000000-0000-4000-8000-000000000000", epoch); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Error(err)
	}
	if err := f.RevokeMember(ctx, "acme", "../x", epoch); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Error(err)
	}
	if err := f.RevokeOrganization(ctx, "nobody", epoch); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
	if err := f.RevokeOrganization(ctx, "no body", epoch); !errors.Is(err, directory.ErrOrganizationNotFound) {
		t.Error(err)
	}
	if err := f.RevokeProfile(ctx, "no body", epoch); err == nil {
		t.Error("a profile that cannot be")
	}
}

func TestAConfiguredOrganizationNeedsNoRecordUntilItIsCut(t *testing.T) {
	f := newFixture(t, acme("okta"))
	o, err := f.Organization(t.Context(), "acme")
	if err != nil || o.Version != 0 || f.store.applies.Load() != 0 {
		t.Fatalf("%+v, %v", o, err)
	}
	if err := f.RevokeOrganization(t.Context(), "acme", epoch); err != nil {
		t.Fatal(err)
	}
	if o, err = f.Organization(t.Context(), "acme"); err != nil || o.Version != 1 || o.Name != "Acme Inc." || !o.Configured {
		t.Errorf("%+v, %v", o, err)
	}
}

// Whatever signs in at the same moment, a revocation and a deletion hold.
func TestCutsAndDeletionsAreNotLostAmongConcurrentSignIns(t *testing.T) {
	f := newFixture(t, acme("okta"))
	m := f.resolve(f.ada())
	other := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = "bob", "" }))
	var done sync.WaitGroup
	for i := range 20 {
		for _, a := range []directory.Assertion{f.ada(), with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = "bob", "" })} {
			done.Go(func() {
				_, _, err := f.Resolve(context.Background(), with(a, roles(fmt.Sprint("r", i))))
				if err != nil && !errors.Is(err, directory.ErrRevoked) && !errors.Is(err, directory.ErrMemberNotFound) {
					t.Error(err)
				}
			})
		}
	}
	done.Go(func() {
		if err := f.RevokeMember(context.Background(), "acme", m.ID, epoch); err != nil {
			t.Error(err)
		}
	})
	done.Go(func() {
		if err := f.DeleteMember(context.Background(), "acme", other.ID); err != nil {
			t.Error(err)
		}
	})
	done.Wait()
	if got := must[directory.Member](t)(f.Member(t.Context(), "acme", m.ID)); !got.NotBefore.Equal(epoch) {
		t.Errorf("the revocation was lost: %+v", got)
	}
	if _, err := f.Member(t.Context(), "acme", other.ID); !errors.Is(err, directory.ErrMemberNotFound) {
		t.Errorf("the deletion was lost: %v", err)
	}
}
