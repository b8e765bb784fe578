package cases_test

import (
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/gateway/cases"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func judge(t *testing.T) cases.Judge {
	t.Helper()
	c := trusttest.NewIssuer(t).Config("acme")
	c.EmailDomains, c.Organization = []string{"acme.example"}, "acme"
	c.Map = map[string]string{"roles": "groups"}
	c.Roles = map[string][]string{"editors": {"editor"}}
	p, err := trust.NewProfile(c)
	if err != nil {
		t.Fatal(err)
	}
	set, err := trust.NewSet(p)
	if err != nil {
		t.Fatal(err)
	}
	template, err := claims.Policy{}.ParseTemplate("default", `{"email": {{ member.email_address }}, "level": 1}`)
	if err != nil {
		t.Fatal(err)
	}
	return cases.Judge{Profiles: set, Templates: map[string]*claims.Template{"default": template}, Now: c.Now}
}

func TestCases(t *testing.T) {
	const token = `"name": "x", "profile": "acme", "token": {"sub": "ada", "email": "ada@acme.example", "groups": ["editors", "others"]}`
	for text, want := range map[string]string{
		`[{` + token + `, "expect": {"roles": ["editor"], "organization": "acme", "claims": {"email": "ada@acme.example", "level": 1}}}]`: "",
		`[{` + token + `, "expect": {"roles": ["admin"]}}]`:                                                        `expected roles ["admin"], and they are ["editor"]`,
		`[{` + token + `, "expect": {"organization": "globex"}}]`:                                                  `expected organization "globex", and it is "acme"`,
		`[{` + token + `, "expect": {"claims": {"level": 2}}}]`:                                                    `expected claims {"level":2}, and they are {"email":"ada@acme.example","level":1}`,
		`[{` + token + `, "expect": {"reason": "token_expired"}}]`:                                                 "expected reason token_expired, and it is that the token passes",
		`[{"name": "x", "profile": "acme", "token": {"aud": "other"}, "expect": {"reason": "audience_mismatch"}}]`: "",
		`[{"name": "x", "profile": "acme", "token": {"exp": 1}, "expect": {"roles": []}}]`:                         "expected that the token passes, and it is reason token_expired",
		`[{"name": "x", "profile": "acme", "token": {"iss": null}, "expect": {"reason": "issuer_missing"}}]`:       "",
		`[{"name": "x", "profile": "nope", "expect": {"roles": []}}]`:                                              `there is no profile "nope"; there are: acme`,
		`[{"name": "x", "profile": "acme", "template": "nope", "token": {"sub": "a"}, "expect": {"claims": {}}}]`:  `there is no template "nope"`,
		`[{"name": "x", "profile": "acme", "expect": {}}]`:                                                         "nothing is expected",
		`[{"profile": "acme", "expect": {"roles": []}}]`:                                                           "case 1: name and profile are required",
		`[{"name": "x", "profile": "acme", "tokn": {}, "expect": {"roles": []}}]`:                                  "unknown member",
	} {
		got := run(t, text)
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\n%q does not say %q", text, got, want)
		}
	}
}

func run(t *testing.T, text string) string {
	list, err := cases.Parse([]byte(text))
	if err != nil {
		return err.Error()
	}
	for _, c := range list {
		if err := c.Run(t.Context(), judge(t)); err != nil {
			return err.Error()
		}
	}
	return ""
}
