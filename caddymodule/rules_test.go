package caddymodule

import (
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// TestRulesOfJSON shows the mistakes that only JSON can hold: they cannot be written in
// a Caddyfile.
func TestRulesOfJSON(t *testing.T) {
	tests := map[string]struct{ app, want string }{
		"negative cache age":          {`{"local_cache":{"max_age":-1}}`, "local_cache: a duration cannot be negative"},
		"negative cache entries":      {`{"local_cache":{"entries":-1}}`, "local_cache: the number of entries cannot be negative"},
		"cache off and on":            {`{"local_cache":{"off":true,"entries":5}}`, "local_cache: 'off' remembers no entries for no time"},
		"negative outage":             {`{"on_store_outage":{"serve_cached":-1}}`, "on_store_outage: a duration cannot be negative"},
		"negative session":            {`{"session":{"duration":"-1h"}}`, "session duration: a duration cannot be negative"},
		"unknown same_site":           {`{"session":{"cookie":{"same_site":"Lax"}}}`, "session cookie same_site: expected lax, strict or none"},
		"unknown key algorithm":       {`{"keys":{"algorithm":"HS256"}}`, "keys algorithm: must be ES256, RS256 or EdDSA"},
		"key file without name":       {`{"keys":{"files":[""]}}`, "keys file: expected the name of a file"},
		"key file with a zero byte":   {`{"keys":{"files":["a\u0000b"]}}`, "keys file: expected the name of a file"},
		"unknown dialect":             {`{"project":{"id":"p"},"compat":{"mode":"auth0"}}`, "compat auth0: unrecognized; expected stytch"},
		"unknown scope":               {`{"project":{"id":"p","secrets":[{"secret":"0123456789abcdef0123456789abcdef","scopes":["admin"]}]}}`, "project secret admin: unrecognized; expected sessions, directory or read"},
		"template of nothing":         {`{"templates":{"a":{}}}`, "template a: expected either the text of a template or 'file <path>'"},
		"template that is null":       {`{"templates":{"a":null}}`, "template a: expected either the text of a template or 'file <path>'"},
		"template of both":            {`{"templates":{"a":{"text":"{}","file":"b"}}}`, "template a: expected either the text of a template or 'file <path>'"},
		"resource without actions":    {`{"resources":{"a":null}}`, "resource a: expected at least one action"},
		"permission without actions":  {`{"resources":{"a":{"actions":["r"]}},"roles":{"x":{"permissions":[{"resource":"a"}]}}}`, "role x allow a: expected at least one action"},
		"organization metadata":       {`{"organizations":{"a":{"metadata":[1]}}}`, "organization a metadata: expected a JSON object: strictjson: not an object"},
		"profile that is null":        {`{"profiles":{"a":null}}`, "profile a: expected keys: one of jwks_url, discover, introspect, jwks_file, public_key_file, shared_secret or dev"},
		"a certificate without key":   {`{"profiles":{"a":{"audiences":["x"],"discover":{"url":"https://i.test","client_cert":"a.pem"}}}}`, "profile a discover client_cert: expected a certificate and its key"},
		"unknown algorithm":           {`{"profiles":{"a":{"dev":true,"algorithms":["HS256"]}}}`, "profile a algorithms: HS256 needs a shared secret, and this profile has public keys"},
		"unknown attribute":           {`{"profiles":{"a":{"dev":true,"map":{"phone":"tel"}}}}`, `profile a map phone: is not an attribute`},
		"value without roles":         {`{"profiles":{"a":{"dev":true,"map":{"roles":"r"},"roles":{"X":[]}}}}`, "profile a roles: a value or a role is empty"},
		"role twice":                  {`{"profiles":{"a":{"dev":true,"map":{"roles":"r"},"roles":{"X":["y","y"]}}}}`, "profile a roles y: is listed twice"},
		"rate without members":        {`{"profiles":{"a":{"dev":true,"create":{"members_per_hour":5}}}}`, "profile a create: a rate without what it limits"},
		"negative rate":               {`{"profiles":{"a":{"dev":true,"create":{"members":true,"members_per_hour":-5}}}}`, "profile a create: a rate is negative"},
		"negative leeway is no trick": {`{"profiles":{"a":{"dev":true,"leeway":"-5s"}}}`, "profile a leeway: a duration cannot be negative"},
		"factor without type":         {`{"profiles":{"a":{"dev":true,"factor":{"valid_for":-1}}}}`, "profile a factor valid_for: is negative"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var a App
			if err := caddy.StrictUnmarshalJSON([]byte(test.app), &a); err != nil {
				t.Fatal(err)
			}
			a.fill()
			wantProblem(t, check(false, func(c *checker) { c.app(&a) }), test.want)
		})
	}
}

// TestRulesOfRouteJSON is the same for the handlers.
func TestRulesOfRouteJSON(t *testing.T) {
	tests := map[string]struct{ route, want string }{
		"any and more":      {`{"any":true,"profiles":["demo"]}`, "attest: 'any' is every profile and stands alone"},
		"off and any":       {`{"off":true,"any":true}`, "attest: 'off' admits nobody, so that nothing else can be said"},
		"negative lifetime": {`{"jwt_lifetime":-1}`, "attest jwt_lifetime: a duration cannot be negative"},
		"empty audience":    {`{"audiences":[""]}`, `attest audience : expected 1 to 256 bytes`},
	}
	app := App{Profiles: map[string]*Profile{"demo": {Dev: true}}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var h Attest
			if err := caddy.StrictUnmarshalJSON([]byte(test.route), &h); err != nil {
				t.Fatal(err)
			}
			wantProblem(t, check(false, func(c *checker) { c.route(attestPlace, &h, &app) }), test.want)
		})
	}
	h := API{Serve: []string{"everything"}}
	wantProblem(t, check(false, func(c *checker) { c.api(&h, &app) }), "attest_api serve everything: unrecognized; expected keys, sessions or directory")
}

// TestRulesOfRedisJSON is the same for the store.
func TestRulesOfRedisJSON(t *testing.T) {
	tests := map[string]struct {
		store RedisStore
		want  string
	}{
		"no address":       {RedisStore{}, "store redis: none is given"},
		"negative db":      {RedisStore{Addresses: []string{"a:1"}, DB: -1}, "store redis db: -1 is negative"},
		"negative timeout": {RedisStore{Addresses: []string{"a:1"}, Timeout: -1}, "store redis timeout: -1ns is negative"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, check(true, func(c *checker) { c.redis(&test.store) }), test.want)
		})
	}
}

// wantProblem holds that a problem was found, and that it is the only kind.
func wantProblem(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatal("nothing is refused")
	}
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestEveryProblemIsReported: who writes JSON sees all mistakes at once.
func TestEveryProblemIsReported(t *testing.T) {
	a := App{Issuer: "x", Secrets: []string{"short"}, Profiles: map[string]*Profile{"a": {}}}
	err := check(false, func(c *checker) { c.app(&a) })
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v", err)
	}
}

// TestT01PlaceholdersAreReplacedOnce: what comes out of a placeholder is never
// looked at for another (CVE-2026-30852), and nothing of a request is replaced.
func TestT01PlaceholdersAreReplacedOnce(t *testing.T) {
	values := map[string]string{"env.A": "{env.B}", "env.B": "secret", "file./f": "{system.hostname}", "system.hostname": "host"}
	tests := map[string]string{
		"{env.A}":           "{env.B}",
		"x{file./f}y":       "x{system.hostname}y",
		"{system.hostname}": "{system.hostname}",
		"{tid}/{env.B}":     "{tid}/secret",
		"plain":             "plain",
	}
	for text, want := range tests {
		r := &grammar.Replacer{Get: func(name string) (string, bool) { v, ok := values[name]; return v, ok }}
		got := text
		r.Text(nil, &got)
		if got != want || r.Err() != nil {
			t.Errorf("%s: got %s, %v; want %s", text, got, r.Err(), want)
		}
	}
}

// TestMissingSecretRefusesTheConfiguration: an empty variable or an unreadable
// file never leaves a gateway open (CVE-2026-27586), and the error names it
// without telling what else was read.
func TestMissingSecretRefusesTheConfiguration(t *testing.T) {
	t.Setenv("ATTEST_TEST_SECRET", "0123456789abcdef0123456789abcdef")
	tests := map[string]string{
		"{env.ATTEST_TEST_NONE}":                       "secret: the placeholder {env.ATTEST_TEST_NONE} is empty or cannot be read",
		"{file./nonexistent/secret}":                   "secret: the placeholder {file./nonexistent/secret} is empty or cannot be read",
		"{env.ATTEST_TEST_SECRET}{env.ATTEST_NOTHING}": "secret: the placeholder {env.ATTEST_NOTHING} is empty or cannot be read",
	}
	for secret, want := range tests {
		a := App{Secrets: []string{secret}}
		err := provision(func(c *checker) { c.app(&a) }, a.replace)
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v", secret, err)
		}
	}
	t.Setenv("ATTEST_TEST_SHORT", "hunter2")
	a := App{Secrets: []string{"{env.ATTEST_TEST_SHORT}"}}
	err := provision(func(c *checker) { c.app(&a) }, a.replace)
	if err == nil || err.Error() != "secret: number 1 has 7 bytes, want at least 32" {
		t.Errorf("a short one: %v", err)
	}
}

// TestRulesHoldBehindPlaceholders: what adaptation could not see is checked when
// the configuration is loaded.
func TestRulesHoldBehindPlaceholders(t *testing.T) {
	t.Setenv("ATTEST_TEST_URL", "http://idp.acme.test/jwks.json")
	t.Setenv("ATTEST_TEST_ISSUER", "https://gateway.acme.test")
	a := App{
		Issuer: "{env.ATTEST_TEST_ISSUER}",
		Profiles: map[string]*Profile{
			"one": {Issuers: []string{"https://a.test"}, Audiences: []string{"x"}, JWKSURL: &JWKSURL{URL: "{env.ATTEST_TEST_URL}"}},
			"two": {Issuers: []string{"https://gateway.acme.test/"}, Audiences: []string{"x"}, JWKSFile: "a.json"},
		},
	}
	if err := check(false, func(c *checker) { c.app(&a) }); err != nil {
		t.Fatalf("seen too early: %v", err)
	}
	err := provision(func(c *checker) { c.app(&a) }, a.replace)
	if err == nil {
		t.Fatal("nothing is refused")
	}
	for _, want := range []string{
		"profile one jwks_url: must be https (http only to a loopback host)",
		"profile two issuer: a token of the gateway itself would fit",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// A slug that was derived is no mistake.
func TestAnIDTooShortForASlugIsNoMistake(t *testing.T) {
	a := &App{Organizations: map[string]*Organization{"a": {}}}
	if err := check(false, func(c *checker) { c.organizations(a) }); err != nil {
		t.Error(err)
	}
	if err := check(true, func(c *checker) { c.organizations(a) }); err != nil {
		t.Error(err)
	}
}
