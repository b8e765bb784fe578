package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// Whatever is wrong with a token, the first line names the one thing to mend.
func TestExplainNamesWhatToMend(t *testing.T) {
	w := newWorld(t)
	good := func(changes claims.Object) string { return w.token("acme", changes) }
	parts := strings.Split(good(nil), ".")
	made := w.attest("acme", nil)
	now := w.clock.Now()
	for name, c := range map[string]struct{ token, says string }{
		"empty":                  {"  ", "there is no token"},
		"one word":               {"hello", "this is no JWT"},
		"two parts":              {parts[0] + "." + parts[1], "this is no JWT"},
		"encrypted":              {"a.b.c.d.e", "encrypted token (JWE)"},
		"github":                 {"ghp_16C7e42F292c6912E7710c838347Ae178B4a", "opaque token of GitHub"},
		"gitlab":                 {"glpat-x", "opaque token of GitLab"},
		"google":                 {"ya29.a0Af", "opaque token of Google"},
		"session token":          {made["session_token"].(string), "this is a session token of a gateway"},
		"session JWT":            {made["session_jwt"].(string), "this is a session JWT of this gateway"},
		"broken header":          {"e30x." + parts[1] + "." + parts[2], "parse ("},
		"alg none":               {"eyJhbGciOiJub25lIn0." + parts[1] + ".x", "have the token signed"},
		"changed payload":        {parts[0] + "." + strings.Split(good(claims.Object{"sub": "eve"}), ".")[1] + "." + parts[2], "its signature is not valid"},
		"another issuer":         {good(claims.Object{"iss": "https://evil.example"}), "its issuer is https://evil.example"},
		"trailing slash":         {good(claims.Object{"iss": "https://acme.test/"}), "byte for byte, also in scheme and trailing slash"},
		"no issuer":              {good(claims.Object{"iss": nil}), "the token needs claim iss"},
		"another audience":       {good(claims.Object{"aud": "other-app"}), "its audience is other-app"},
		"no audience":            {good(claims.Object{"aud": nil}), "the token needs claim aud"},
		"expired":                {good(claims.Object{"exp": now.Add(-time.Hour).Unix()}), "it has expired ("},
		"no exp":                 {good(claims.Object{"exp": nil}), "the token needs claim exp"},
		"exp in milliseconds":    {good(claims.Object{"exp": now.Add(time.Hour).UnixMilli()}), "exp is in milliseconds"},
		"exp of a wrong type":    {good(claims.Object{"exp": "soon"}), "exp must be a number"},
		"not yet":                {good(claims.Object{"nbf": now.Add(time.Hour).Unix()}), "not_before is in the future"},
		"clock ahead":            {good(claims.Object{"iat": now.Add(time.Hour).Unix()}), "the issuer's clock is ahead"},
		"too long":               {good(claims.Object{"exp": now.Add(90 * 24 * time.Hour).Unix()}), "shorter tokens, or raise max_lifetime"},
		"no sub":                 {good(claims.Object{"sub": nil, "email": nil}), "identity"},
		"sub is a list":          {good(claims.Object{"sub": []string{"a"}}), "claim sub must be a text"},
		"sub is an object":       {good(claims.Object{"sub": claims.Object{"a": 1}}), "it is an object"},
		"the address of another": {good(claims.Object{"sub": "eve", "email": "ada@example.com", "email_verified": true}), "directory refuses it"},
		"signed by a stranger's": {parts[0] + "." + parts[1] + "." + strings.Split(made["session_jwt"].(string), ".")[2], "its signature is not valid"},
		"a wrong kid":            {strings.Replace(good(nil), parts[0], "eyJhbGciOiJFUzI1NiIsImtpZCI6Im5vcGUiLCJ0eXAiOiJKV1QifQ", 1), "no key of the issuer fits it"},
	} {
		e, err := w.gateway.Core.Explain(t.Context(), authn.ExplainRequest{Text: c.token})
		if err != nil || e.Admitted || !strings.Contains(e.Summary, c.says) {
			t.Errorf("%s: %q does not say %q (%v)", name, e.Summary, c.says, err)
		}
	}
}

// A good token is told with the member it is, or would be, and the claims of the JWT
// that an upstream would receive. Nothing is stored.
func TestExplainOfAGoodToken(t *testing.T) {
	w := newWorld(t)
	before := w.store.writes()
	ask := func(text string) authn.Explanation {
		e, err := w.gateway.Core.Explain(t.Context(), authn.ExplainRequest{Text: text})
		w.must(err)
		return e
	}
	token := w.token("acme", nil)
	for _, text := range []string{token, "Bearer " + token, `Authorization: Bearer "` + token + `"`, token[:40] + "\n  " + token[40:], "'" + token + "',"} {
		e := ask(text)
		if !e.Admitted || !e.Directory.CreatesMember {
			t.Errorf("%.30q: %s", text, e.Summary)
		}
	}
	if w.store.writes() != before {
		t.Error("something was written")
	}
	made := w.attest("acme", nil)
	e := ask(token)
	if e.Directory.Member.ID != made["member_id"] || e.Session["sub"] != made["member_id"] || !strings.Contains(e.Summary, "it is member ") {
		t.Errorf("%s; %v", e.Summary, e.Session)
	}
	w.must(w.gateway.Core.DisableProfile(t.Context(), "acme", true))
	if e := ask(token); e.Admitted || !strings.Contains(e.Summary, "sign_ins refuses it") {
		t.Errorf("a disabled profile: %s", e.Summary)
	}
}
