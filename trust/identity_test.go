package trust_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// A home-grown issuer works with no setting but issuer, audience and key.
func TestIdentityByDefault(t *testing.T) {
	w := newWorld(t)
	p := w.profile()
	token := w.Sign(trusttest.Claims{"sub": "u1", "email": "Ada@Example.com", "email_verified": true, "jti": "a+b/c=", "name": "Ada"}, trusttest.NoKeyID())
	got := accept(t, p, token)
	now := w.clock.Now()
	want := &trust.Identity{
		Profile: "acme", Issuer: w.URL, Namespace: "acme", ExternalID: "u1",
		UnverifiedEmail: "Ada@Example.com", EmailVerified: true, TokenID: "a+b/c=",
		IssuedAt: now, ExpiresAt: now.Add(5 * time.Minute), Until: now.Add(6 * time.Minute),
		Digest: got.Digest, KeyThumbprint: w.Key().Public.Thumbprint,
		Factor: trust.Factor{Type: "trusted_auth_token", Proved: "auth_time"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestIdentityOfEveryAttribute(t *testing.T) {
	w := newWorld(t)
	p := w.profile(func(c *trust.Config) {
		c.Map = map[string]string{
			"external_id": "employee.id", "email": "https://app/mail", "token_id": "scan", "name": "n",
			"roles": "cognito:groups", "trusted_metadata.dept": "dept", "trusted_metadata.level": "level", "trusted_metadata.gone": "gone",
		}
		c.Roles = map[string][]string{"ops": {"operator", "viewer"}, "dev": {"viewer"}}
		c.EmailDomains = []string{"Example.com"}
		c.Namespace = "employees"
		c.Organization = "org-{claims.employee.org}"
		c.SessionKey = []string{"shop", "employee.id"}
		c.Factor = trust.Factor{Type: "biometric", SecondOnly: true, ValidFor: time.Minute}
	})
	id := accept(t, p, w.Sign(trusttest.Claims{
		"employee": map[string]any{"id": "e7", "org": json.Number("42")}, "https://app/mail": "Ada@EXAMPLE.com", "scan": "s1", "n": "Ada L.",
		"cognito:groups": []any{"ops", "root", "dev", "root"}, "dept": map[string]any{"id": json.Number("1.50")}, "level": json.Number("3"), "gone": nil,
		"shop": "s.myshopify.com",
	}))
	now := w.clock.Now()
	want := &trust.Identity{
		Profile: "acme", Issuer: w.URL, Namespace: "employees", ExternalID: "e7",
		Email: "ada@example.com", EmailCovered: true, Name: "Ada L.", TokenID: "s1",
		Roles: []string{"operator", "viewer"}, HasRoles: true, DroppedRoles: 2,
		Metadata:     map[string]any{"dept": map[string]any{"id": json.Number("1.50")}, "level": json.Number("3")},
		Organization: trust.OrganizationRef{Value: "org-42"},
		IssuedAt:     now, ProvedAt: now, ExpiresAt: now.Add(5 * time.Minute), Until: now.Add(time.Minute),
		Digest: id.Digest, SessionKey: []string{"s.myshopify.com", "e7"}, KeyThumbprint: w.Key().Public.Thumbprint,
		Factor: trust.Factor{Type: "biometric", SecondOnly: true, ValidFor: time.Minute, Proved: "iat"},
	}
	if diff := cmp.Diff(want, id); diff != "" {
		t.Error(diff)
	}
}

func TestClaimPaths(t *testing.T) {
	for _, c := range []struct {
		name   string
		path   string
		claims trusttest.Claims
		want   string
	}{
		{"exact", "uid", trusttest.Claims{"uid": "x"}, "x"},
		{"nested", "a.b.c", trusttest.Claims{"a": map[string]any{"b": map[string]any{"c": "x"}}}, "x"},
		{"exact name before nested", "a.b", trusttest.Claims{"a.b": "x", "a": map[string]any{"b": "y"}}, "x"},
		{"URL", "https://slack.com/user_id", trusttest.Claims{"https://slack.com/user_id": "x"}, "x"},
		{"colon", "custom:id", trusttest.Claims{"custom:id": "x"}, "x"},
		{"dotted object (Kubernetes)", "kubernetes.io.pod.name", trusttest.Claims{"kubernetes.io": map[string]any{"pod": map[string]any{"name": "x"}}}, "x"},
		{"longest object first", "a.b.c", trusttest.Claims{"a.b": map[string]any{"c": "x"}, "a": map[string]any{"b.c": "y"}}, "x"},
		{"exact null does not give way", "a.b", trusttest.Claims{"a.b": nil, "a": map[string]any{"b": "y"}}, ""},
		{"through an array", "a.0", trusttest.Claims{"a": []any{"x", "y"}}, "x"},
		{"through an array of objects", "a.1.id", trusttest.Claims{"a": []any{"y", map[string]any{"id": "x"}}}, "x"},
		{"beyond an array", "a.1", trusttest.Claims{"a": []any{"y"}}, ""},
		{"an index with a zero", "a.00", trusttest.Claims{"a": []any{"y"}}, ""},
		{"a negative index", "a.-1", trusttest.Claims{"a": []any{"y"}}, ""},
		{"through a string", "a.b", trusttest.Claims{"a": "b"}, ""},
		{"in other case", "UID", trusttest.Claims{"uid": "y"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.profile(maps("external_id", c.path))
			token := w.Sign(c.claims)
			if c.want == "" {
				refuse(t, p, token, trust.CodeExternalIDMissing)
				return
			}
			if got := accept(t, p, token).ExternalID; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The token id falls back to the digest; of an ECDSA token, to that of what was
// signed.
func TestTokenIDByDigest(t *testing.T) {
	w := newWorld(t)
	ecdsa := w.Sign(nil)
	input := ecdsa[:strings.LastIndexByte(ecdsa, '.')]
	if got := accept(t, w.profile(), ecdsa); got.Digest != sha(input) || got.TokenID != hexOf(sha(input)) {
		t.Errorf("digest %x, token id %s", got.Digest, got.TokenID)
	}
	w.Use(sharedRSA(t).WithID("rsa"))
	rsa := w.Sign(nil)
	if got := accept(t, w.profile(), rsa); got.Digest != sha(rsa) || got.TokenID != hexOf(sha(rsa)) {
		t.Errorf("digest %x, token id %s", got.Digest, got.TokenID)
	}
}

func hexOf(sum [32]byte) string { return hex.EncodeToString(sum[:]) }

func TestTypes(t *testing.T) {
	for _, c := range []struct {
		types []string
		typ   any
	}{
		{nil, absent}, {nil, "JWT"}, {nil, "jwt"}, {nil, "at+jwt"}, {nil, "AT+JWT"}, {nil, "application/at+jwt"},
		{[]string{"vc+jwt"}, "application/VC+jwt"}, {[]string{"application/vc+jwt"}, "vc+jwt"}, {[]string{"JWT"}, "jwt"},
	} {
		w := newWorld(t)
		accept(t, w.profile(types(c.types...)), w.Sign(nil, trusttest.With("typ", c.typ)))
	}
}

func TestAudiences(t *testing.T) {
	w := newWorld(t)
	p := w.profile(func(c *trust.Config) { c.Audiences = []string{"web", "mobile"} })
	accept(t, p, w.Sign(trusttest.Claims{"aud": "mobile"}))
	accept(t, p, w.Sign(trusttest.Claims{"aud": []any{"other", "web"}}))
	byClient := w.profile(func(c *trust.Config) { c.AudienceClaim = "client_id" })
	accept(t, byClient, w.Sign(trusttest.Claims{"aud": absent, "client_id": trusttest.Audience}))
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		name   string
		config func(*trust.Config)
		claims trusttest.Claims
		until  time.Duration
		proved any // seconds from the clock, nil for never
	}{
		{"exp within the leeway", nil, trusttest.Claims{"exp": at(-59 * time.Second)}, time.Second, 0},
		{"fraction", nil, trusttest.Claims{"exp": json.Number("1772600767.5")}, time.Minute + 500*time.Millisecond, 0},
		{"exponent", nil, trusttest.Claims{"exp": json.Number("1.7726007670e9")}, time.Minute, 0},
		{"nbf within the leeway", nil, trusttest.Claims{"nbf": at(time.Minute)}, 6 * time.Minute, 0},
		{"iat within the leeway", nil, trusttest.Claims{"iat": at(time.Minute)}, 6 * time.Minute, 60},
		{"no leeway", func(c *trust.Config) { c.Leeway = -1 }, trusttest.Claims{"exp": at(time.Second)}, time.Second, 0},
		{"lifetime of exactly a day", nil, trusttest.Claims{"exp": at(24 * time.Hour)}, 24*time.Hour + time.Minute, 0},
		{"max_token_age is the sooner", maxAge, trusttest.Claims{"iat": at(-59 * time.Second)}, time.Second, -59},
		{"exp is the sooner", maxAge, trusttest.Claims{"exp": at(-10 * time.Second)}, 50 * time.Second, 0},
		{"no iat", nil, trusttest.Claims{"iat": absent}, 6 * time.Minute, nil},
		{"auth_time before iat", nil, trusttest.Claims{"auth_time": at(-time.Hour)}, 6 * time.Minute, -3600},
		{"auth_time never makes it younger", nil, trusttest.Claims{"iat": at(-time.Hour), "auth_time": at(0)}, 6 * time.Minute, -3600},
		{"auth_time without iat", nil, trusttest.Claims{"iat": absent, "auth_time": at(-time.Hour)}, 6 * time.Minute, -3600},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := accept(t, w.profile(provedBy("iat"), orNothing(c.config)), w.Sign(c.claims))
			now := w.clock.Now()
			if got := id.Until.Sub(now); got != c.until {
				t.Errorf("until in %s, want %s", got, c.until)
			}
			if seconds, proved := c.proved.(int); proved != !id.ProvedAt.IsZero() || proved && !id.ProvedAt.Equal(now.Add(time.Duration(seconds)*time.Second)) {
				t.Errorf("proved at %s, want %v", id.ProvedAt, c.proved)
			}
		})
	}
}

func provedBy(claim string) func(*trust.Config) {
	return func(c *trust.Config) { c.Factor.Proved = claim }
}

// A silent refresh is no new proof: iat is one only where the profile says so.
func TestProof(t *testing.T) {
	secondOnly := func(c *trust.Config) { c.Factor.SecondOnly = true }
	for _, c := range []struct {
		name   string
		config func(*trust.Config)
		claims trusttest.Claims
		proved any // seconds from the clock, nil for never
	}{
		{"a refreshed token says nothing", nil, nil, nil},
		{"auth_time", nil, trusttest.Claims{"auth_time": at(-time.Hour)}, -3600},
		{"auth_time never after iat", nil, trusttest.Claims{"iat": at(-time.Hour), "auth_time": at(0)}, -3600},
		{"a second factor is made for its proof", secondOnly, nil, 0},
		{"auth_time of a second factor", secondOnly, trusttest.Claims{"auth_time": at(-time.Minute)}, -60},
		{"proved iat", provedBy("iat"), nil, 0},
		{"proved auth_time of a second factor", func(c *trust.Config) { c.Factor.SecondOnly, c.Factor.Proved = true, "auth_time" }, nil, nil},
		{"fva", provedBy("fva"), trusttest.Claims{"iat": at(-time.Minute), "fva": []any{10, -1}}, -720},
		{"fva of no factor", provedBy("fva"), trusttest.Claims{"fva": []any{-1, 3}}, nil},
		{"fva that is no list", provedBy("fva"), trusttest.Claims{"fva": 10}, nil},
		{"fva without iat", provedBy("fva"), trusttest.Claims{"iat": absent, "fva": []any{10}}, nil},
		{"fva past all times", provedBy("fva"), trusttest.Claims{"fva": []any{json.Number("9223372036854775807")}}, nil},
		{"fva of another issuer", nil, trusttest.Claims{"fva": []any{10}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := accept(t, w.profile(orNothing(c.config)), w.Sign(c.claims))
			if seconds, proved := c.proved.(int); proved != !id.ProvedAt.IsZero() || proved && !id.ProvedAt.Equal(w.clock.Now().Add(time.Duration(seconds)*time.Second)) {
				t.Errorf("proved at %s, want %v", id.ProvedAt, c.proved)
			}
		})
	}
}

// What a revocation is compared with is never the time of receipt.
func TestTokenWithoutIatIsTakenForTheOldestOfItsExpiry(t *testing.T) {
	w := newWorld(t)
	id := accept(t, w.profile(), w.Sign(trusttest.Claims{"iat": absent}))
	if want := id.ExpiresAt.Add(-24 * time.Hour); !id.IssuedAt.Equal(want) {
		t.Errorf("issued at %s, want %s", id.IssuedAt, want)
	}
}

// A token that Verify accepts now is one whose Until has not come.
func TestUntilIsWhenVerifyBeginsToRefuse(t *testing.T) {
	for name, config := range map[string]func(*trust.Config){"exp": orNothing(nil), "max_token_age": maxAge, "valid_for": validFor} {
		w := newWorld(t)
		p := w.profile(config)
		token := w.Sign(nil)
		until := accept(t, p, token).Until
		w.clock.Advance(until.Sub(w.clock.Now()) - time.Nanosecond)
		accept(t, p, token)
		w.clock.Advance(time.Nanosecond)
		if _, err := p.Verify(t.Context(), token); err == nil {
			t.Errorf("%s: still accepted at %s", name, until)
		}
	}
}

func TestEmailCovered(t *testing.T) {
	for _, c := range []struct {
		name, address string
		verified      any
		domains       []string
		want          string
	}{
		{"whole domain", "ada@example.com", absent, []string{"example.com"}, "ada@example.com"},
		{"case", "Ada@Example.COM", absent, []string{"example.com"}, "ada@example.com"},
		{"any domain", "ada@elsewhere.org", absent, []string{"*"}, "ada@elsewhere.org"},
		{"verified", "ada@example.com", true, []string{"example.com"}, "ada@example.com"},
		{"verified as text", "ada@example.com", "true", []string{"example.com"}, "ada@example.com"},
		{"verified null", "ada@example.com", nil, []string{"example.com"}, "ada@example.com"},
		{"plus", "ada+x@example.com", absent, []string{"example.com"}, "ada+x@example.com"},

		{"no domain configured", "ada@example.com", true, nil, ""},
		{"not verified", "ada@example.com", false, []string{"example.com"}, ""},
		{"not verified as text (Cognito)", "ada@example.com", "false", []string{"example.com"}, ""},
		{"verified in a word we do not know", "ada@example.com", "yes", []string{"example.com"}, ""},
		{"verified a number", "ada@example.com", 1, []string{"example.com"}, ""},
		{"subdomain", "ada@x.example.com", true, []string{"example.com"}, ""},
		{"suffix", "ada@badexample.com", true, []string{"example.com"}, ""},
		{"trailing dot", "ada@example.com.", true, []string{"*"}, ""},
		{"CVE-2026-40574 two @", "ada@evil.org@example.com", true, []string{"*"}, ""},
		{"CVE-2026-40574 two @, the other way", "ada@example.com@evil.org", true, []string{"*"}, ""},
		{"quoted local part", `"ada@evil.org"@example.com`, true, []string{"*"}, ""},
		{"list", "ada@evil.org,bob@example.com", true, []string{"*"}, ""},
		{"display name", "Ada <ada@example.com>", true, []string{"*"}, ""},
		{"space", "ada @example.com", true, []string{"*"}, ""},
		{"no @", "ada", true, []string{"*"}, ""},
		{"no local part", "@example.com", true, []string{"*"}, ""},
		{"no domain", "ada@", true, []string{"*"}, ""},
		{"Cyrillic а", "аda@example.com", true, []string{"*"}, ""},
		{"Kelvin sign that lower-cases to k", "ada@\u212aexample.com", true, []string{"*"}, ""},
		{"full-width domain", "ada@ｅxample.com", true, []string{"*"}, ""},
		{"long s", "ada@example.comſ", true, []string{"*"}, ""},
		{"address literal", "ada@[127.0.0.1]", true, []string{"*"}, ""},
		{"empty label", "ada@example..com", true, []string{"*"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := accept(t, w.profile(domains(c.domains...)), w.Sign(trusttest.Claims{"email": c.address, "email_verified": c.verified}))
			if id.Email != c.want || id.EmailCovered != (c.want != "") {
				t.Errorf("email %q (covered: %t), want %q", id.Email, id.EmailCovered, c.want)
			}
			if !id.EmailCovered && id.UnverifiedEmail != c.address || id.EmailCovered && id.UnverifiedEmail != "" {
				t.Errorf("unverified email %q", id.UnverifiedEmail)
			}
		})
	}
}

// An email that is covered identifies alone.
func TestEmailAlone(t *testing.T) {
	w := newWorld(t)
	id := accept(t, w.profile(domains("example.com")), w.Sign(trusttest.Claims{"sub": absent, "email": "a@example.com"}))
	if id.ExternalID != "" || id.Email != "a@example.com" {
		t.Errorf("%+v", id)
	}
}

func TestRoles(t *testing.T) {
	for _, c := range []struct {
		name    string
		claim   any
		want    []string
		dropped int
	}{
		{"one text", "ADMIN", []string{"admin"}, 0},
		{"array", []any{"USER", "ADMIN", "USER"}, []string{"admin", "member"}, 0},
		{"not listed", []any{"root", "USER"}, []string{"member"}, 1},
		{"in other case", "admin", nil, 1},
		{"absent gives none", absent, nil, 0},
		{"null gives none", nil, nil, 0},
		{"empty gives none", []any{}, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.profile(maps("roles", "user_role"), func(c *trust.Config) {
				c.Roles = map[string][]string{"ADMIN": {"admin"}, "USER": {"member"}}
			})
			id := accept(t, p, w.Sign(trusttest.Claims{"user_role": c.claim}))
			if !id.HasRoles || id.DroppedRoles != c.dropped || !cmp.Equal(id.Roles, c.want) {
				t.Errorf("%v (has: %t, dropped %d)", id.Roles, id.HasRoles, id.DroppedRoles)
			}
		})
	}
}

func TestRequiredClaims(t *testing.T) {
	for _, c := range []struct {
		value string
		claim any
	}{{"", "x"}, {"", false}, {"", 0}, {"app", "app"}, {"true", true}, {"true", "true"}, {"7", 7}, {"1.50", json.Number("1.50")}} {
		w := newWorld(t)
		accept(t, w.profile(requires("a.b", c.value)), w.Sign(trusttest.Claims{"a": map[string]any{"b": c.claim}}))
	}
}

func TestOrganization(t *testing.T) {
	for _, c := range []struct {
		name, text string
		claim      any
		want       trust.OrganizationRef
	}{
		{"none", "", "x", trust.OrganizationRef{}},
		{"fixed", "acme", "x", trust.OrganizationRef{Value: "acme", Fixed: true}},
		{"claim", "{claims.org}", "acme", trust.OrganizationRef{Value: "acme"}},
		{"number", "{claims.org}", json.Number("12345678901234567890"), trust.OrganizationRef{Value: "12345678901234567890"}},
		{"boolean", "{claims.org}", false, trust.OrganizationRef{Value: "false"}},
		{"nested and text", "icfg:{claims.o.id}|x", "y", trust.OrganizationRef{Value: "icfg:nested|x"}},
		{"every character", "{claims.org}", "Aa0._:@|-", trust.OrganizationRef{Value: "Aa0._:@|-"}},
		{"as long as can be", "{claims.org}", strings.Repeat("o", 128), trust.OrganizationRef{Value: strings.Repeat("o", 128)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			id := accept(t, w.profile(organization(c.text)), w.Sign(trusttest.Claims{"org": c.claim, "o": map[string]any{"id": "nested"}}))
			if id.Organization != c.want {
				t.Errorf("%+v, want %+v", id.Organization, c.want)
			}
		})
	}
}

// Two people of one name at two issuers are two people.
func TestNamespaces(t *testing.T) {
	for _, c := range []struct {
		name    string
		issuers []string
		own     string
		iss     string
		want    string
	}{
		{"one issuer", []string{"https://a"}, "", "https://a", "acme"},
		{"several issuers", []string{"https://a", "b"}, "", "b", "acme-" + hexOf(sha("b"))[:32]},
		{"several issuers that share on purpose", []string{"https://a", "b"}, "staff", "b", "staff"},
		{"captured issuer", []string{"https://{tid}/v2"}, "", "https://t1/v2", "acme-" + hexOf(sha("https://t1/v2"))[:32]},
		{"that of API callers on purpose", []string{"https://a"}, "api", "https://a", "api"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.profile(func(config *trust.Config) {
				config.Issuers, config.Namespace = c.issuers, c.own
				if strings.Contains(c.issuers[0], "{") {
					config.Organization = "{claims.tid}"
				}
			})
			if got := accept(t, p, w.Sign(trusttest.Claims{"iss": c.iss})).Namespace; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// The kid is looked at where the keys have one, and only there.
func TestKeyOfToken(t *testing.T) {
	w := newWorld(t)
	other := trusttest.NewKey(t, jose.ES256)
	named := publish(w.Key(), other)
	id, err := w.profile(func(config *trust.Config) { config.Keys = mustKeys(trust.FileKeys(named)) }).Verify(t.Context(), w.Sign(nil, trusttest.NoKeyID()))
	refused(t, id, err, trust.CodeKeyAmbiguous) // no kid, and two keys that fit
	same := publish(w.Key(), other.WithID(w.Key().Public.ID))
	id, err = w.profile(func(config *trust.Config) { config.Keys = mustKeys(trust.FileKeys(same)) }).Verify(t.Context(), w.Sign(nil))
	refused(t, id, err, trust.CodeKeyAmbiguous) // K-02 one kid, and two keys that fit
	anonymous := publish(w.Key().WithoutID(), other.WithoutID())
	for name, c := range map[string]struct {
		keys    trust.KeySource
		options []trusttest.Option
	}{
		"by kid":                                 {mustKeys(trust.FileKeys(named)), nil},
		"no kid, one key that fits":              {mustKeys(trust.FileKeys(publish(w.Key(), trusttest.NewKey(t, jose.ES384)))), []trusttest.Option{trusttest.NoKeyID()}},
		"no kid, one key twice":                  {mustKeys(trust.FileKeys(publish(w.Key(), w.Key().WithID("again")))), []trusttest.Option{trusttest.NoKeyID()}},
		"no kid, keys without":                   {mustKeys(trust.FileKeys(anonymous)), []trusttest.Option{trusttest.NoKeyID()}},
		"K-02 a kid of two types":                {mustKeys(trust.FileKeys(publish(w.Key(), trusttest.NewKey(t, jose.EdDSA).WithID(w.Key().Public.ID)))), nil},
		"K-02 a kid of two curves":               {mustKeys(trust.FileKeys(publish(w.Key(), trusttest.NewKey(t, jose.ES384).WithID(w.Key().Public.ID)))), nil},
		"K-02 a kid twice":                       {mustKeys(trust.FileKeys(publish(w.Key(), w.Key(), other))), nil},
		"kid, but keys without":                  {mustKeys(trust.FileKeys(anonymous)), nil},
		"kid, but a PEM file":                    {mustKeys(trust.PEMKeys(other.PEM(t), w.Key().PEM(t))), nil},
		"kid empty, keys without":                {mustKeys(trust.FileKeys(anonymous)), []trusttest.Option{trusttest.KeyID("")}},
		"kid is text and nothing but text":       {mustKeys(trust.FileKeys(publish(w.Key().WithID("../../etc/passwd\r\nX: {env.HOME}")))), []trusttest.Option{trusttest.KeyID("../../etc/passwd\r\nX: {env.HOME}")}},
		"PSS key without alg where only PS list": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if c.keys == nil {
				p := w.profile(rsaKeys("PS256"))
				accept(t, p, w.Sign(nil, trusttest.By(sharedRSA(t)), trusttest.Algorithm("PS256")))
				return
			}
			accept(t, w.profile(func(config *trust.Config) { config.Keys = c.keys }), w.Sign(nil, c.options...))
		})
	}
}
