package e2e_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Two profiles trust one login: tokens of tenants say where they belong, those of
// legacy are of whatever organization the caller names.
const stytchDialect = `{
	admin off
	persist_config off
	default_bind 127.0.0.1
	attest {
		OPTION
		project PROJECT {
			secret API_SECRET
		}
		compat stytch {
			consumer_organization shop
		}
		store bolt
		resource documents read write delete
		resource invoices read
		role reader {
			allow documents read
		}
		role editor {
			allow documents read write
		}
		role clerk {
			allow invoices *
		}
		organization shop {
			profiles legacy
		}
		profile tenants {
			issuer ` + loginIssuer + `
			audience ` + loginAudience + `
			public_key_file KEY
			map roles assignments
			roles reader editor clerk
			email_domains example.com
			namespace api
			organization {claims.tenant}
			create members organizations
		}
		profile legacy {
			issuer ` + loginIssuer + `
			audience ` + loginAudience + `
			public_key_file KEY
			map roles assignments
			roles reader editor
			email_domains example.com
			namespace api
			create members
		}
	}
}
:PORT {
	attest_api
}
`

// A dialect is a gateway that speaks it, a counter in front, the SDK that goes
// through the counter, and the login.
type dialect struct {
	*sdk
	gateway *gateway
	counter *counter
	key     rsaKey
}

// startDialect starts all of it, with an option more in the gateway's block.
func startDialect(t *testing.T, client, option string) *dialect {
	t.Helper()
	needNode(t)
	key := newRSAKey(t)
	g := startGateway(t, stytchDialect, "KEY", key.public, "OPTION", option)
	c := newCounter(t, g)
	return &dialect{startSDK(t, client, c.URL, apiSecret), g, c, key}
}

func startB2B(t *testing.T) *dialect { t.Helper(); return startDialect(t, "B2BClient", "") }

// token is a token of Ada's for a tenant, with the roles.
func (d *dialect) token(t *testing.T, tenant string, roles ...string) string {
	t.Helper()
	return d.key.sign(t, loginIssuer, loginAudience, map[string]any{
		"sub": "user-7", "email": "ada@example.com", "email_verified": true, "jti": tokenID(1), "tenant": tenant, "assignments": roles,
	})
}

// attested is a session of Ada's in a tenant.
func (d *dialect) attested(t *testing.T, tenant string, roles ...string) map[string]any {
	t.Helper()
	return d.call(t, "sessions.attest", map[string]any{"profile_id": "tenants", "token": d.token(t, tenant, roles...)})
}

func isNumber(v any, digits string) bool { return v == json.Number(digits) }

// text is the string at a path, which must not be empty.
func text(t *testing.T, v any, path ...string) string {
	t.Helper()
	s, _ := at(v, path...).(string)
	if s == "" {
		t.Fatalf("no text at %v of %v", path, v)
	}
	return s
}

// same looks at paths of two answers, which must hold the same, and something.
func same(t *testing.T, a, b map[string]any, paths ...[]string) {
	t.Helper()
	for _, path := range paths {
		if before, after := at(a, path...), at(b, path...); before == nil || before != after {
			t.Errorf("%v: %v, then %v", path, before, after)
		}
	}
}

func TestStytchAttestMakesOrganizationMemberAndSession(t *testing.T) {
	d := startB2B(t)
	token := d.token(t, "acme", "editor", "owner")
	made := d.call(t, "sessions.attest", map[string]any{
		"profile_id": "tenants", "token": token, "session_duration_minutes": 30, "session_custom_claims": map[string]any{"plan": "pro"},
	})
	if !isNumber(made["status_code"], "200") || text(t, made, "request_id") == "" {
		t.Errorf("status %v, request %v", made["status_code"], made["request_id"])
	}
	member, organization := text(t, made, "member_id"), text(t, made, "organization", "organization_id")
	for _, c := range []struct {
		path []string
		want any
	}{
		{[]string{"member", "member_id"}, member},
		{[]string{"member", "email_address"}, "ada@example.com"},
		{[]string{"member", "status"}, "active"},
		{[]string{"organization", "organization_external_id"}, "acme"},
		{[]string{"member_session", "organization_id"}, organization},
		{[]string{"member_session", "organization_slug"}, text(t, made, "organization", "organization_slug")},
		{[]string{"member_session", "roles"}, []any{"editor", "stytch_member"}},
		{[]string{"member_session", "custom_claims"}, map[string]any{"plan": "pro"}},
	} {
		if diff := cmp.Diff(c.want, at(made, c.path...)); diff != "" {
			t.Errorf("%v: %s", c.path, diff)
		}
	}
	wantLifetime(t, made, 30*time.Minute)
	wantFactor(t, made, tokenID(1))
	wantUnion(t, made)
	again := d.call(t, "sessions.attest", map[string]any{"profile_id": "tenants", "token": token})
	same(t, made, again, []string{"member_id"}, []string{"organization", "organization_id"})
	if text(t, again, "session_token") == made["session_token"] || at(again, "member_session", "member_session_id") == at(made, "member_session", "member_session_id") {
		t.Error("the second attest answered the session of the first")
	}
	wantLifetime(t, again, time.Hour)
}

func wantLifetime(t *testing.T, made map[string]any, want time.Duration) {
	t.Helper()
	started, expires := instant(t, made, "started_at"), instant(t, made, "expires_at")
	if got := expires.Sub(started); got != want {
		t.Errorf("the session lives %v, want %v", got, want)
	}
}

func instant(t *testing.T, made map[string]any, name string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text(t, made, "member_session", name))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// wantFactor looks for the one factor, with Stytch's words for it.
func wantFactor(t *testing.T, made map[string]any, id string) {
	t.Helper()
	list, _ := at(made, "member_session", "authentication_factors").([]any)
	if len(list) != 1 {
		t.Fatalf("factors %v", list)
	}
	if at(list[0], "type") != "trusted_auth_token" || at(list[0], "delivery_method") != "trusted_token_exchange" {
		t.Errorf("the factor is %v", list[0])
	}
	if diff := cmp.Diff(map[string]any{"token_id": id}, at(list[0], "trusted_auth_token_factor")); diff != "" {
		t.Error(diff)
	}
}

// wantUnion looks at the JWT: what all of Stytch's SDKs take, and nothing else but
// custom claims.
func wantUnion(t *testing.T, made map[string]any) {
	t.Helper()
	jwt := text(t, made, "session_jwt")
	header, claims := part(t, jwt, 0), part(t, jwt, 1)
	if header["alg"] != "RS256" || header["typ"] != "JWT" || text(t, header, "kid") == "" {
		t.Errorf("header %v", header)
	}
	if claims["iss"] != "stytch.com/"+project || claims["sub"] != made["member_id"] {
		t.Errorf("iss %v, sub %v", claims["iss"], claims["sub"])
	}
	if diff := cmp.Diff([]any{project}, claims["aud"]); diff != "" {
		t.Error(diff)
	}
	names := []string{}
	for name := range claims {
		names = append(names, name)
	}
	slices.Sort(names)
	want := []string{"aud", "exp", "https://stytch.com/organization", "https://stytch.com/session", "iat", "iss", "nbf", "plan", "sub"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestStytchAttestAddsAFactorToTheSessionShown(t *testing.T) {
	d := startB2B(t)
	first := d.attested(t, "acme", "editor")
	other := d.key.sign(t, loginIssuer, loginAudience, map[string]any{
		"sub": "user-7", "email": "ada@example.com", "email_verified": true, "jti": tokenID(2), "tenant": "acme",
	})
	for _, by := range []string{"session_token", "session_jwt"} {
		second := d.call(t, "sessions.attest", map[string]any{"profile_id": "tenants", "token": other, by: first[by]})
		same(t, first, second, []string{"session_token"}, []string{"member_session", "member_session_id"}, []string{"member_session", "started_at"})
		got := tokenIDs(second)
		slices.Sort(got)
		if want := []string{tokenID(1), tokenID(2)}; !slices.Equal(got, want) {
			t.Errorf("by %s: factors %q, want %q", by, got, want)
		}
	}
	bob := d.key.sign(t, loginIssuer, loginAudience, map[string]any{"sub": "user-8", "jti": tokenID(3), "tenant": "acme"})
	d.refused(t, "400", "member_session_member_id_mismatch", "sessions.attest", map[string]any{
		"profile_id": "tenants", "token": bob, "session_token": first["session_token"],
	})
	if after := d.call(t, "sessions.authenticate", map[string]any{"session_token": first["session_token"]}); len(tokenIDs(after)) != 2 {
		t.Errorf("after a refused factor there are %q", tokenIDs(after))
	}
}

func TestStytchAuthenticate(t *testing.T) {
	d := startB2B(t)
	made := d.attested(t, "acme", "editor")
	for _, by := range []string{"session_token", "session_jwt"} {
		t.Run(by, func(t *testing.T) {
			got := d.call(t, "sessions.authenticate", map[string]any{by: made[by], "session_duration_minutes": 90})
			same(t, made, got, []string{"session_token"}, []string{"member", "member_id"},
				[]string{"organization", "organization_id"}, []string{"member_session", "member_session_id"})
			if left := time.Until(instant(t, got, "expires_at")); left < 89*time.Minute || left > 91*time.Minute {
				t.Errorf("the session ends in %v, want 90m", left)
			}
			if claims := part(t, text(t, got, "session_jwt"), 1); claims["sub"] != made["member_id"] {
				t.Errorf("sub %v", claims["sub"])
			}
		})
	}
	d.refused(t, "400", "too_many_session_arguments", "sessions.authenticate", map[string]any{
		"session_token": made["session_token"], "session_jwt": made["session_jwt"],
	})
}

const (
	postAuthenticate = "POST /v1/b2b/sessions/authenticate"
	fetchKeys        = "GET /v1/b2b/sessions/jwks/" + project + " without credentials"
)

// Local verification is the point of a session JWT: while it is fresh, nobody but
// the client is asked.
func TestStytchAuthenticateJWTLocally(t *testing.T) {
	d := startB2B(t)
	made := d.attested(t, "acme", "editor")
	made = d.call(t, "sessions.authenticate", map[string]any{
		"session_token": made["session_token"], "session_custom_claims": map[string]any{"plan": "pro"},
	})
	d.counter.take()
	jwt := map[string]any{"session_jwt": made["session_jwt"]}
	for i, want := range [][]string{{fetchKeys}, nil, nil} {
		got := d.call(t, "sessions.authenticateJwt", jwt)
		wantRequests(t, d, fmt.Sprintf("call %d", i), want...)
		same(t, made, got, []string{"session_jwt"}, []string{"member_session", "member_session_id"}, []string{"member_session", "member_id"},
			[]string{"member_session", "organization_id"}, []string{"member_session", "organization_slug"}, []string{"member_session", "started_at"})
		for _, name := range []string{"roles", "custom_claims"} {
			if diff := cmp.Diff(at(made, "member_session", name), at(got, "member_session", name)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		wantFactor(t, got, tokenID(1))
	}
	later := time.Now().Add(6 * time.Minute).UTC().Format(time.RFC3339)
	got := d.call(t, "sessions.authenticateJwt", map[string]any{"session_jwt": made["session_jwt"], "current_date": later})
	wantRequests(t, d, "expired", postAuthenticate)
	same(t, made, got, []string{"session_token"}, []string{"member", "member_id"})
	d.call(t, "sessions.authenticateJwt", map[string]any{"session_jwt": made["session_jwt"], "max_token_age_seconds": 0})
	wantRequests(t, d, "no age allowed", postAuthenticate)
}

func wantRequests(t *testing.T, d *dialect, when string, want ...string) {
	t.Helper()
	got := d.counter.take()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: the gateway was asked %q, want %q", when, got, want)
	}
}

// A JWT that has expired is renewed by the gateway for as long as its session is
// live.
func TestStytchAuthenticateJWTAfterItsExpiry(t *testing.T) {
	d := startDialect(t, "B2BClient", "session {\n jwt_lifetime 1s\n }")
	made := d.attested(t, "acme", "editor")
	jwt := text(t, made, "session_jwt")
	seconds, err := part(t, jwt, 1)["exp"].(json.Number).Int64()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(time.Unix(seconds, 0))) // the processes have no other clock
	d.counter.take()
	got := d.call(t, "sessions.authenticateJwt", map[string]any{"session_jwt": jwt})
	wantRequests(t, d, "expired", fetchKeys, postAuthenticate)
	same(t, made, got, []string{"session_token"}, []string{"member_session", "member_session_id"})
	if text(t, got, "session_jwt") == jwt {
		t.Error("the expired JWT came back")
	}
	d.call(t, "sessions.revoke", map[string]any{"session_token": made["session_token"]})
	d.refused(t, "404", "session_not_found", "sessions.authenticateJwt", map[string]any{"session_jwt": jwt})
}

// The SDKs also take their base URL for the issuer.
func TestStytchIssuerIsTheBaseURL(t *testing.T) {
	needNode(t)
	key, port := newRSAKey(t), freePort(t)
	g := newGatewayAt(t, port, stytchDialect, "KEY", key.public, "OPTION", "issuer http://127.0.0.1:PORT")
	g.start()
	d := &dialect{startSDK(t, "B2BClient", g.url("/"), apiSecret), g, nil, key}
	made := d.attested(t, "acme", "editor")
	if iss := part(t, text(t, made, "session_jwt"), 1)["iss"]; iss != g.url("") {
		t.Fatalf("issuer %v", iss)
	}
	if got := d.call(t, "sessions.authenticateJwtLocal", map[string]any{"session_jwt": made["session_jwt"]}); got["member_id"] != made["member_id"] {
		t.Errorf("local verification says %v", got)
	}
}

func TestStytchGetAndRevoke(t *testing.T) {
	d := startB2B(t)
	for _, by := range []string{"session_token", "session_jwt", "member_session_id", "member_id"} {
		t.Run(by, func(t *testing.T) {
			made := d.attested(t, "acme", "editor")
			who := map[string]any{"organization_id": at(made, "organization", "organization_id"), "member_id": made["member_id"]}
			if got := sessionIDs(d.call(t, "sessions.get", who)); !slices.Equal(got, []any{at(made, "member_session", "member_session_id")}) {
				t.Fatalf("live sessions %v", got)
			}
			names := map[string]any{
				"session_token": made["session_token"], "session_jwt": made["session_jwt"],
				"member_session_id": at(made, "member_session", "member_session_id"), "member_id": made["member_id"],
			}
			if got := d.call(t, "sessions.revoke", map[string]any{by: names[by]}); !isNumber(got["status_code"], "200") {
				t.Errorf("revoke answered %v", got)
			}
			for _, credential := range []string{"session_token", "session_jwt"} {
				d.refused(t, "404", "session_not_found", "sessions.authenticate", map[string]any{credential: made[credential]})
			}
			if got := sessionIDs(d.call(t, "sessions.get", who)); len(got) != 0 {
				t.Errorf("live sessions %v", got)
			}
		})
	}
}

func sessionIDs(answer map[string]any) []any {
	ids := []any{}
	list, _ := answer["member_sessions"].([]any)
	for _, s := range list {
		ids = append(ids, at(s, "member_session_id"))
	}
	return ids
}

func TestStytchGetJWKS(t *testing.T) {
	for client, path := range map[string]string{"B2BClient": "/v1/b2b/sessions/jwks/", "Client": "/v1/sessions/jwks/"} {
		t.Run(client, func(t *testing.T) {
			d := startDialect(t, client, "")
			got := d.call(t, "sessions.getJWKS", map[string]any{"project_id": project})
			wantRequests(t, d, "getJWKS", "GET "+path+project)
			if text(t, got, "request_id") == "" || !isNumber(got["status_code"], "200") {
				t.Errorf("answer %v", got)
			}
			keys, _ := got["keys"].([]any)
			if len(keys) == 0 {
				t.Fatalf("answer %v", got)
			}
			for _, key := range keys {
				wantPublicKey(t, key)
			}
		})
	}
}

// wantPublicKey looks at a key that all of Stytch's SDKs take, and that is public.
func wantPublicKey(t *testing.T, key any) {
	t.Helper()
	want := map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "key_ops": []any{"verify"},
		"kid": text(t, key, "kid"), "n": text(t, key, "n"), "e": text(t, key, "e"),
	}
	if diff := cmp.Diff(want, key); diff != "" {
		t.Error(diff)
	}
}

func TestStytchExchange(t *testing.T) {
	d := startB2B(t)
	from := d.attested(t, "acme", "editor")
	d.call(t, "sessions.authenticate", map[string]any{"session_token": from["session_token"], "session_custom_claims": map[string]any{"cart": "full"}})
	target := d.call(t, "organizations.create", map[string]any{
		"organization_name": "Umbrella", "organization_slug": "umbrella", "profiles": []string{"tenants"},
	})
	into := map[string]any{"session_token": from["session_token"], "organization_id": "umbrella"}
	d.refused(t, "400", "insufficient_factors_for_session_exchange", "sessions.exchange", into)
	member := d.call(t, "organizations.members.create", map[string]any{"organization_id": "umbrella", "email_address": "ada@example.com"})
	got := d.call(t, "sessions.exchange", into)
	if got["member_authenticated"] != true || got["member_id"] != member["member_id"] {
		t.Errorf("exchanged into %v of %v", got["member_id"], got["member_authenticated"])
	}
	same(t, target, got, []string{"organization", "organization_id"})
	if text(t, got, "session_token") == from["session_token"] || at(got, "member_session", "member_session_id") == at(from, "member_session", "member_session_id") {
		t.Error("the session is the one that was shown")
	}
	if diff := cmp.Diff(map[string]any{}, at(got, "member_session", "custom_claims")); diff != "" {
		t.Errorf("claims went along: %s", diff)
	}
	if ids := tokenIDs(got); !slices.Equal(ids, []string{tokenID(1)}) {
		t.Errorf("factors %q", ids)
	}
	d.call(t, "sessions.authenticate", map[string]any{"session_token": from["session_token"]})
	d.call(t, "organizations.create", map[string]any{"organization_name": "Closed", "organization_slug": "closed", "profiles": []string{"legacy"}})
	d.call(t, "organizations.members.create", map[string]any{"organization_id": "closed", "email_address": "ada@example.com"})
	d.refused(t, "400", "insufficient_factors_for_session_exchange", "sessions.exchange", map[string]any{
		"session_token": from["session_token"], "organization_id": "closed",
	})
}

func TestStytchAuthorizationCheckByTheGateway(t *testing.T) {
	d := startB2B(t)
	made := d.attested(t, "acme", "editor", "reader")
	organization := at(made, "organization", "organization_id")
	ask := func(organization any, resource, action string) map[string]any {
		return map[string]any{"session_token": made["session_token"], "authorization_check": map[string]any{
			"organization_id": organization, "resource_id": resource, "action": action,
		}}
	}
	for action, roles := range map[string][]any{"read": {"editor", "reader"}, "write": {"editor"}} {
		got := d.call(t, "sessions.authenticate", ask(organization, "documents", action))
		if diff := cmp.Diff(map[string]any{"authorized": true, "granting_roles": roles}, got["verdict"]); diff != "" {
			t.Errorf("%s: %s", action, diff)
		}
	}
	d.refused(t, "403", "session_authorization_error", "sessions.authenticate", ask(organization, "documents", "delete"))
	d.refused(t, "403", "session_authorization_error", "sessions.authenticate", ask(organization, "invoices", "read"))
	d.refused(t, "403", "session_authorization_tenancy_error", "sessions.authenticate", ask("shop", "documents", "read"))
	if got := d.call(t, "sessions.authenticate", map[string]any{"session_token": made["session_token"]}); got["verdict"] != nil {
		t.Errorf("nobody asked for the verdict %v", got["verdict"])
	}
}

func TestStytchAuthorizationCheckByTheClient(t *testing.T) {
	d := startB2B(t)
	made := d.attested(t, "acme", "editor", "clerk")
	organization := text(t, made, "organization", "organization_id")
	ask := func(organization, resource, action string) map[string]any {
		return map[string]any{"session_jwt": made["session_jwt"], "authorization_check": map[string]any{
			"organization_id": organization, "resource_id": resource, "action": action,
		}}
	}
	d.counter.take()
	d.call(t, "sessions.authenticateJwt", ask(organization, "documents", "write"))
	wantRequests(t, d, "first", "GET /v1/b2b/rbac/organizations/"+organization, "GET /v1/b2b/rbac/policy", fetchKeys)
	d.call(t, "sessions.authenticateJwt", ask(organization, "documents", "read"))
	d.call(t, "sessions.authenticateJwt", ask(organization, "invoices", "read")) // * allows it
	wantRequests(t, d, "known by then")
	d.refused(t, "403", "session_authorization_error", "sessions.authenticateJwt", ask(organization, "documents", "delete"))
	wantRequests(t, d, "denied", postAuthenticate)
	d.refused(t, "403", "session_authorization_tenancy_error", "sessions.authenticateJwt", ask("shop", "documents", "read"))
}

// The launch post of Stytch's trusted auth tokens, with the credentials that it
// leaves out.
func TestStytchLaunchPost(t *testing.T) {
	d := startB2B(t)
	needTool(t, "curl")
	for _, path := range []string{"/b2b/v1/sessions/attest", "/v1/b2b/sessions/attest", "//v1/b2b/sessions/attest"} {
		body := fmt.Sprintf(`{"token_profile_id": "tenants", "token": %q}`, d.token(t, "acme", "editor"))
		out, err := exec.Command("curl", "-sS", "--request", "POST", "--url", d.gateway.url(path),
			"-u", project+":"+apiSecret, "-H", "Content-Type: application/json", "-d", body).Output()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		made := object(t, string(out))
		if !isNumber(made["status_code"], "200") || at(made, "organization", "organization_external_id") != "acme" || text(t, made, "session_jwt") == "" {
			t.Errorf("%s: %s", path, out)
		}
	}
}
