package trust_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func TestConditionsThatHold(t *testing.T) {
	for expression, claims := range map[string]trusttest.Claims{
		"claims.env == 'prod' || has(claims.never)":                                   {"env": "prod"},
		"has(claims.user_id) && !has(claims.other)":                                   {"user_id": 7},
		"claims['https://app/plan'] in ['pro', 'team']":                               {"https://app/plan": "pro"},
		"claims.realm_access.roles.exists(r, r == 'admin')":                           {"realm_access": map[string]any{"roles": []any{"x", "admin"}}},
		"claims.n == 9007199254740993":                                                {"n": json.Number("9007199254740993")},
		"claims.n == 18446744073709551615u":                                           {"n": json.Number("18446744073709551615")},
		"claims.f == 1.5 && claims.one == 1":                                          {"f": json.Number("1.5"), "one": json.Number("1.0")},
		"claims.none == null":                                                         {"none": nil},
		"claims.ok == true":                                                           {"ok": true},
		"claims.sub.split('/')[2] == 'td'":                                            {"sub": "spiffe://td/x"},
		"sets.contains(claims.scopes, ['a', 'b'])":                                    {"scopes": []any{"b", "a", "c"}},
		"claims.tid == claims.deep.tid && claims.aud == '" + trusttest.Audience + "'": {"tid": "t", "deep": map[string]any{"tid": "t"}},
	} {
		w := newWorld(t)
		if _, err := w.profile(when(expression)).Verify(t.Context(), w.Sign(claims)); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

func TestConditionsAreFoundWrongWhenConfigured(t *testing.T) {
	w := newWorld(t)
	for expression, says := range map[string]string{
		"claims.admin":        "is not true or false",
		"claims.sub":          "is not true or false",
		"'x'":                 "is not true or false",
		"claims.sub ==":       "Syntax error",
		"claim.sub == 'x'":    "undeclared reference to 'claim'",
		"member.email == 'x'": "undeclared reference to 'member'",
		"nope(claims.sub)":    "undeclared reference to 'nope'",
		"claims.a == 'x'" + strings.Repeat(" ", 4096): "more than 4096 bytes",
	} {
		_, err := trust.NewProfile(w.config(when(expression)))
		var mistake *trust.ConfigError
		if !errors.As(err, &mistake) || mistake.Option != "when" || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.40s: %v", expression, err)
		}
	}
}

func TestAttributesFromExpressions(t *testing.T) {
	w := newWorld(t)
	p := w.profile(func(c *trust.Config) {
		c.EmailDomains = []string{"example.com"}
		c.MapExpressions = map[string]string{
			"external_id":             "claims.tid + ':' + string(claims.oid)",
			"email":                   "claims.emails.filter(e, e.primary)[0].value",
			"name":                    "claims.given + ' ' + claims.family",
			"roles":                   "claims.teams.map(t, t.name)",
			"token_id":                "claims.uti",
			"trusted_metadata.region": "has(claims.region) ? claims.region : 'eu'",
			"trusted_metadata.object": "{'n': claims.oid, 'list': [1, true, null]}",
			"trusted_metadata.gone":   "claims.missing",
		}
		c.Roles = map[string][]string{"core": {"editor"}}
	})
	id := accept(t, p, w.Sign(trusttest.Claims{
		"tid": "t1", "oid": 17, "emails": []any{map[string]any{"primary": false}, map[string]any{"primary": true, "value": "ada@example.com"}},
		"given": "Ada", "family": "Lovelace", "teams": []any{map[string]any{"name": "core"}}, "uti": 9,
	}))
	if id.ExternalID != "t1:17" || id.Email != "ada@example.com" || id.Name != "Ada Lovelace" || strings.Join(id.Roles, "") != "editor" || id.TokenID != "9" {
		t.Errorf("%+v", id)
	}
	object, _ := id.Metadata["object"].(map[string]any)
	if _, there := id.Metadata["gone"]; there || id.Metadata["region"] != "eu" || object["n"] != json.Number("17") {
		t.Errorf("metadata %v", id.Metadata)
	}
	// An id that the expression does not give refuses, as a mapped claim that is absent.
	refuse(t, p, w.Sign(trusttest.Claims{"oid": 17, "uti": "x"}), trust.CodeExternalIDMissing)
}

func TestExpressionsOfAttributesAreChecked(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*trust.Config){
		"also a claim": func(c *trust.Config) {
			c.Map, c.MapExpressions = map[string]string{"name": "n"}, map[string]string{"name": "claims.n"}
		},
		"no attribute":    func(c *trust.Config) { c.MapExpressions = map[string]string{"nome": "claims.n"} },
		"does not parse":  func(c *trust.Config) { c.MapExpressions = map[string]string{"name": "claims."} },
		"roles in vain":   func(c *trust.Config) { c.MapExpressions = map[string]string{"roles": "claims.r"} },
		"an empty string": func(c *trust.Config) { c.MapExpressions = map[string]string{"name": ""} },
	} {
		if _, err := trust.NewProfile(w.config(change)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Two profiles of one issuer and audience are told apart by their conditions, and a token
// that meets those of both, or of neither, belongs to none.
func TestProfilesToldApartByConditions(t *testing.T) {
	w := newWorld(t)
	named := func(name string, change func(*trust.Config)) *trust.Profile {
		return w.profile(func(c *trust.Config) { c.Name = name; change(c) })
	}
	s := set(t, named("users", when("has(claims.user_id)")), named("system", when("!has(claims.user_id) || has(claims.both)")))
	names := []string{"users", "system"}
	if err := s.CheckRoute(names); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		claims  trusttest.Claims
		profile string
	}{{trusttest.Claims{"user_id": "u"}, "users"}, {trusttest.Claims{}, "system"}} {
		if id, err := s.Verify(t.Context(), w.Sign(c.claims), names); err != nil || id.Profile != c.profile {
			t.Errorf("%v: %v", c.claims, err)
		}
	}
	_, err := s.Verify(t.Context(), w.Sign(trusttest.Claims{"user_id": "u", "both": true}), names)
	refused(t, nil, err, trust.CodeProfileAmbiguous)

	for name, c := range map[string]struct {
		a, b func(*trust.Config)
		ok   bool
	}{
		"values of one claim":      {requires("kind", "user"), requires("kind", "system"), true},
		"one value of it":          {requires("kind", "user"), requires("kind", "user"), false},
		"a value and its presence": {requires("kind", "user"), requires("kind", ""), false},
		"two claims":               {requires("kind", "user"), requires("type", "system"), false},
		"a condition in one":       {when("has(claims.x)"), func(*trust.Config) {}, false},
	} {
		s := set(t, named("a", c.a), named("b", c.b))
		if err := s.CheckRoute([]string{"a", "b"}); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokensWithoutIssuer(t *testing.T) {
	w := newWorld(t)
	without := func(name, prefix string) *trust.Profile {
		return w.profile(func(c *trust.Config) { c.Name, c.Issuers, c.WithoutIssuer, c.SubjectPrefix = name, nil, true, prefix })
	}
	s := set(t, without("a", "spiffe://a/"), without("b", "spiffe://b/"), w.profile())
	names := []string{"a", "b", "acme"}
	if err := s.CheckRoute(names); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		claims trusttest.Claims
		want   string
	}{
		{trusttest.Claims{"iss": nil, "sub": "spiffe://a/x"}, "a"}, {trusttest.Claims{"iss": nil, "sub": "spiffe://b/x"}, "b"}, {trusttest.Claims{"sub": "spiffe://a/x"}, "acme"},
	} {
		id, err := s.Verify(t.Context(), w.Sign(c.claims), names)
		if err != nil || id.Profile != c.want || id.Namespace != c.want {
			t.Errorf("%v: %v, %v", c.claims, id, err)
		}
	}
	if err := set(t, without("a", "x"), without("b", "xy")).CheckRoute([]string{"a", "b"}); err == nil {
		t.Error("two profiles without iss, of which one's prefix begins the other's, are on one route")
	}
	if !s.TrustsIssuer("") || set(t, w.profile()).TrustsIssuer("") {
		t.Error("TrustsIssuer of no iss")
	}
}
