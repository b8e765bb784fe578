package directory_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/directory"
)

func TestResolveMakesTheMemberOnceAndThenOnlyReads(t *testing.T) {
	f := newFixture(t, acme("okta"))
	a := with(f.ada(), func(a *directory.Assertion) {
		a.Name, a.Roles, a.HasRoles = "Ada", []string{"editor", "admin", "editor"}, true
		a.Metadata, a.EmailVerified = object("team", "red"), true
	})
	made := f.resolve(a)
	want := directory.Member{
		ID: made.ID, OrganizationID: "acme", Status: directory.StatusActive, Name: "Ada",
		Email: "ada@acme.example", EmailVerified: true, EmailOwner: "okta",
		ExternalIDs:     map[string]string{"okta": "ada-1"},
		ProfileRoles:    map[string][]string{"okta": {"admin", "editor"}},
		TrustedMetadata: object("team", "red"), MetadataOwners: map[string]string{"team": "okta"},
		CreatedAt: epoch, UpdatedAt: epoch, Version: 1,
	}
	if diff := cmp.Diff(want, made); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(made.ID, "member-") {
		t.Errorf("id %q", made.ID)
	}

	f.store.gets.Store(0)
	f.store.applies.Store(0)
	f.clock.advance(time.Minute)
	if diff := cmp.Diff(made, f.resolve(a)); diff != "" {
		t.Errorf("the second sign-in changed the member: %s", diff)
	}
	if n := f.store.applies.Load(); n != 0 {
		t.Errorf("the second sign-in wrote %d times", n)
	}
	if n := f.store.gets.Load(); n > 3 {
		t.Errorf("the second sign-in read %d times", n)
	}
}

func TestResolveWithoutCreateIsMemberNotFound(t *testing.T) {
	f := newFixture(t, acme("okta"))
	f.refused(with(f.ada(), func(a *directory.Assertion) { a.CreateMembers = false }), refusal("member_not_found", ""))
}

func TestC03IdentityIsRequiredAndBounded(t *testing.T) {
	for name, row := range map[string]struct {
		change func(*directory.Assertion)
		reason string
	}{
		"neither external id nor email":  {func(a *directory.Assertion) { a.ExternalID, a.Email = "", "" }, "no_external_id_and_no_covered_email"},
		"only an uncovered email":        {func(a *directory.Assertion) { a.ExternalID, a.Email, a.UnverifiedEmail = "", "", "x@y.z" }, "no_external_id_and_no_covered_email"},
		"only an email that is none":     {func(a *directory.Assertion) { a.ExternalID, a.Email = "", "ada" }, "no_external_id_and_no_covered_email"},
		"external id of 257 bytes":       {func(a *directory.Assertion) { a.ExternalID = strings.Repeat("x", 257) }, "external_id_not_allowed"},
		"control character in it":        {func(a *directory.Assertion) { a.ExternalID = "ada\x00" }, "external_id_not_allowed"},
		"external id that is not UTF-8":  {func(a *directory.Assertion) { a.ExternalID = "ada\xff" }, "external_id_not_allowed"},
		"next line, a C1 control, in it": {func(a *directory.Assertion) { a.ExternalID = "ada\u0085" }, "external_id_not_allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			f.refused(with(f.ada(), row.change), refusal("invalid_trusted_auth_token", row.reason))
		})
	}
}

// "Okta" and "okta" would be two names of one object that fold to one: a record
// that could be written and never read again.
func TestNamesThatWouldFoldTogetherAreAMistakeNotARecord(t *testing.T) {
	f := newFixture(t, acme("okta"))
	for _, change := range []func(*directory.Assertion){
		func(a *directory.Assertion) { a.Namespace = "Okta" },
		func(a *directory.Assertion) { a.Namespace = "" },
		func(a *directory.Assertion) { a.Profile = "@api" },
		func(a *directory.Assertion) { a.Profile = "-x" },
	} {
		var refused *directory.Error
		if _, _, err := f.Resolve(t.Context(), with(f.ada(), change)); err == nil || errors.As(err, &refused) {
			t.Errorf("got %v, want a plain error", err)
		}
	}
}

func TestCheckRefusesBeforeAnythingAboutTheMemberIsWritten(t *testing.T) {
	f := newFixture(t, acme("okta"))
	no := errors.New("no")
	refuse := func(a *directory.Assertion) {
		a.Check = func(o directory.Organization, m directory.Member) error {
			if o.ID != "acme" || m.Email != "ada@acme.example" || m.Name != "Ada" {
				t.Errorf("asked about %+v of %+v", m, o)
			}
			return no
		}
	}
	a := with(f.ada(), func(a *directory.Assertion) { a.Name = "Ada" })
	if _, _, err := f.Resolve(t.Context(), with(a, refuse)); !errors.Is(err, no) || f.store.applies.Load() != 0 {
		t.Errorf("%v after %d writes", err, f.store.applies.Load())
	}
	made := f.resolve(f.ada())
	if _, _, err := f.Resolve(t.Context(), with(a, refuse)); !errors.Is(err, no) {
		t.Error(err)
	}
	if m := must[directory.Member](t)(f.Member(t.Context(), "acme", made.ID)); m.Name != "" {
		t.Error("the name was written all the same")
	}
}

// One caller's Check must not refuse another caller who asks at the same moment.
func TestARefusalOfOneCallerIsNotAnothers(t *testing.T) {
	f := newFixture(t, acme("okta"))
	var done sync.WaitGroup
	for i := range 200 {
		done.Go(func() {
			a := f.ada()
			if i%2 == 0 {
				a.Check = func(directory.Organization, directory.Member) error { return directory.ErrMemberMismatch }
			}
			if _, _, err := f.Resolve(context.Background(), a); errors.Is(err, directory.ErrMemberMismatch) != (i%2 == 0) {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	done.Wait()
}

func TestEmailThatTwoReadersReadAsTwoPeopleIdentifiesNobody(t *testing.T) {
	for name, email := range map[string]string{
		"multi-@":               "ada@acme.example@evil.example",
		"multi-@ quoted":        `"ada@acme.example"@evil.example`,
		"confusable local part": "аda@acme.example", // Cyrillic а
		"confusable domain":     "ada@асme.example",
		"full-width @":          "ada＠acme.example",
		"Kelvin sign":           "ada@\u212Acme.example",
		"comment":               "ada(x)@acme.example",
		"display name":          "Ada <ada@acme.example>",
		"space":                 " ada@acme.example",
		"newline":               "ada@acme.example\n",
		"NUL":                   "ada@acme.example\x00",
		"final dot":             "ada@acme.example.",
		"empty label":           "ada@acme..example",
		"no local part":         "@acme.example",
		"no domain":             "ada@",
		"two dots":              "a..da@acme.example",
		"321 bytes":             strings.Repeat("a", 308) + "@acme.example",
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, acme("okta"))
			victim := f.resolve(f.ada())
			other := f.resolve(with(f.ada(), func(a *directory.Assertion) {
				a.ExternalID, a.Email, a.EmailVerified = "mallory", email, true
			}))
			if other.ID == victim.ID || other.Email != "" || other.EmailVerified {
				t.Errorf("identified as %+v", other)
			}
		})
	}
}

func TestEmailIsComparedInLowerCase(t *testing.T) {
	f := newFixture(t, acme("okta"))
	made := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email, a.EmailVerified = "", "Ada@ACME.example", true }))
	again := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email, a.EmailVerified = "", "ada@acme.EXAMPLE", true }))
	if made.ID != again.ID || made.Email != "ada@acme.example" {
		t.Errorf("%q and %q, %q", made.ID, again.ID, made.Email)
	}
}

func TestExternalIDIsComparedByteForByte(t *testing.T) {
	f := newFixture(t, acme("okta"))
	seen := map[string]string{}
	// é composed and decomposed, Latin and Cyrillic a, cases, spaces: all different.
	for _, id := range []string{"ada", "Ada", "аda", "ada ", " ada", "caf\u00e9", "cafe\u0301", "ſ", "s"} {
		m := f.resolve(with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = id, "" }))
		if other, dup := seen[m.ID]; dup {
			t.Errorf("%q is %q", id, other)
		}
		seen[m.ID] = id
	}
}

// The parts of an index name are length-prefixed: without, the namespace "a" with
// the id "b:c" could be the namespace "a:b" with the id "c".
func TestNamespaceAndIDCannotBeShifted(t *testing.T) {
	f := newFixture(t, acme("a", "ab"))
	one := f.resolve(with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.ExternalID, a.Email = "a", "a", "bc", ""
	}))
	two := f.resolve(with(f.ada(), func(a *directory.Assertion) {
		a.Profile, a.Namespace, a.ExternalID, a.Email = "ab", "ab", "c", ""
	}))
	if one.ID == two.ID {
		t.Error("two namespaces share a member")
	}
}

func TestF27ThousandConcurrentResolvesMakeOneMember(t *testing.T) {
	f := newFixture(t)
	a := with(f.ada(), func(a *directory.Assertion) {
		a.CreateOrganizations, a.CreateMembersPerHour, a.CreateOrganizationsPerHour = true, 1, 1
	})
	gateways := []*directory.Directory{f.Directory, f.another()}
	ids, errs := make([]string, 1000), make([]error, 1000)
	var ready, done sync.WaitGroup
	ready.Add(1)
	for i := range ids {
		done.Go(func() {
			ready.Wait()
			o, m, err := gateways[i%2].Resolve(context.Background(), a)
			ids[i], errs[i] = o.ID+"/"+m.ID, err
		})
	}
	ready.Done()
	done.Wait()
	for i := range ids {
		if errs[i] != nil || ids[i] != ids[0] {
			t.Fatalf("%q and %q, %v", ids[0], ids[i], errs[i])
		}
	}
	page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
	if page.Total != 1 {
		t.Errorf("%d organizations", page.Total)
	}
	members := must[directory.MemberPage](t)(f.SearchMembers(t.Context(), directory.MemberSearch{Organizations: []string{"acme"}}))
	if members.Total != 1 {
		t.Errorf("%d members", members.Total)
	}
}

func TestConcurrentResolvesOfManyUsersAreNeverMixed(t *testing.T) {
	f := newFixture(t, acme("okta"))
	var done sync.WaitGroup
	for i := range 640 {
		done.Go(func() {
			id := fmt.Sprint("user-", i%64)
			_, m, err := f.Resolve(context.Background(), with(f.ada(), func(a *directory.Assertion) { a.ExternalID, a.Email = id, "" }))
			if err != nil || m.ExternalIDs["okta"] != id {
				t.Errorf("%s became %v, %v", id, m.ExternalIDs, err)
			}
		})
	}
	done.Wait()
}

func TestStoreFaultsAreFaultsNotRefusals(t *testing.T) {
	f := newFixture(t)
	a := with(f.ada(), func(a *directory.Assertion) { a.CreateOrganizations = true })
	for n := int64(1); ; n++ {
		f.store.breakAt.Store(n)
		_, _, err := f.Resolve(t.Context(), a)
		if err == nil {
			break
		}
		var refused *directory.Error
		if !errors.Is(err, errBroken) || errors.As(err, &refused) {
			t.Fatalf("write %d failed: %v", n, err)
		}
	}
	f.store.breakAt.Store(0)
	page := must[directory.OrganizationPage](t)(f.SearchOrganizations(t.Context(), directory.OrganizationSearch{}))
	if page.Total != 1 {
		t.Errorf("%d organizations after the faults, not one", page.Total)
	}
}

func TestResolveEndsWithItsContext(t *testing.T) {
	f := newFixture(t, acme("okta"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Resolve(ctx, f.ada()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestASlowMakerDoesNotHoldOthersBeyondTheirContext(t *testing.T) {
	f := newFixture(t, acme("okta"))
	entered, leave := make(chan struct{}), make(chan struct{})
	f.store.before = func(string) { close(entered); <-leave }
	slow := make(chan error)
	go func() { _, _, err := f.Resolve(context.Background(), f.ada()); slow <- err }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error)
	before := f.store.gets.Load()
	go func() { _, _, err := f.Resolve(ctx, f.ada()); waiting <- err }()
	for f.store.gets.Load() < before+2 { // it has read that there is no member yet
		runtime.Gosched()
	}
	cancel()
	if err := <-waiting; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	f.store.before = nil
	close(leave)
	if err := <-slow; err != nil {
		t.Error(err)
	}
}

// All who ask while the first is still writing wait for it, and cost the profile
// nothing.
func TestTheHerdSpendsOneOfTheRate(t *testing.T) {
	f := newFixture(t, acme("okta"))
	a := with(f.ada(), func(a *directory.Assertion) { a.CreateMembersPerHour = 1 })
	entered, leave := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.store.before = func(string) { once.Do(func() { close(entered); <-leave }) }
	var done sync.WaitGroup
	resolve := func() {
		if _, _, err := f.Resolve(context.Background(), a); err != nil {
			t.Error(err)
		}
	}
	done.Go(resolve)
	<-entered
	before := f.store.gets.Load()
	for range 20 {
		done.Go(resolve)
	}
	for f.store.gets.Load() < before+40 { // each has read that there is no member yet
		runtime.Gosched()
	}
	close(leave)
	done.Wait()
}

func TestWhoIsThereInTheMeantimeCostsNothing(t *testing.T) {
	f := newFixture(t, acme("okta"))
	a := with(f.ada(), func(a *directory.Assertion) { a.CreateMembersPerHour = 1 })
	other := f.another(acme("okta"))
	f.store.meanwhile = func() {
		if _, _, err := other.Resolve(t.Context(), a); err != nil {
			t.Error(err)
		}
	}
	f.store.meanwhileAt = 3 // it has read that there is no member, and is about to make one
	f.resolve(a)
	f.resolve(with(a, func(a *directory.Assertion) { a.ExternalID, a.Email = "bob", "" }))
}

func TestRefusalsNeverRepeatWhatTheTokenSays(t *testing.T) {
	f := newFixture(t, acme("okta"))
	f.resolve(with(f.ada(), func(a *directory.Assertion) { a.EmailVerified = true }))
	const secret = "squeamish"
	for _, change := range []func(*directory.Assertion){
		func(a *directory.Assertion) { a.ExternalID, a.EmailVerified = secret, true },
		func(a *directory.Assertion) { a.ExternalID, a.Email = "", secret+"@acme.example" },
		func(a *directory.Assertion) { a.ExternalID = secret + "\x00" },
		func(a *directory.Assertion) { a.OrganizationFixed, a.Organization = false, secret },
		func(a *directory.Assertion) { a.OrganizationFixed, a.Organization = false, secret+" " },
		func(a *directory.Assertion) { a.APIOrganization = secret },
		func(a *directory.Assertion) { a.Roles, a.HasRoles = []string{secret + "\n"}, true },
		func(a *directory.Assertion) { a.Metadata = object(secret, secret, "ſ", 1, "s", 2) },
	} {
		_, _, err := f.Resolve(t.Context(), with(f.ada(), change))
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%v", err)
		}
	}
}
