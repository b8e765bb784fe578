package trust_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/preset"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

// Servers answer for refresh tokens too: those are for the server alone.
func TestAttackIntrospectedRefreshToken(t *testing.T) {
	_, a, p := asking(t)
	for name, value := range map[string]any{"token_use": "refresh_token", "token_type": "refresh_token", "typ": "Refresh", "token_use ": nil} {
		claims := map[string]any{}
		for n, v := range a.tokens["good"] {
			claims[n] = v
		}
		claims[strings.TrimSpace(name)] = value
		a.mu.Lock()
		a.tokens["other"] = claims
		a.mu.Unlock()
		if value == nil {
			accept(t, p, "other")
			continue
		}
		refuse(t, p, "other", trust.CodeTypeNotAllowed)
	}
	a.mu.Lock()
	a.tokens["keycloak"] = map[string]any{"sub": "ada", "aud": trusttest.Audience, "exp": a.tokens["good"]["exp"], "typ": "Bearer", "token_type": "Bearer"}
	a.mu.Unlock()
	accept(t, p, "keycloak")
}

// A public key is no secret, with armour or without.
func TestAttackPublicKeyAsSecret(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.StdEncoding.EncodeToString(der)
	for what, secret := range map[string]string{
		"DER": string(der), "base64": text, "base64 in lines": text[:40] + "\n" + text[40:], "base64url": base64.RawURLEncoding.EncodeToString(der), "SSH": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk",
	} {
		if _, err := trust.SharedSecrets([]byte(secret)); err == nil {
			t.Errorf("%s is taken for a secret", what)
		}
	}
	if _, err := trust.SharedSecrets([]byte(base64.StdEncoding.EncodeToString(make([]byte, 48)))); err != nil {
		t.Error(err)
	}
}

// The query of an address may be a key of the operator's.
func TestAttackQueryOfAnAddressInErrors(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }))
	defer server.Close()
	w := newWorld(t)
	var told string
	keys, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: server.URL + "/jwks?api_key=SQUEAMISH", Now: w.clock.Now, Outcome: func(err error, _ time.Duration) { told = err.Error() }})
	if err != nil {
		t.Fatal(err)
	}
	p := w.profile(func(c *trust.Config) { c.Keys = keys })
	_, err = p.Verify(t.Context(), w.Sign(nil))
	var explained strings.Builder
	for _, f := range p.Explain(t.Context(), w.Sign(nil)) {
		explained.WriteString(f.Remedy + f.Configured)
	}
	if err == nil || told == "" || strings.Contains(err.Error()+told+explained.String(), "SQUEAMISH") {
		t.Errorf("%v; told %s; explained %s", err, told, explained.String())
	}
	_, _, p = asking(t, func(c *trust.IntrospectionConfig) { c.Remote.URL += "/?api_key=SQUEAMISH" })
	for _, f := range p.Explain(t.Context(), "unknown") {
		if strings.Contains(f.Configured+f.Remedy, "SQUEAMISH") {
			t.Errorf("%+v", f)
		}
	}
}

// Addresses that are written as names lead past what looks at addresses.
func TestAttackAddressesWrittenAsNames(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy.test"}
	for _, host := range []string{"0xa9fea9fe", "2852039166", "127.1", "169.254.0xa9fe", "1.2.3.4."} {
		if _, err := trust.NewRemoteKeys(trust.RemoteConfig{URL: "https://" + host + "/", Proxy: proxy}); err == nil {
			t.Errorf("with a proxy: %s", host)
		}
	}
	for _, host := range []string{"127.1", "0", "0.0.0.0", "localhost"} {
		w, _, p, issuer := discovered(t, trust.RemoteConfig{Discover: ""}, func(issuer, _ string) http.HandlerFunc {
			return says(`{"issuer":%q,"jwks_uri":"https://%s/"}`, issuer, host)
		})
		if _, err := p.Verify(t.Context(), w.Sign(map[string]any{"iss": issuer})); !errors.Is(err, trust.ErrKeysUnavailable) {
			t.Errorf("jwks_uri on %s: %v", host, err)
		}
	}
}

// A condition that everybody meets is none.
func TestAttackConditionsThatEverybodyMeets(t *testing.T) {
	google, github := []string{"https://accounts.google.com"}, []string{"https://token.actions.githubusercontent.com"}
	required := func(path, value string) []trust.RequiredClaim {
		return []trust.RequiredClaim{{Path: path, Value: value}}
	}
	for what, c := range map[string]trust.Config{
		"email_verified":        {Issuers: google, CreateMembers: true, RequireClaims: required("email_verified", "true")},
		"a claim that is there": {Issuers: google, CreateMembers: true, When: []string{"has(claims.sub)"}},
		"the runner":            {Issuers: github, RequireClaims: required("runner_environment", "github-hosted")},
		"no value at all":       {Issuers: github, When: []string{"claims.repository_id != ''"}},
		"all tenants of old":    {Issuers: []string{"https://sts.windows.net/{tid}/"}, CreateMembers: true},
	} {
		if preset.PublicIssuer(c) == nil {
			t.Errorf("%s is a condition", what)
		}
	}
	for what, c := range map[string]trust.Config{
		"the domain":       {Issuers: google, CreateMembers: true, RequireClaims: required("hd", "acme.test")},
		"a comparison":     {Issuers: google, CreateMembers: true, When: []string{"claims.hd == 'acme.test'"}},
		"one of":           {Issuers: github, When: []string{"claims.repository_owner_id in ['1', '2']"}},
		"the beginning of": {Issuers: github, When: []string{"claims.sub.startsWith('repo:acme/')"}},
	} {
		if err := preset.PublicIssuer(c); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
