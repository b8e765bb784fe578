package trust_test

import (
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func TestIssuerTemplate(t *testing.T) {
	for _, c := range []struct {
		template, iss string
		want          string // organization, "" for a refusal
	}{
		{"https://login.example/{tid}/v2.0", "https://login.example/9188040d-6c67-4c5b/v2.0", "9188040d-6c67-4c5b"},
		{"https://login.example/{tid}", "https://login.example/" + strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"{tid}", "T1", "T1"},
		{"https://login.example/{tid}/v2.0", "https://login.example//v2.0", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a/b/v2.0", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a/v2.0/", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a/v2.0x", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a", ""},
		{"https://login.example/{tid}/v2.0", "xhttps://login.example/a/v2.0", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a%2fb/v2.0", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/ä/v2.0", ""},
		{"https://login.example/{tid}/v2.0", "https://login.example/a_b/v2.0", ""},
		{"https://login.example/{tid}", "https://login.example/" + strings.Repeat("a", 65), ""},
		{"https://{tid}.example", "https://evil.com/x.example", ""},
		{"https://{tid}.example", "https://a.b.example", ""},
	} {
		w := newWorld(t)
		p := w.profile(organization("{claims.tid}"), func(config *trust.Config) { config.Issuers = []string{c.template} })
		token := w.Sign(trusttest.Claims{"iss": c.iss})
		if c.want == "" {
			refuse(t, p, token, trust.CodeIssuerMismatch)
			continue
		}
		if got := accept(t, p, token).Organization.Value; got != c.want {
			t.Errorf("%s: organization %q, want %q", c.iss, got, c.want)
		}
	}
}

// The organization of a token is a function of the tenant that signed it: of two
// issuers no two tokens name one organization, whatever else they claim.
func TestIssuerTemplateBindsOrganization(t *testing.T) {
	w := newWorld(t)
	p := w.profile(organization("{claims.region}:{claims.tid}:{claims.project}"), func(c *trust.Config) {
		c.Issuers = []string{"https://{region}.example/{tid}"}
	})
	seen := map[string]string{}
	for _, iss := range []string{"https://eu.example/a", "https://eu.example/b", "https://us.example/a", "https://eu-a.example/b"} {
		for _, project := range []string{"a", "b", "b:a", "a:b", "-b", "x|a"} {
			value := accept(t, p, w.Sign(trusttest.Claims{"iss": iss, "project": project})).Organization.Value
			if other, found := seen[value]; found && other != iss {
				t.Errorf("%s and %s both name %s", iss, other, value)
			}
			seen[value] = iss
		}
	}
}

func TestIssuerTemplateAndClaimAgree(t *testing.T) {
	w := newWorld(t)
	p := w.profile(tenants)
	iss := "https://login.example/t1/v2"
	accept(t, p, w.Sign(trusttest.Claims{"iss": iss, "tid": "t1"}))
	accept(t, p, w.Sign(trusttest.Claims{"iss": iss}))
	refuse(t, p, w.Sign(trusttest.Claims{"iss": iss, "tid": "T1"}), trust.CodeCaptureMismatch)
}

// A fixed organization goes with a captured issuer only where the capture is
// pinned, and then it is.
func TestIssuerTemplatePinned(t *testing.T) {
	w := newWorld(t)
	p := w.profile(organization("acme"), requires("tid", "t1"), func(c *trust.Config) { c.Issuers = []string{"https://login.example/{tid}/v2"} })
	accept(t, p, w.Sign(trusttest.Claims{"iss": "https://login.example/t1/v2", "tid": "t1"}))
	refuse(t, p, w.Sign(trusttest.Claims{"iss": "https://login.example/t2/v2", "tid": "t2"}), trust.CodeClaimMismatch)
	refuse(t, p, w.Sign(trusttest.Claims{"iss": "https://login.example/t2/v2", "tid": "t1"}), trust.CodeCaptureMismatch)
	refuse(t, p, w.Sign(trusttest.Claims{"iss": "https://login.example/t2/v2"}), trust.CodeClaimMissing)
}
