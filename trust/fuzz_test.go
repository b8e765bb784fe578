package trust_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// Whatever is sent, Verify does not panic and accepts nothing but what the key
// signed; Explain agrees with it.
func FuzzVerify(f *testing.F) {
	k := trusttest.NewKey(f, jose.ES256)
	clock := newClock()
	p := profile(f, trust.Config{
		Name: "acme", Issuers: []string{"https://idp.example/{tid}"}, Audiences: []string{"gateway"}, Keys: mustKeys(trust.PEMKeys(k.PEM(f))),
		Map: map[string]string{"roles": "groups", "name": "n", "trusted_metadata.m": "m"}, Roles: map[string][]string{"a": {"b"}},
		EmailDomains: []string{"*"}, Organization: "{claims.tid}:{claims.org}", SessionKey: []string{"s"}, Now: clock.Now,
	})
	signed := map[string]bool{}
	for _, claims := range []trusttest.Claims{
		{"iss": "https://idp.example/t1", "aud": "gateway", "exp": at(60e9), "sub": "u1", "org": "o", "s": "x"},
		{"iss": "https://idp.example/t1", "aud": []any{"gateway"}, "exp": at(60e9), "iat": at(0), "nbf": at(0), "auth_time": at(0), "email": "a@b.c", "org": 7, "s": "x", "groups": []any{"a"}, "m": nil},
		{"iss": "https://idp.example/t1", "aud": "other", "exp": "never"},
	} {
		token := trusttest.Sign(f, k, claims)
		signed[token[:strings.LastIndexByte(token, '.')]] = true
		f.Add(token)
		if claims["exp"] != "never" {
			accept(f, p, token)
		}
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := p.Verify(context.Background(), token)
		var r *trust.Refusal
		if err != nil && !errors.As(err, &r) {
			t.Fatalf("neither identity nor refusal: %v", err)
		}
		if err == nil && !signed[token[:max(strings.LastIndexByte(token, '.'), 0)]] {
			t.Fatalf("a forgery is accepted as %+v", id)
		}
		for _, finding := range p.Explain(context.Background(), token) {
			if finding.Passed || finding.Skipped {
				continue
			}
			if r == nil || finding.Code != r.Code {
				t.Fatalf("Explain begins with %+v, Verify with %+v", finding, r)
			}
			break
		}
	})
}

// Claims of any kind, rightly signed: no panic, and what is accepted keeps the
// promises of Identity.
func FuzzClaims(f *testing.F) {
	k := trusttest.NewKey(f, jose.EdDSA)
	clock := newClock()
	p := profile(f, trust.Config{
		Name: "acme", Issuers: []string{"https://{tid}.idp.example"}, Audiences: []string{"gateway"}, Keys: mustKeys(trust.PEMKeys(k.PEM(f))),
		Map: map[string]string{"roles": "a.groups", "name": "n", "trusted_metadata.m": "m.x"}, Roles: map[string][]string{"a": {"b"}},
		EmailDomains: []string{"example.com"}, Organization: "{claims.tid}:{claims.org}", MaxTokenAge: 3600e9, Now: clock.Now,
	})
	base := `"iss":"https://t1.idp.example","aud":"gateway","exp":1772600800,"iat":1772600767,"org":"o"`
	f.Add(`{` + base + `,"sub":"u1","email":"A@example.com","email_verified":true}`)
	f.Add(`{` + base + `,"sub":"u1","email":"a@evil.org@example.com","a":{"groups":["a","x"]},"m":{"x":[1]}}`)
	f.Add(`{` + base + `,"sub":"u1","tid":"t1","auth_time":1,"jti":"j","n":"N","a.groups":"a"}`)
	accept(f, p, trusttest.Sign(f, k, nil, trusttest.Payload(`{`+base+`,"sub":"u1"}`)))
	f.Fuzz(func(t *testing.T, payload string) {
		token := trusttest.Sign(t, k, nil, trusttest.Payload(payload))
		if len(payload) > 10_000 || payload == "" {
			return
		}
		p.Explain(context.Background(), token)
		id, err := p.Verify(context.Background(), token)
		if err != nil {
			return
		}
		checkIdentity(t, id, clock)
	})
}

func checkIdentity(t *testing.T, id *trust.Identity, clock *clock) {
	t.Helper()
	tenant := strings.TrimSuffix(strings.TrimPrefix(id.Issuer, "https://"), ".idp.example")
	if id.Organization.Fixed || !strings.HasPrefix(id.Organization.Value, tenant+":") || len(id.Organization.Value) > 128 {
		t.Errorf("issuer %q names organization %q", id.Issuer, id.Organization.Value)
	}
	if id.ExternalID == "" && !id.EmailCovered || id.EmailCovered != (id.Email != "") || id.EmailCovered && id.UnverifiedEmail != "" {
		t.Errorf("identity %+v", id)
	}
	if id.EmailCovered && (!strings.HasSuffix(id.Email, "@example.com") || strings.Count(id.Email, "@") != 1 || strings.ContainsFunc(id.Email, func(r rune) bool { return r <= ' ' || r >= 0x7f || unicode.IsUpper(r) })) {
		t.Errorf("covered email %q", id.Email)
	}
	if !clock.Now().Before(id.Until) || id.ProvedAt.After(id.IssuedAt) || id.Until.After(id.IssuedAt.Add(3600e9)) {
		t.Errorf("issued %s, proved %s, until %s", id.IssuedAt, id.ProvedAt, id.Until)
	}
	for _, text := range []string{id.ExternalID, id.TokenID, id.Name, id.UnverifiedEmail} {
		if strings.ContainsFunc(text, unicode.IsControl) || len(text) > 320 {
			t.Errorf("text %q", text)
		}
	}
	if id.TokenID == "" || id.Namespace == "" || len(id.Roles) > 1 {
		t.Errorf("identity %+v", id)
	}
}

// Issuers and organizations of any spelling: NewProfile does not panic, and two
// profiles that accept one token are reported to overlap.
func FuzzIssuers(f *testing.F) {
	f.Add("https://{tid}/v2", "https://a/v2", "https://a/v2")
	f.Add("{a}.{b}", "{b}.x", "y.x")
	f.Add("a{b}", "{c}", "ab")
	f.Fuzz(func(t *testing.T, a, b, iss string) {
		k := mustKeys(trust.FileKeys([]byte(edSet)))
		build := func(name, text string) *trust.Profile {
			p, err := trust.NewProfile(trust.Config{Name: name, Issuers: []string{text}, Audiences: []string{"g"}, Keys: k, Organization: capturesOf(text)})
			if err != nil {
				return nil
			}
			return p
		}
		p, q := build("p", a), build("q", b)
		if p == nil || q == nil {
			return
		}
		s := set(t, p, q)
		believes := func(x *trust.Profile) bool { return passes(x, iss) }
		if believes(p) && believes(q) && s.CheckRoute([]string{"p", "q"}) == nil {
			t.Errorf("%q and %q both accept %q, and no overlap is found", a, b, iss)
		}
		if err := s.CheckIssuer(iss); err == nil && (believes(p) || believes(q)) {
			t.Errorf("%q is accepted and passes for another's", iss)
		}
	})
}

const edSet = `{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// capturesOf makes an organization that is bound to every capture.
func capturesOf(text string) string {
	var b strings.Builder
	for _, part := range strings.Split(text, "{")[1:] {
		name, _, _ := strings.Cut(part, "}")
		b.WriteString("{claims." + name + "}:")
	}
	return b.String()
}

// passes asks the check of the issuer alone.
func passes(p *trust.Profile, iss string) bool {
	k := trusttest.NewKey(nilTB{}, jose.EdDSA)
	for _, f := range p.Explain(context.Background(), trusttest.Sign(nilTB{}, k, trusttest.Claims{"iss": strings.ToValidUTF8(iss, "?")})) {
		if f.Check == "issuer" {
			return f.Passed && strings.ToValidUTF8(iss, "?") == iss
		}
	}
	return false
}
