package directory_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/directory"
)

func TestMembersAreMadeAtARate(t *testing.T) {
	f := newFixture(t, acme("okta", "p"))
	nth := func(profile string, n, perHour int) directory.Assertion {
		return with(f.ada(), func(a *directory.Assertion) {
			a.Profile, a.Namespace, a.ExternalID, a.Email, a.CreateMembersPerHour = profile, profile, fmt.Sprint(n), "", perHour
		})
	}
	f.resolve(nth("okta", 1, 2))
	f.resolve(nth("okta", 2, 2))
	f.refused(nth("okta", 3, 2), refusal("too_many_requests", "member_rate"))
	f.resolve(nth("okta", 1, 2)) // who is there already is not counted
	f.resolve(nth("p", 1, 2))    // nor is another profile's
	f.clock.advance(29 * time.Minute)
	f.refused(nth("okta", 3, 2), refusal("too_many_requests", "member_rate"))
	f.clock.advance(2 * time.Minute)
	f.resolve(nth("okta", 3, 2))
	f.refused(nth("okta", 4, 2), refusal("too_many_requests", "member_rate"))
}

func TestOrganizationsAreMadeAtARate(t *testing.T) {
	f := newFixture(t)
	limited := func(organization string) directory.Assertion {
		return with(f.evil(organization), func(a *directory.Assertion) { a.CreateOrganizationsPerHour = 1 })
	}
	f.resolve(limited("one"))
	f.refused(limited("two"), refusal("too_many_requests", "organization_rate"))
	f.resolve(limited("one"))
	f.clock.advance(time.Hour)
	f.resolve(limited("two"))
}

func TestDefaultRates(t *testing.T) {
	f := newFixture(t, acme("okta"))
	for i := range 1000 {
		f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = fmt.Sprint(i), "" }))
	}
	f.refused(f.ada(), refusal("too_many_requests", "member_rate"))
	for i := range 100 {
		f.resolve(f.evil(fmt.Sprint("tenant", i)))
	}
	f.refused(f.evil("tenant100"), refusal("too_many_requests", "organization_rate"))
}
