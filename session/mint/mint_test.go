package mint_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/session/mint"
)

// object is what this JSON text says.
func object(t testing.TB, text string) map[string]any {
	t.Helper()
	o, err := strictjson.Object([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// stamp is a time as our JSON writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func wantPayload(t testing.TB, text, want string) {
	t.Helper()
	_, got := read(t, text)
	if want := object(t, want); !reflect.DeepEqual(got, want) {
		t.Errorf("claims are\n%v, want\n%v", got, want)
	}
}

func TestShapeOfOurs(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	req := f.request()
	jwt := f.mint(m, req)
	now := f.clock.Now()
	header, _ := read(t, jwt.Text)
	if want := object(t, `{"alg":"ES256","typ":"JWT","kid":"`+r.ActiveID()+`"}`); !reflect.DeepEqual(header, want) {
		t.Errorf("header is %v", header)
	}
	wantPayload(t, jwt.Text, fmt.Sprintf(`{
		"iss":"https://gw.example.com","sub":"member-1","aud":["project-1"],"iat":%d,"nbf":%d,"exp":%d,
		"session":{"id":%q,"started_at":%q,"last_accessed_at":%q,"expires_at":%q,"roles":["editor"],
			"authentication_factors":[{"type":"trusted_auth_token","profile":"github","issuer":"https://issuer.example","token_id":"t1","proved_at":%q}]},
		"organization":{"organization_id":"organization-1","slug":"acme"},
		"plan":"pro"}`,
		now.Unix(), now.Unix()-10, now.Unix()+300,
		sid, stamp(req.Session.StartedAt), stamp(req.Session.LastAccessedAt), stamp(req.Session.ExpiresAt), stamp(req.Factors[0].ProvedAt)))
	if jwt.KeyID != r.ActiveID() || jwt.IssuedAt.Unix() != now.Unix() || jwt.ExpiresAt.Unix() != now.Unix()+300 {
		t.Errorf("told as %v", jwt)
	}
	if !verifiesWith(t, r.JWKS(), jwt.Text) {
		t.Error("it does not verify with the JWKS")
	}
}

func TestShapeOfStytch(t *testing.T) {
	f := newFleet(t)
	r := f.rsa()
	m := f.minter(r, mint.Config{Issuer: "stytch.com/" + project, Compat: true, Backdate: 20 * time.Second})
	req := f.request()
	req.Factors = append(req.Factors, session.Factor{Profile: "passkey", Type: "webauthn", TokenID: "t2", CreatedAt: f.clock.Now(), UpdatedAt: f.clock.Now()})
	jwt := f.mint(m, req)
	now := f.clock.Now()
	header, _ := read(t, jwt.Text)
	if want := object(t, `{"alg":"RS256","typ":"JWT","kid":"`+r.ActiveID()+`"}`); !reflect.DeepEqual(header, want) {
		t.Errorf("header is %v", header)
	}
	hour, minute, second := stamp(now.Add(-time.Hour)), stamp(now.Add(-time.Minute)), stamp(now)
	wantPayload(t, jwt.Text, fmt.Sprintf(`{
		"iss":"stytch.com/project-1","sub":"member-1","aud":["project-1"],"iat":%d,"nbf":%d,"exp":%d,
		"https://stytch.com/session":{"id":%q,"started_at":%q,"last_accessed_at":%q,"expires_at":%q,
			"attributes":{"user_agent":"","ip_address":""},"roles":["editor"],
			"authentication_factors":[
				{"type":"trusted_auth_token","delivery_method":"trusted_token_exchange","created_at":%q,"updated_at":%q,
					"last_authenticated_at":%q,"sequence_order":"PRIMARY","trusted_auth_token_factor":{"token_id":"t1"}},
				{"type":"trusted_auth_token","delivery_method":"trusted_token_exchange","created_at":%q,"updated_at":%q,
					"last_authenticated_at":%q,"sequence_order":"SECONDARY","trusted_auth_token_factor":{"token_id":"t2"}}]},
		"https://stytch.com/organization":{"organization_id":"organization-1","slug":"acme"},
		"plan":"pro"}`,
		now.Unix(), now.Unix(), now.Unix()+300,
		sid, hour, minute, stamp(now.Add(time.Hour)),
		hour, minute, stamp(now.Add(-2*time.Hour)),
		second, second, second))
}

// The SDKs want lists, not null, whatever there is.
func TestListsAreNeverNull(t *testing.T) {
	f := newFleet(t)
	ours := f.minter(f.open(mint.RingConfig{}), mint.Config{})
	stytch := f.minter(f.rsa(), mint.Config{Compat: true})
	for name, row := range map[string]struct {
		m     *mint.Minter
		claim string
	}{"ours": {ours, "session"}, "stytch": {stytch, "https://stytch.com/session"}} {
		req := f.request()
		req.Roles, req.Factors, req.Claims, req.OrganizationSlug = nil, nil, nil, ""
		_, payload := read(t, f.mint(row.m, req).Text)
		s := payload[row.claim].(map[string]any)
		for _, member := range []string{"roles", "authentication_factors"} {
			if list, ok := s[member].([]any); !ok || len(list) != 0 {
				t.Errorf("%s: %s is %v", name, member, s[member])
			}
		}
	}
}

func TestFactorsAsTheyAreShown(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	req := f.request()
	req.Factors = []session.Factor{{Profile: "p", TokenID: "t"}, {Profile: "q", Type: "webauthn", TokenID: "u"}}
	_, payload := read(t, f.mint(m, req).Text)
	got := payload["session"].(map[string]any)["authentication_factors"]
	want := object(t, `{"f":[{"type":"trusted_auth_token","profile":"p","issuer":"","token_id":"t"},{"type":"webauthn","profile":"q","issuer":"","token_id":"u"}]}`)["f"]
	if !reflect.DeepEqual(got, want) {
		t.Errorf("factors are %v", got)
	}
}

func TestTimestampsAreUTCSeconds(t *testing.T) {
	zone := time.FixedZone("east", 5*3600+1800)
	f := newFleet(t)
	m, _ := f.node()
	req := f.request()
	req.Session.StartedAt = time.Date(2026, 1, 2, 8, 34, 5, 999_999_999, zone)
	_, payload := read(t, f.mint(m, req).Text)
	if got := payload["session"].(map[string]any)["started_at"]; got != "2026-01-02T03:04:05Z" {
		t.Errorf("written as %v", got)
	}
}

func TestAudience(t *testing.T) {
	f := newFleet(t)
	ours, _ := f.node()
	stytch := f.minter(f.rsa(), mint.Config{Compat: true})
	for _, row := range []struct {
		name string
		m    *mint.Minter
		api  bool
		aud  []string
		want string
	}{
		{"injected, of the issuer", ours, false, nil, `[https://gw.example.com]`},
		{"injected, of the route", ours, false, []string{"api", "web"}, `[api web]`},
		{"for the API", ours, true, nil, `[project-1]`},
		{"for the API, named", ours, true, []string{"project-1"}, `[project-1]`},
		{"for the API, and more", ours, true, []string{"api"}, `[project-1 api]`},
		{"compat, injected", stytch, false, nil, `[project-1]`},
		{"compat, of the route", stytch, false, []string{"hasura"}, `[project-1 hasura]`},
		{"compat, for the API", stytch, true, []string{"project-1", "x"}, `[project-1 x]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := f.request()
			req.API, req.Audience = row.api, row.aud
			_, payload := read(t, f.mint(row.m, req).Text)
			if got := fmt.Sprint(payload["aud"]); got != row.want {
				t.Errorf("aud is %s, want %s", got, row.want)
			}
		})
	}
}

// A JWT never outlives its session, nor the bound that retired keys are kept for.
func TestLifetime(t *testing.T) {
	f := newFleet(t)
	f.clock.Advance(f.clock.Now().Truncate(time.Second).Add(time.Second + 700*time.Millisecond).Sub(f.clock.Now()))
	m, _ := f.node()
	now := f.clock.Now() // at .7 of a second
	iat := now.Truncate(time.Second)
	for _, row := range []struct {
		name   string
		change func(*mint.Request)
		want   time.Duration // from iat
		refuse string
	}{
		{name: "as asked", change: func(*mint.Request) {}, want: 5 * time.Minute},
		{name: "the session ends sooner", change: func(r *mint.Request) { r.Session.ExpiresAt = now.Add(90*time.Second + 400*time.Millisecond) }, want: 91 * time.Second},
		{name: "the session ends in the second that has begun", change: func(r *mint.Request) { r.Session.ExpiresAt = now.Add(200 * time.Millisecond) }, refuse: "expired"},
		{name: "the session has ended", change: func(r *mint.Request) { r.Session.ExpiresAt = now }, refuse: "expired"},
		{name: "the session is revoked", change: func(r *mint.Request) { r.Session.RevokedAt = now }, refuse: "revoked"},
		{name: "the session may be idle sooner", change: func(r *mint.Request) { r.Session.Idle = 2 * time.Minute }, want: 2 * time.Minute},
		{name: "the maximum", change: func(r *mint.Request) { r.Lifetime = mint.DefaultMaxLifetime }, want: time.Hour},
		{name: "above the maximum", change: func(r *mint.Request) { r.Lifetime = mint.DefaultMaxLifetime + 1 }, refuse: "maximum"},
		{name: "nothing", change: func(r *mint.Request) { r.Lifetime = 0 }, refuse: "less than a second"},
		{name: "negative", change: func(r *mint.Request) { r.Lifetime = -time.Hour }, refuse: "less than a second"},
		{name: "less than a second", change: func(r *mint.Request) { r.Lifetime = time.Second - 1 }, refuse: "less than a second"},
		{name: "a second", change: func(r *mint.Request) { r.Lifetime = time.Second }, want: time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := f.request()
			row.change(&req)
			jwt, err := m.Mint(req)
			if row.refuse != "" {
				if err == nil || !strings.Contains(err.Error(), row.refuse) || jwt.Text != "" {
					t.Errorf("error is %v, want %q", err, row.refuse)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, payload := read(t, jwt.Text)
			exp, _ := payload["exp"].(json.Number).Int64()
			if got := time.Unix(exp, 0).Sub(iat); got != row.want || !jwt.ExpiresAt.Equal(time.Unix(exp, 0)) {
				t.Errorf("lives %s, want %s", got, row.want)
			}
			if time.Unix(exp, 0).After(req.Session.ExpiresAt) {
				t.Error("it outlives its session")
			}
		})
	}
}

// T-02: no claim of a caller's can take the place of one of ours, whoever forgot
// to check.
func TestReservedClaimsAreRefused(t *testing.T) {
	f := newFleet(t)
	ours, _ := f.node()
	stytch := f.minter(f.rsa(), mint.Config{Compat: true})
	for _, name := range []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "session", "organization", "amr", "acr", "auth_time", "act",
		"cnf", "azp", "client_id", "scope", "sid", "ſub", "SUB", "Session",
		"https://stytch.com/session", "https://stytch.com/organization", "https://stytch.com/anything",
	} {
		for _, value := range []any{"evil", nil, map[string]any{"id": "evil"}} {
			req := f.request()
			req.Claims = claims.Object{name: value}
			if _, err := ours.Mint(req); err == nil {
				t.Errorf("%s was minted", name)
			}
			reserved := claims.Policy{Compat: true}.Reserved(name)
			if _, err := stytch.Mint(req); reserved == (err == nil) {
				t.Errorf("%s under compat, reserved %t: %v", name, reserved, err)
			}
		}
	}
}

// Whatever the names of the other rooms hold, the payload stays one strict JSON
// object with our members.
func TestNamesAreEscaped(t *testing.T) {
	f := newFleet(t)
	for name, m := range map[string]*mint.Minter{
		"ours": f.minter(f.open(mint.RingConfig{}), mint.Config{}), "stytch": f.minter(f.rsa(), mint.Config{Compat: true}),
	} {
		evil := "x\",\"exp\":9999999999,\"y\":\"\u2028\\"
		req := f.request()
		req.MemberID, req.OrganizationID, req.OrganizationSlug = evil, evil, evil
		req.Session.MemberID, req.Session.OrganizationID, req.Session.ID = evil, evil, evil
		req.Roles, req.Audience = []string{evil}, []string{evil}
		req.Factors[0] = session.Factor{Profile: evil, Type: evil, TokenID: evil, Issuer: evil}
		header, payload := read(t, f.mint(m, req).Text)
		if payload["sub"] != evil || header["typ"] != "JWT" || len(payload) != 9 {
			t.Errorf("%s: claims are %v", name, payload)
		}
		req.Roles = []string{"\xff"}
		if _, err := m.Mint(req); err == nil {
			t.Errorf("%s: a role that is not UTF-8 was minted", name)
		}
	}
}

// T-01, T-02: values are data, to the last digit.
func TestClaimsArriveAsTheyAre(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	text := `{"https://hasura.io/jwt/claims":{"x-hasura-user-id":"1"},"a":12345678901234567890.10,"b":1e400,"c":"{env.SECRET} {{ x }} <&> \u2028","d":[null,{}],"e":{}}`
	req := f.request()
	req.Claims = object(t, text)
	_, payload := read(t, f.mint(m, req).Text)
	for name, want := range object(t, text) {
		if !reflect.DeepEqual(payload[name], want) {
			t.Errorf("%s is %v, want %v", name, payload[name], want)
		}
	}
}

func TestMintRefuses(t *testing.T) {
	f := newFleet(t)
	m, r := f.node()
	noProject, err := mint.New(mint.Config{Ring: r, Issuer: issuer, Now: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		m      *mint.Minter
		change func(*mint.Request)
		want   string
	}{
		"another's member":         {m, func(r *mint.Request) { r.MemberID = "member-2" }, "not the session's"},
		"another organization":     {m, func(r *mint.Request) { r.OrganizationID = "organization-2" }, "not the session's"},
		"nobody":                   {m, func(r *mint.Request) { r.MemberID, r.Session.MemberID = "", "" }, "missing"},
		"injected credential":      {m, func(r *mint.Request) { r.API, r.Audience = false, []string{"api", project} }, "injected"},
		"API without a project":    {noProject, func(*mint.Request) {}, "project id"},
		"claims beyond a header":   {m, func(r *mint.Request) { r.Claims = claims.Object{"x": strings.Repeat("a", jose.MaxTokenBytes)} }, "bytes"},
		"claims that are not JSON": {m, func(r *mint.Request) { r.Claims = claims.Object{"x": func() {}} }, "claims"},
	} {
		t.Run(name, func(t *testing.T) {
			req := f.request()
			row.change(&req)
			if jwt, err := row.m.Mint(req); err == nil || !strings.Contains(err.Error(), row.want) || jwt.Text != "" {
				t.Errorf("error is %v, want %q", err, row.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	f := newFleet(t)
	r := f.open(mint.RingConfig{})
	for name, row := range map[string]struct {
		config mint.Config
		want   string
	}{
		"no ring":                   {mint.Config{Issuer: issuer}, "no ring"},
		"no issuer":                 {mint.Config{Ring: r}, "issuer"},
		"a trailing slash":          {mint.Config{Ring: r, Issuer: issuer + "/"}, "slash"},
		"the project as the issuer": {mint.Config{Ring: r, Issuer: project, ProjectID: project}, "project id too"},
		"a negative backdate":       {mint.Config{Ring: r, Issuer: issuer, Backdate: -1}, "backdate"},
		"compat without a project":  {mint.Config{Ring: r, Issuer: issuer, Compat: true}, "project: is needed"},
		"compat without RS256":      {mint.Config{Ring: r, Issuer: issuer, ProjectID: project, Compat: true}, "RS256"},
	} {
		if _, err := mint.New(row.config); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
}

func TestBackdateAsConfigured(t *testing.T) {
	f := newFleet(t)
	m := f.minter(f.open(mint.RingConfig{}), mint.Config{Backdate: 30 * time.Second})
	_, payload := read(t, f.mint(m, f.request()).Text)
	iat, _ := payload["iat"].(json.Number).Int64()
	nbf, _ := payload["nbf"].(json.Number).Int64()
	if iat-nbf != 30 {
		t.Errorf("nbf is %d s before iat", iat-nbf)
	}
}

func TestJWTIsNotPrinted(t *testing.T) {
	f := newFleet(t)
	m, _ := f.node()
	jwt := f.mint(m, f.request())
	type inside struct{ J mint.JWT }
	for _, v := range []any{jwt, &jwt, inside{jwt}, []mint.JWT{jwt}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, "eyJ") || strings.Contains(text, fmt.Sprintf("%x", "eyJ")) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
		data, err := json.Marshal(v)
		if err != nil || strings.Contains(string(data), "eyJ") {
			t.Errorf("encoded as %s, %v", data, err)
		}
	}
}
