package directory_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/directory"
)

// limited is the n-th member of profile okta in acme, at a rate.
func (f *fixture) limited(n, perHour int) directory.Assertion {
	return with(f.ada(), func(a *directory.Assertion) {
		a.ExternalID, a.Email, a.CreateMembersPerHour = fmt.Sprint("member-", n), "", perHour
	})
}

// tenant is the n-th member of an organization that a claim names.
func (f *fixture) tenant(organization string, n, perHour int) directory.Assertion {
	return with(f.limited(n, perHour), func(a *directory.Assertion) {
		a.Organization, a.OrganizationFixed, a.CreateOrganizations = organization, false, true
	})
}

// waitFor asserts that the assertion is refused for its rate, and for how long.
func (f *fixture) waitFor(a directory.Assertion, reason string, want time.Duration) {
	f.t.Helper()
	_, _, err := f.Resolve(f.t.Context(), a)
	var refused *directory.Error
	if !errors.As(err, &refused) || refused.Code != "too_many_requests" || refused.Reason != reason {
		f.t.Fatalf("got %v, want too_many_requests (%s)", err, reason)
	}
	if got := refused.RetryAfter.Round(time.Second); got != want || refused.RetryAfter <= 0 {
		f.t.Errorf("to be asked again after %s, want %s", got, want)
	}
}

func TestMembersAreCreatedAtARate(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	f.resolve(f.limited(1, 2))
	f.resolve(f.limited(2, 2))
	f.waitFor(f.limited(3, 2), "member_rate", 30*time.Minute)
	f.resolve(f.limited(1, 2)) // who is there already is not counted
	f.resolve(with(f.limited(1, 2), func(a *directory.Assertion) { a.Profile, a.Namespace = "p", "p" }))
	f.clock.advance(29 * time.Minute)
	f.waitFor(f.limited(3, 2), "member_rate", time.Minute)
	f.clock.advance(time.Minute)
	f.resolve(f.limited(3, 2))
	f.waitFor(f.limited(4, 2), "member_rate", 30*time.Minute)
}

func TestOrganizationsAreCreatedAtARate(t *testing.T) {
	f := newFixture(t)
	limited := func(organization string) directory.Assertion {
		return with(f.evil(organization), func(a *directory.Assertion) { a.CreateOrganizationsPerHour = 1 })
	}
	f.resolve(limited("one"))
	f.waitFor(limited("two"), "organization_rate", time.Hour)
	f.resolve(limited("one"))
	f.clock.advance(time.Hour)
	f.resolve(limited("two"))
}

func TestDefaultRates(t *testing.T) {
	if directory.DefaultMembersPerHour != 10_000 || directory.DefaultOrganizationsPerHour != 1_000 {
		t.Error("the defaults that the documents name have changed")
	}
	f := newFixture(t)
	for i := range directory.DefaultOrganizationsPerHour {
		f.resolve(f.evil(fmt.Sprint("tenant", i)))
	}
	f.waitFor(f.evil("one-more"), "organization_rate", 4*time.Second)
}

// One tenant whose issuer makes up people must not keep another tenant's people
// out.
func TestAttackATenantStarvesAnotherOfTheRate(t *testing.T) {
	f := newFixture(t)
	const perHour = 100
	flood := func(from int) int {
		for n := from; ; n++ {
			if _, _, err := f.Resolve(t.Context(), f.tenant("flooding", n, perHour)); err != nil {
				return n
			}
		}
	}
	if n := flood(0); n != 90 { // alone, and the last tenth is for whoever asks next
		t.Errorf("alone it got %d of %d", n, perHour)
	}
	for n := range 5 {
		f.resolve(f.tenant("victim", n, perHour))
	}
	f.clock.advance(30 * time.Minute) // 50 more, and the flooding tenant is not alone
	if n := flood(90) - 90; n > 5 {
		t.Errorf("beside another it got %d of 50", n)
	}
	for n := range 8 {
		f.resolve(f.tenant("victim", 5+n, perHour))
	}
}

func TestAFixedOrganizationHasTheWholeRate(t *testing.T) {
	f := newFixture(t, acme("okta"))
	for n := range 20 {
		f.resolve(f.limited(n, 20))
	}
	f.waitFor(f.limited(20, 20), "member_rate", 3*time.Minute)
}

func TestAReloadFillsNoRate(t *testing.T) {
	f := newFixture(t)
	rates := directory.NewRates()
	load := func() *fixture {
		d, err := directory.New(directory.Config{
			Store: f.store, IndexKey: indexKey, Now: f.clock.Now, Rates: rates,
			Organizations: []directory.Organization{acme("okta")},
		})
		if err != nil {
			t.Fatal(err)
		}
		return &fixture{Directory: d, t: t, store: f.store, clock: f.clock}
	}
	before := load()
	before.resolve(before.limited(1, 2))
	before.resolve(before.limited(2, 2))
	after := load()
	after.waitFor(after.limited(3, 2), "member_rate", 30*time.Minute)
	after.waitFor(after.limited(3, 4), "member_rate", 15*time.Minute) // nor does another rate
}
