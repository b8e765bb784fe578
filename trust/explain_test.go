package trust_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func explain(t *testing.T, p *trust.Profile, token string) map[string]trust.Finding {
	t.Helper()
	found := map[string]trust.Finding{}
	for _, f := range p.Explain(context.Background(), token) {
		found[f.Check] = f
	}
	return found
}

func TestExplainOfAGoodTokenPassesEverything(t *testing.T) {
	w := newWorld(t)
	p := w.profile()
	findings := p.Explain(context.Background(), w.Sign(nil))
	if len(findings) != 27 {
		t.Errorf("%d findings", len(findings))
	}
	for _, f := range findings {
		if !f.Passed || f.Skipped || f.Code != "" || f.Remedy != "" || f.Configured == "" || f.Found == "" {
			t.Errorf("%+v", f)
		}
	}
}

// Everything that is wrong is told at once, not one thing a try.
func TestExplainTellsAllThatIsWrong(t *testing.T) {
	w := newWorld(t)
	p := w.profile(maps("external_id", "uid"), organization("{claims.org}"))
	found := explain(t, p, w.Sign(trusttest.Claims{"aud": "other", "exp": at(-time.Hour), "iat": at(-2 * time.Hour), "org": "a b"}, trusttest.Type("logout+jwt")))
	for check, code := range map[string]string{
		"type": trust.CodeTypeNotAllowed, "audience": trust.CodeAudienceMismatch, "expiry": trust.CodeExpired,
		"external_id": trust.CodeExternalIDMissing, "organization": trust.CodeOrganizationInvalid,
	} {
		if f := found[check]; f.Code != code || f.Remedy == "" {
			t.Errorf("%s: %+v, want %s", check, f, code)
		}
	}
	for _, check := range []string{"parse", "algorithm", "issuer", "key", "signature", "roles"} {
		if !found[check].Passed {
			t.Errorf("%s: %+v", check, found[check])
		}
	}
	for _, check := range []string{"lifetime", "identity"} {
		if f := found[check]; !f.Skipped || !strings.HasPrefix(f.Remedy, "first the check ") {
			t.Errorf("%s: %+v, want skipped", check, f)
		}
	}
}

func TestExplainOfNoToken(t *testing.T) {
	for check, f := range explain(t, newWorld(t).profile(), "no token") {
		if f.Skipped == (check == "parse") || f.Passed {
			t.Errorf("%+v", f)
		}
	}
}

// F18: a refusal for time says how far the clocks are apart.
func TestExplainSpellsOutClocks(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		check   string
		claims  trusttest.Claims
		found   string
		remedy  string
		another string
	}{
		{"expiry", trusttest.Claims{"exp": at(-10 * time.Minute)}, "2026-03-04T04:56:07Z, 10m0s ago", "by 9m0s or more beyond the leeway", "here it is 2026-03-04T05:06:07Z"},
		{"issued_at", trusttest.Claims{"iat": at(2 * time.Minute)}, "2026-03-04T05:08:07Z, in 2m0s", "ahead of this one's by 2m0s or more", "here it is 2026-03-04T05:06:07Z"},
		{"not_before", trusttest.Claims{"nbf": at(10 * time.Minute)}, "2026-03-04T05:16:07Z, in 10m0s", "ahead of this one's by 10m0s or more", "here it is"},
	} {
		f := explain(t, w.profile(), w.Sign(c.claims))[c.check]
		if f.Configured != "leeway 1m0s" || f.Found != c.found || !strings.Contains(f.Remedy, c.remedy) || !strings.Contains(f.Remedy, c.another) {
			t.Errorf("%+v", f)
		}
	}
}

// What strangers write cannot forge a line of the report or grow it.
func TestExplainQuotesWhatStrangersWrite(t *testing.T) {
	w := newWorld(t)
	found := explain(t, w.profile(), w.Sign(trusttest.Claims{
		"sub": "a\n✓ signature\x1b[31m", "aud": strings.Repeat("x", 5000), "jti": map[string]any{"a": strings.Repeat("y", 5000)},
	}, trusttest.KeyID("k\r\nSet-Cookie: x")))
	for check, want := range map[string]string{"external_id": `"a\n✓ signature\x1b[31m"`, "key": `kid "k\r\nSet-Cookie: x"`} {
		if f := found[check]; f.Found != want {
			t.Errorf("%s: found %q, want %q", check, f.Found, want)
		}
	}
	for _, f := range found {
		if strings.ContainsAny(f.Found, "\r\n\x1b") || len(f.Found) > 600 {
			t.Errorf("%+v", f)
		}
	}
}

// A key that is in the set but cannot be used is the answer to "why unknown".
func TestExplainSaysWhyAKeyIsDropped(t *testing.T) {
	w := newWorld(t)
	bad := strings.TrimSuffix(strings.TrimPrefix(string(publish(w.Key())), `{"keys":[`), `]}`)
	good := strings.TrimPrefix(string(publish(w.Rotate())), `{"keys":[`)
	bad = strings.Replace(bad, `"use":"sig"`, `"use":"enc"`, 1)
	keys := mustKeys(trust.FileKeys([]byte(`{"keys":[` + bad + `,` + good)))
	p := w.profile(func(c *trust.Config) { c.Keys = keys })
	kid := bad[strings.Index(bad, `"kid":"`)+7:]
	kid = kid[:strings.IndexByte(kid, '"')]
	f := explain(t, p, w.Sign(nil, trusttest.KeyID(kid)))["key"]
	if f.Code != trust.CodeKeyUnknown || !strings.Contains(f.Remedy, "use is not for signatures") || f.Configured != "1 keys, 1 not usable" {
		t.Errorf("%+v", f)
	}
}
