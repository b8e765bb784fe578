package gateway_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/trust"
)

// crossing is a world with Globex, which admits acme by list, and Initech, which
// does not.
func crossing(t *testing.T, options ...option) (w *world, globex, initech string) {
	w = newWorld(t, options...)
	globex = w.organization(claims.Object{"organization_name": "Globex", "organization_slug": "globex", "profiles": []any{"acme"}})
	initech = w.organization(claims.Object{"organization_name": "Initech", "organization_slug": "initech", "profiles": []any{"other"}})
	return w, globex, initech
}

func TestAPIExchangeMovesThePerson(t *testing.T) {
	w, globex, _ := crossing(t, template(`{"company": {{ organization.organization_name }}}`))
	ada := w.member(globex, claims.Object{"email_address": "ada@example.com", "roles": []any{"guest"}})
	first := w.attest("acme", claims.Object{"session_custom_claims": claims.Object{"cart": 1}})
	w.clock.Advance(time.Minute)
	for _, by := range []string{"session_token", "session_jwt"} {
		answer := w.ok("POST", exchangePath, claims.Object{by: first[by], "organization_id": "globex"})
		for path, want := range map[string]any{
			"member_id": ada, "member_session.organization_id": globex, "member_session.roles": []any{"guest"},
			"member_session.custom_claims": map[string]any{"company": "Globex"}, "member_authenticated": true,
			"intermediate_session_token": "", "mfa_required": nil, "primary_required": nil, "member_session.expires_at": "2026-03-01T13:01:00Z",
		} {
			is(t, answer, path, want)
		}
		for _, path := range []string{"session_token", "member_session.member_session_id"} {
			if at(answer, path) == at(first, path) || at(answer, path) == "" {
				t.Errorf("%s is the former session's, or empty", path)
			}
		}
		factor := at(answer, "member_session.authentication_factors").([]any)[0].(map[string]any)
		is(t, factor, "proved_at", "2026-03-01T12:00:00Z")
		is(t, w.decode(answer["session_jwt"].(string)), "organization.organization_id", globex)
		w.ok("POST", authenticatePath, named(answer))
	}
	w.ok("POST", authenticatePath, named(first)) // goes on
	answer := w.ok("POST", exchangePath, with(named(first), claims.Object{
		"organization_id": globex, "session_duration_minutes": 10, "session_custom_claims": claims.Object{"a": 1},
	}))
	is(t, answer, "member_session.expires_at", "2026-03-01T12:11:00Z")
	is(t, answer, "member_session.custom_claims", map[string]any{"a": 1, "company": "Globex"})
}

// Who is invited there has signed in with it.
func TestAPIExchangeAcceptsAnInvitation(t *testing.T) {
	w, globex, _ := crossing(t)
	ada := w.member(globex, claims.Object{"email_address": "ada@example.com", "status": "invited"})
	answer := w.ok("POST", exchangePath, with(named(w.attest("acme", nil)), claims.Object{"organization_id": globex}))
	is(t, answer, "member_id", ada)
	is(t, answer, "member.status", "active")
}

// A namespace that two profiles share on purpose names the person as an address
// does.
func TestAPIExchangeBySharedNamespace(t *testing.T) {
	share := func(s *setup) {
		for _, name := range []string{"acme", "other"} {
			s.profiles[name].Namespace, s.profiles[name].EmailDomains = "staff", nil
		}
	}
	w, globex, initech := crossing(t, unbound("other"), share)
	there := w.attest("other", claims.Object{"organization_id": initech})
	w.ok("PUT", orgsPath+"/"+initech, claims.Object{"profiles": []any{"other", "acme"}})
	here := w.attest("acme", nil)
	is(t, w.ok("POST", exchangePath, with(named(here), claims.Object{"organization_id": initech})), "member_id", there["member_id"])
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(here), claims.Object{"organization_id": globex}))
}

func TestAPIExchangeRefusals(t *testing.T) {
	w, globex, initech := crossing(t, func(s *setup) {
		s.profiles["acme"].EmailDomains = []string{"example.com"}
		s.profiles["uncovered"] = &trust.Config{
			Issuers: []string{"https://uncovered.test"}, Audiences: []string{"app"}, Organization: "uncovered",
			CreateMembers: true, CreateOrganizations: true,
		}
	})
	ada := w.member(globex, claims.Object{"email_address": "ada@example.com"})
	w.member(globex, claims.Object{"email_address": "out@side.test"})
	gone := w.member(globex, claims.Object{"email_address": "gone@example.com"})
	w.ok("DELETE", orgsPath+"/"+globex+"/members/"+gone, nil)
	w.member(initech, claims.Object{"email_address": "ada@example.com"})
	as := func(profile, email string) claims.Object {
		return named(w.attest(profile, claims.Object{"token": w.token(profile, claims.Object{"sub": email, "email": email})}))
	}
	session, nobody, deleted, uncovered := as("acme", "ada@example.com"), as("acme", "new@example.com"), as("acme", "gone@example.com"), as("acme", "out@side.test")
	unlisted := as("uncovered", "ada@example.com")
	big := make([]any, 3000)
	const no = "insufficient_factors_for_session_exchange"
	for _, row := range []struct {
		status int
		code   string
		body   claims.Object
	}{
		{400, "invalid_argument", session},
		{400, "no_session_arguments", claims.Object{"organization_id": globex}},
		{404, "organization_not_found", with(session, claims.Object{"organization_id": "nobody"})},
		{400, no, with(session, claims.Object{"organization_id": initech})},  // does not admit the profile
		{400, no, with(nobody, claims.Object{"organization_id": globex})},    // no member there
		{400, no, with(deleted, claims.Object{"organization_id": globex})},   // deleted there
		{400, no, with(uncovered, claims.Object{"organization_id": globex})}, // the profile does not cover the address
		{400, no, with(unlisted, claims.Object{"organization_id": globex})},
		{400, "invalid_session_duration_minutes", with(session, claims.Object{"organization_id": globex, "session_duration_minutes": 1})},
		{400, "custom_claims_too_large", with(session, claims.Object{"organization_id": globex, "session_custom_claims": claims.Object{"a": big}})},
		{400, "reserved_claims_in_custom_claims", with(session, claims.Object{"organization_id": globex, "session_custom_claims": claims.Object{"sub": 1}})},
		{400, "bad_request", with(session, claims.Object{"organization_id": globex, "member_id": ada})},
	} {
		w.refused(row.status, row.code, "POST", exchangePath, row.body)
	}
}

// Where the member there was revoked after the proof was given, the proof is too
// old; a new one is good.
func TestAPIExchangeNeedsAProofFromAfterARevocation(t *testing.T) {
	w, globex, _ := crossing(t)
	ada := w.member(globex, claims.Object{"email_address": "ada@example.com"})
	session := w.attest("acme", nil)
	w.clock.Advance(time.Minute)
	w.ok("POST", revokePath, claims.Object{"member_id": ada})
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(session), claims.Object{"organization_id": globex}))
	w.clock.Advance(time.Minute)
	w.ok("POST", exchangePath, with(named(w.attest("acme", nil)), claims.Object{"organization_id": globex}))
}

// A second factor alone does not carry anybody anywhere.
func TestAPIExchangeNeedsAFirstFactor(t *testing.T) {
	w, globex, _ := crossing(t, func(s *setup) {
		second := *s.profiles["acme"]
		second.Issuers, second.CreateMembers, second.CreateOrganizations = []string{"https://second.test"}, false, false
		second.Factor.SecondOnly = true
		s.profiles["second"] = &second
	})
	w.member(globex, claims.Object{"email_address": "ada@example.com"})
	session := w.attest("acme", nil)
	w.ok("PUT", orgsPath+"/acme", claims.Object{"profiles": []any{"acme", "second"}})
	both := w.attest("second", named(session))
	if n := len(at(both, "member_session.authentication_factors").([]any)); n != 2 {
		t.Fatalf("%d factors", n)
	}
	exchange := with(named(session), claims.Object{"organization_id": globex})
	w.ok("PUT", orgsPath+"/"+globex, claims.Object{"profiles": []any{"second"}})
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, exchange)
	w.ok("PUT", orgsPath+"/"+globex, claims.Object{"profiles": []any{"second", "acme"}})
	answer := w.ok("POST", exchangePath, exchange)
	factors := at(answer, "member_session.authentication_factors").([]any)
	if len(factors) != 2 { // the address that second's token asserted names the same member
		t.Fatalf("%d factors were copied", len(factors))
	}
	is(t, factors[0].(map[string]any), "profile", "acme")
}

// A session that goes on from another does not begin max_duration anew.
func TestAPIExchangeEndsWithMaxDurationOfTheFormer(t *testing.T) {
	w, globex, _ := crossing(t)
	w.member(globex, claims.Object{"email_address": "ada@example.com"})
	first := w.attest("acme", claims.Object{"session_duration_minutes": 43200})
	w.clock.Advance(29 * 24 * time.Hour)
	answer := w.ok("POST", exchangePath, with(named(first), claims.Object{"organization_id": globex, "session_duration_minutes": 43200}))
	is(t, answer, "member_session.expires_at", "2026-03-31T12:00:00Z")
}

// Every factor that names the member there comes along; the address is only what
// the profile itself has written, or the operator.
func TestAPIExchangeTakesAlongWhatNamesTheSame(t *testing.T) {
	share := func(s *setup) {
		for _, name := range []string{"acme", "other"} {
			s.profiles[name].Namespace = "staff"
		}
	}
	w := newWorld(t, share, unbound("acme", "other"))
	both := []any{"acme", "other"}
	here := w.organization(claims.Object{"organization_name": "Here", "profiles": both})
	there := w.organization(claims.Object{"organization_name": "There", "profiles": both})
	w.attest("other", claims.Object{"organization_id": there})
	session := w.attest("acme", claims.Object{"organization_id": here})
	w.attest("other", with(named(session), claims.Object{"organization_id": here}))
	answer := w.ok("POST", exchangePath, with(named(session), claims.Object{"organization_id": there}))
	if n := len(at(answer, "member_session.authentication_factors").([]any)); n != 2 {
		t.Errorf("%d factors were copied", n)
	}
}

// An address that another profile wrote is not what a factor says.
func TestAPIExchangeDoesNotTakeAnotherProfilesAddress(t *testing.T) {
	w := newWorld(t, unbound("other"))
	here := w.organization(claims.Object{"organization_name": "Here", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	there := w.organization(claims.Object{"organization_name": "There", "profiles": []any{"other"}})
	w.member(there, claims.Object{"email_address": "victim@example.com"})
	as := func(profile, sub, email string) claims.Object {
		return claims.Object{"token": w.token(profile, claims.Object{"sub": sub, "email": email})}
	}
	w.attest("acme", as("acme", "q-eve", "eve@example.com"))
	session := w.attest("other", with(as("other", "p-eve", "eve@example.com"), claims.Object{"organization_id": here}))
	w.clock.Advance(time.Second)
	renamed := w.attest("acme", as("acme", "q-eve", "victim@example.com"))
	is(t, renamed, "member.email_address", "victim@example.com")
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(session), claims.Object{"organization_id": there}))
}

// A tenant whose issuer asserts what is another tenant's gets nothing of it: by
// attest, by proxy, by exchange.
func TestAPIAnotherTenantsPropertyIsOutOfReach(t *testing.T) {
	evil := func(s *setup) {
		s.profiles["other"] = &trust.Config{
			Issuers: []string{"https://other.test"}, Audiences: []string{"app"}, Organization: "{claims.org}", EmailDomains: []string{"other.test"},
			Map: map[string]string{"roles": "roles"}, Roles: map[string][]string{"reader": {"reader"}}, CreateMembers: true, CreateOrganizations: true,
		}
	}
	route := acme()
	route.Profiles = []string{"acme", "other"}
	w := newWorld(t, evil, routes(route))
	victim := w.attest("acme", nil)
	org := at(victim, "organization.organization_id").(string)
	slug := at(victim, "organization.organization_slug").(string)
	w.ok("PUT", orgsPath+"/acme", claims.Object{"organization_name": "Acme Inc", "organization_slug": "acme-inc"})
	member := victim["member_id"].(string)
	w.ok("PUT", orgsPath+"/acme/members/"+member, claims.Object{"external_id": "e-1", "roles": []any{"admin"}})
	for name, c := range map[string]claims.Object{
		"external id of the organization": {"org": "acme"},
		"id of the organization":          {"org": org},
		"slug of the organization":        {"org": "acme-inc"},
		"former slug":                     {"org": slug},
		"name of the organization":        {"org": "Acme Inc"},
		"email":                           {"org": "evil", "email": "ada@example.com"},
		"external id of the member":       {"org": "evil", "sub": "e-1"},
		"id of the member":                {"org": "evil", "sub": member},
		"role":                            {"org": "evil", "roles": []any{"admin", "editor"}},
	} {
		token := w.token("other", with(claims.Object{"sub": "mallory", "email": "ada@example.com"}, c))
		status, answer := w.call("POST", attestPath, claims.Object{"profile_id": "other", "token": token})
		if status == 200 {
			w.nothingOf(name, victim, answer)
			w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(answer), claims.Object{"organization_id": "acme"}))
		}
		if status, answer := w.call("POST", attestPath, claims.Object{"profile_id": "other", "token": token, "organization_id": "acme"}); status == 200 {
			t.Errorf("%s: the caller names the organization: %v", name, answer)
		}
		if res, up := w.through(route, bearer(token)); res.StatusCode == 204 {
			for path, theirs := range map[string]any{"sub": member, "organization.organization_id": org, "session.roles": []any{"admin"}} {
				if fmt.Sprint(at(up.claims, path)) == fmt.Sprint(theirs) {
					t.Errorf("%s: the upstream hears %s %v", name, path, theirs)
				}
			}
		}
	}
	after := w.ok("GET", orgsPath+"/acme/member?member_id="+member, nil)
	is(t, after, "member.roles", roleObjects("admin"))
	is(t, after, "member.email_address", "ada@example.com")
}

// nothingOf checks that an answer holds nothing that is the victim's.
func (w *world) nothingOf(name string, victim, answer claims.Object) {
	w.t.Helper()
	for _, path := range []string{"member_id", "organization.organization_id", "member_session.organization_id", "organization.organization_slug"} {
		if at(answer, path) == at(victim, path) {
			w.t.Errorf("%s: %s is the victim's", name, path)
		}
	}
	if at(answer, "member.email_address") != "" {
		w.t.Errorf("%s: holds the address %v", name, at(answer, "member.email_address"))
	}
	if roles := at(answer, "member_session.roles").([]any); len(roles) > 0 {
		w.t.Errorf("%s: has the roles %v", name, roles)
	}
}
