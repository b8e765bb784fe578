package gateway_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
	"github.com/attestgate/caddy-attest/gateway/proxy"
	"github.com/attestgate/caddy-attest/session/mint"
	"github.com/attestgate/caddy-attest/store"
	"github.com/attestgate/caddy-attest/store/memory"
)

// Exchange takes the member's address for the factor's, whoever wrote it: a
// profile that only organization A admits signs in as a member of B, which does not.
func TestAttackExchangeByAnotherProfilesEmail(t *testing.T) {
	w := newWorld(t, func(s *setup) { s.profiles["other"].Organization, s.profiles["other"].CreateOrganizations = "", false })
	a := w.organization(claims.Object{"organization_name": "A", "organization_external_id": "acme", "profiles": []any{"acme", "other"}})
	b := w.organization(claims.Object{"organization_name": "B", "profiles": []any{"other"}})
	victim := w.member(b, claims.Object{"email_address": "victim@example.com"})
	as := func(profile, sub, email string) claims.Object {
		in := claims.Object{"token": w.token(profile, claims.Object{"sub": sub, "email": email})}
		if profile == "other" {
			in["organization_id"] = a
		}
		return w.attest(profile, in)
	}
	as("acme", "q-eve", "eve@example.com")
	s := as("other", "p-eve", "eve@example.com") // the shared profile says eve, and only ever eve
	w.clock.Advance(time.Second)
	as("acme", "q-eve", "victim@example.com") // tenant A's own issuer says otherwise
	status, answer := w.call("POST", exchangePath, with(named(s), claims.Object{"organization_id": b}))
	if status == http.StatusOK {
		t.Errorf("eve is %v in B; the victim is %s", answer["member_id"], victim)
	}
}

// Exchange brings along proofs that name another member of the target, or none.
func TestAttackExchangeCopiesProofsOfAnother(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"other"}}}
	w := newWorld(t, routes(route), func(s *setup) {
		for _, p := range s.profiles {
			p.Organization, p.CreateOrganizations = "", false
		}
	})
	both := []any{"acme", "other"}
	a := w.organization(claims.Object{"organization_name": "A", "profiles": both})
	b := w.organization(claims.Object{"organization_name": "B", "profiles": both})
	as := func(org, profile, sub, email string, more claims.Object) claims.Object {
		return w.attest(profile, with(more, claims.Object{
			"organization_id": org, "token": w.token(profile, claims.Object{"sub": sub, "email": email}),
		}))
	}
	x := as(b, "acme", "q-1", "x@example.com", nil)["member_id"]
	y := as(b, "other", "p-1", "y@example.com", nil)["member_id"]
	s := as(a, "acme", "q-1", "e@example.com", nil)
	as(a, "other", "p-1", "e@example.com", named(s))
	answer := w.ok("POST", exchangePath, with(named(s), claims.Object{"organization_id": b}))
	resp, up := w.through(route, bearer(answer["session_token"].(string)))
	if resp.StatusCode == http.StatusNoContent && up.claims["sub"] != y {
		t.Errorf("a route of profile other admits %v (acme's is %v), and other knows its subject in B as %v", up.claims["sub"], x, y)
	}
}

// A hooked store is slow once in handing over a member that it has read.
type hooked struct {
	store.Store
	once func()
}

func (h *hooked) Get(ctx context.Context, partition string, keys ...string) ([]store.Record, error) {
	records, err := h.Store.Get(ctx, partition, keys...)
	if f := h.once; f != nil && strings.HasPrefix(keys[0], "m:") {
		h.once = nil
		f()
	}
	return records, err
}

func hookedWorld(t *testing.T, list ...*proxy.Route) (*world, *hooked) {
	h := &hooked{}
	w := newWorld(t, routes(list...), func(s *setup) {
		m := memory.New(s.clock.Now)
		h.Store = m
		s.store = &faulty{Store: h, Watcher: m}
	})
	return w, h
}

// A member is revoked, and confirmed to be, while a token of theirs is on its way
// from Resolve to its session: that session begins after the revocation and stays.
func TestAttackRevokeMemberRacesFirstUse(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w, h := hookedWorld(t, route)
	member := w.attest("acme", nil)["member_id"]
	token := w.token("acme", claims.Object{"jti": "stolen"})
	h.once = func() {
		w.clock.Advance(time.Second)
		w.ok("POST", revokePath, claims.Object{"member_id": member})
		w.clock.Advance(time.Second)
	}
	w.through(route, bearer(token))
	w.clock.Advance(time.Minute)
	if resp, _ := w.through(route, bearer(token)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token issued before the revocation: %d a minute after it", resp.StatusCode)
	}
}

// The same at the session API: an ordinary session, of up to 30 days.
func TestAttackRevokeMemberRacesAttest(t *testing.T) {
	w, h := hookedWorld(t)
	member := w.attest("acme", nil)["member_id"]
	token := w.token("acme", claims.Object{"jti": "stolen"})
	h.once = func() {
		w.clock.Advance(time.Second)
		w.ok("POST", revokePath, claims.Object{"member_id": member})
		w.clock.Advance(time.Second)
	}
	status, s := w.call("POST", attestPath, claims.Object{"profile_id": "acme", "token": token})
	if status != http.StatusOK {
		return
	}
	w.clock.Advance(time.Minute)
	if status, _ := w.call("POST", authenticatePath, named(s)); status == http.StatusOK {
		t.Errorf("a session by a token issued before the revocation: %d a minute after it", status)
	}
}

// What is injected before the cookie's session fails to start is not taken out.
func TestAttackRefusedRequestKeepsInjectedJWT(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, SetCookie: true}}
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	w.through(route, bearer(token))
	w.through(route, bearer(token)) // now the session is in the cache
	w.store.set(context.DeadlineExceeded)
	r := bearer(token)
	r.Header.Set("Sec-Fetch-Mode", "cors")
	if _, err := w.gateway.Proxy.Admit(r, route); err == nil {
		t.Fatal("admitted")
	}
	if r.Header.Get("Authorization") != "" {
		t.Error("a refused request goes to the error routes with the injected JWT in it")
	}
}

// One token and a header that says browser: a session in the store per request.
func TestAttackCookieSessionPerRequest(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}, SetCookie: true}}
	w := newWorld(t, routes(route))
	token := w.token("acme", nil)
	w.through(route, bearer(token))
	before := w.store.writes()
	for range 100 {
		w.through(route, get("Authorization", "Bearer "+token, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "cross-site"))
	}
	if n := w.store.writes() - before; n > 10 {
		t.Errorf("100 requests of one token by a cross-origin page wrote %d sessions", n)
	}
}

// A key that is retired already is denied: JWTs it signed are still accepted from
// the cache, until they say they end.
func TestAttackDeniedRetiredKeyStaysCached(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := newWorld(t, routes(route))
	w.clock.Advance(mint.PublishAhead + time.Minute)
	jwt := w.attest("acme", nil)["session_jwt"].(string)
	old := w.ring.ActiveID()
	w.must(w.ring.Rotate(t.Context(), mint.RotateOptions{}))
	w.through(route, bearer(jwt))
	w.must(w.ring.Rotate(t.Context(), mint.RotateOptions{Emergency: true, KeyID: old}))
	if resp, _ := w.through(route, bearer(jwt)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("a JWT of a denied key: %d", resp.StatusCode)
	}
}

// Another origin by scheme is another origin.
func TestAttackOriginOfAnotherScheme(t *testing.T) {
	route := &proxy.Route{Route: authn.Route{Profiles: []string{"acme"}}}
	w := newWorld(t, routes(route))
	r := get("Cookie", "__Host-session="+w.attest("acme", nil)["session_token"].(string), "Origin", "http://app.test")
	r.Method = http.MethodPost
	if resp, _ := w.through(route, r); resp.StatusCode != http.StatusForbidden {
		t.Errorf("POST to https from a page of http: %d", resp.StatusCode)
	}
}

// A tab is as good as a space to many an upstream (Python's split, for one), and
// to attest it is no Bearer: behind off a JWT of ours passes.
func TestAttackBearerWithTabPassesOff(t *testing.T) {
	route := &proxy.Route{Off: true}
	w := newWorld(t, routes(route))
	jwt := w.attest("acme", nil)["session_jwt"].(string)
	if _, up := w.through(route, get("Authorization", "Bearer\t"+jwt)); up.header.Get("Authorization") != "" {
		t.Error("a JWT of ours reaches the upstream behind off")
	}
}

// A deleted member's address is given to somebody new: the tombstone loses its
// external ids too, and who was deleted signs in again, as the new one.
func TestAttackTombstoneYieldsExternalID(t *testing.T) {
	w := newWorld(t)
	eve := claims.Object{"sub": "eve", "email": "desk@example.com"}
	old := w.attest("acme", claims.Object{"token": w.token("acme", eve)})
	org := at(old, "organization.organization_id").(string)
	w.ok("DELETE", orgsPath+"/"+org+"/members/"+old["member_id"].(string), nil)
	w.clock.Advance(time.Minute)
	in := claims.Object{"profile_id": "acme", "token": w.token("acme", eve)}
	if status, _ := w.call("POST", attestPath, in); status == http.StatusOK {
		t.Fatal("a tombstone is revived at once")
	}
	bob := w.member(org, claims.Object{"email_address": "desk@example.com"})
	for _, email := range []any{nil, "desk@example.com"} {
		w.clock.Advance(time.Minute)
		in["token"] = w.token("acme", claims.Object{"sub": "eve", "email": email})
		if status, s := w.call("POST", attestPath, in); status == http.StatusOK {
			t.Errorf("deleted eve is %v; bob is %s", s["member_id"], bob)
		}
	}
}

func TestAttackTombstoneYieldsExternalIDTakesOver(t *testing.T) {
	w := newWorld(t)
	eve := claims.Object{"sub": "eve", "email": "desk@example.com"}
	old := w.attest("acme", claims.Object{"token": w.token("acme", eve)})
	org := at(old, "organization.organization_id").(string)
	w.ok("DELETE", orgsPath+"/"+org+"/members/"+old["member_id"].(string), nil)
	bob := w.member(org, claims.Object{"email_address": "desk@example.com"})
	w.clock.Advance(time.Minute)
	status, s := w.call("POST", attestPath, claims.Object{"profile_id": "acme", "token": w.token("acme", eve)})
	if status == http.StatusOK && s["member_id"] == bob {
		t.Errorf("deleted eve is bob")
	}
}

// An older token, shown late, brings roles that a newer one had already denied:
// a token that changes nothing leaves no stamp.
func TestAttackOlderTokenBringsRoles(t *testing.T) {
	w := newWorld(t)

	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"roles": []any{}})})
	w.clock.Advance(10 * time.Second)
	older := w.token("acme", claims.Object{"roles": []any{"editor"}, "jti": "older"})
	w.clock.Advance(10 * time.Second)
	w.attest("acme", claims.Object{"token": w.token("acme", claims.Object{"roles": []any{}, "jti": "newer"})})
	s := w.attest("acme", claims.Object{"token": older})
	is(t, s, "member_session.roles", "[]")
}

// Exchange into the very organization the session is of begins its absolute end
// anew, without any proof.
func TestAttackExchangeOutlivesMaxDuration(t *testing.T) {
	w := newWorld(t)
	s := w.attest("acme", claims.Object{"session_duration_minutes": 43200})
	org := at(s, "organization.organization_id")
	w.clock.Advance(29 * 24 * time.Hour)
	s = w.ok("POST", exchangePath, with(named(s), claims.Object{"organization_id": org, "session_duration_minutes": 43200}))
	w.clock.Advance(29 * 24 * time.Hour)
	if status, _ := w.call("POST", authenticatePath, named(s)); status == http.StatusOK {
		t.Error("58 days after the only proof, with max_duration 30d, the session lives")
	}
}

// An issuer whose path is no pattern of ServeMux panics when the API is made, in
// Caddy at the first request.
func TestAttackIssuerPathIsNoPattern(t *testing.T) {
	defer func() {
		if p := recover(); p != nil {
			t.Error(p)
		}
	}()
	newWorld(t, func(s *setup) { s.gateway.Core.Issuer = "https://gateway.test/%7Ba" })
}

// A profile is revoked while a token of it is on its way to become a factor: the
// factor must not count as one that was shown after the revocation.
func TestAttackProfileCutRacesAttach(t *testing.T) {
	w, h := hookedWorld(t)
	first := w.attest("acme", nil)
	w.clock.Advance(2 * time.Second)
	token := w.token("acme", claims.Object{"jti": "stolen"})
	h.once = func() {
		w.clock.Advance(time.Second)
		w.must(w.gateway.Core.RevokeProfile(t.Context(), "acme", w.clock.Now()))
		w.clock.Advance(time.Second)
	}
	status, _ := w.call("POST", attestPath, with(named(first), claims.Object{"profile_id": "acme", "token": token}))
	if status == http.StatusOK {
		t.Error("a factor by a token from before the revocation was attached after it")
	}
	if status, _ := w.call("POST", authenticatePath, named(first)); status == http.StatusOK {
		t.Error("and it counts")
	}
}
