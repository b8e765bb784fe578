package gateway_test

import (
	"net/http"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/trust"
)

// legacyAndCorp is one organization of two profiles that cover the same domain;
// device is a second factor of the same people.
func legacyAndCorp(s *setup) {
	person := func(name string) *trust.Config {
		return &trust.Config{
			Issuers: []string{"https://" + name + ".test"}, Audiences: []string{"app"},
			EmailDomains: []string{"acme.example"}, Organization: "acme", CreateMembers: true,
		}
	}
	s.profiles = map[string]*trust.Config{"legacy": person("legacy"), "corp": person("corp"), "device": person("device")}
	s.profiles["device"].CreateMembers, s.profiles["device"].Factor.SecondOnly = false, true
	s.organizations = []directory.Organization{
		{ID: "acme", Profiles: []string{"legacy", "corp", "device"}},
		{ID: "globex", Profiles: []string{"legacy", "corp"}},
	}
}

const ceo = "ceo@acme.example"

// by is a token of the profile's, with an address that it verifies or says nothing of.
func (w *world) by(profile, subject string, verified any) claims.Object {
	return claims.Object{"token": w.token(profile, claims.Object{"sub": subject, "email": ceo, "email_verified": verified, "jti": profile + subject})}
}

// Whoever comes first by a profile that verifies no address must not be in the
// account of whoever owns the address.
func TestAttackLegacyPreHijacksTheAccountOfCorp(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"legacy", "corp"}}}
	w := newWorld(t, legacyAndCorp, routes(route))
	attacker := w.attest("legacy", w.by("legacy", "attacker", nil))
	owner := w.attest("corp", w.by("corp", "ceo-real", true))
	if attacker["member_id"] == owner["member_id"] {
		t.Fatal("attacker and owner are one member")
	}
	again := w.ok("POST", authenticatePath, named(attacker))
	is(t, again, "member.member_id", attacker["member_id"])
	is(t, again, "member.email_address", "")
	is(t, again, "member.unverified_email", ceo)
	token := w.by("legacy", "attacker", nil)["token"].(string)
	if _, up := w.through(route, bearer(token)); up.claims["sub"] != attacker["member_id"] {
		t.Errorf("the proxy takes the attacker for %v", up.claims["sub"])
	}
	is(t, w.attest("corp", w.by("corp", "ceo-real", true)), "member_id", owner["member_id"])
}

func TestAttackInvitedMemberWithRolesIsTakenOver(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"legacy", "corp"}}}
	w := newWorld(t, legacyAndCorp, routes(route))
	invited := w.member("acme", claims.Object{"email_address": ceo, "status": "invited", "roles": []any{"admin"}})
	body := with(w.by("legacy", "attacker", nil), claims.Object{"profile_id": "legacy"})
	w.refused(400, "email_not_verified", "POST", attestPath, body)
	resp, _ := w.through(route, bearer(body["token"].(string)))
	if resp.StatusCode != http.StatusForbidden || resp.Header.Get("Attest-Error") == "" {
		t.Errorf("the proxy answers %d %v", resp.StatusCode, resp.Header)
	}
	is(t, w.attest("corp", w.by("corp", "ceo-real", true)), "member_id", invited)
}

// The session of whoever came first by an unverified address goes on, and says the
// address no more from the next request.
func TestAttackSquatterBlocksAnInvitation(t *testing.T) {
	w := newWorld(t, legacyAndCorp)
	squatter := w.attest("legacy", w.by("legacy", "attacker", nil))
	is(t, w.ok("POST", authenticatePath, named(squatter)), "member.email_address", ceo)
	invited := w.member("acme", claims.Object{"email_address": ceo, "status": "invited"})
	again := w.ok("POST", authenticatePath, named(squatter))
	is(t, again, "member.email_address", "")
	is(t, again, "member.unverified_email", ceo)
	is(t, w.attest("corp", w.by("corp", "ceo-real", true)), "member_id", invited)
}

// Who has stolen a session must not make it last by a device of their own.
func TestAttackSessionThiefAttachesADeviceByAnUnverifiedAddress(t *testing.T) {
	w := newWorld(t, legacyAndCorp)
	session := w.attest("corp", w.by("corp", "ceo-real", true))
	attach := func(profile string, verified any) claims.Object {
		return with(w.by(profile, "thief", verified), with(named(session), claims.Object{"profile_id": profile}))
	}
	w.refused(400, "email_not_verified", "POST", attestPath, attach("device", nil))
	w.refused(400, "member_session_member_id_mismatch", "POST", attestPath, attach("legacy", nil))
	w.ok("POST", attestPath, attach("device", true))
}

// A session's own member may have an address that nobody verified: a device that
// verifies it is not that member's.
func TestAttackDeviceByAnAddressThatTheMemberOnlyClaims(t *testing.T) {
	w := newWorld(t, legacyAndCorp)
	session := w.attest("legacy", w.by("legacy", "attacker", nil))
	body := with(w.by("device", "ceo-device", true), with(named(session), claims.Object{"profile_id": "device"}))
	w.refused(400, "member_session_member_id_mismatch", "POST", attestPath, body)
}

func TestAttackExchangeByAnUnverifiedAddress(t *testing.T) {
	for _, there := range []claims.Object{
		{"email_address": ceo, "status": "invited", "roles": []any{"admin"}},
		{"email_address": ceo, "email_address_verified": true},
		{"email_address": ceo, "external_id": "e-1"},
	} {
		w := newWorld(t, legacyAndCorp)
		target := w.member("globex", there)
		session := w.attest("legacy", w.by("legacy", "attacker", nil))
		exchange := claims.Object{"organization_id": "globex"}
		w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(session), exchange))
		owner := w.attest("corp", w.by("corp", "ceo-real", true))
		is(t, w.ok("POST", exchangePath, with(named(owner), exchange)), "member_id", target)
	}
}

// What a member's record says of its address is not what each factor says.
func TestAttackExchangeByAnAddressThatAnotherFactorVerified(t *testing.T) {
	w := newWorld(t, legacyAndCorp, func(s *setup) { s.organizations[1].Profiles = []string{"legacy"} })
	w.member("globex", claims.Object{"email_address": ceo})
	session := w.attest("corp", w.by("corp", "ceo-real", true))
	member := session["member_id"].(string)
	w.ok("PUT", orgsPath+"/acme/members/"+member, claims.Object{"external_id": "e-1"})
	legacy := w.attest("legacy", w.by("legacy", "attacker", nil)) // another member, of the same address
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(legacy), claims.Object{"organization_id": "globex"}))
	w.refused(400, "insufficient_factors_for_session_exchange", "POST", exchangePath, with(named(session), claims.Object{"organization_id": "globex"}))
}
