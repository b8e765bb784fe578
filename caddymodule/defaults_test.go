package caddymodule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/trust"
)

// TestDefaults holds what the comments of the configuration promise.
func TestDefaults(t *testing.T) {
	tests := map[string]struct{ app, want string }{
		"nothing said": {`{}`, `{
			"local_cache":{"entries":10000,"max_age":5000000000},"on_store_outage":{},"keys":{"algorithm":"ES256"},
			"session":{"duration":3600000000000,"max_duration":2592000000000000,"jwt_lifetime":300000000000,"reuse_for":30000000000,
				"cookie":{"name":"__Host-session","same_site":"lax"}}}`},
		"something said": {
			`{"project":{"id":"p"},"compat":{"mode":"stytch"},"local_cache":{"off":true},
				"session":{"max_duration":60000000000,"reuse_for":0,"cookie":{"domain":"a.test"}},
				"organizations":{"acme":null},"profiles":{"demo":{"dev":true}}}`,
			`{"issuer":"stytch.com/p","project":{"id":"p"},"compat":{"mode":"stytch"},
				"local_cache":{"off":true},"on_store_outage":{},"keys":{"algorithm":"RS256"},
				"session":{"duration":60000000000,"max_duration":60000000000,"jwt_lifetime":300000000000,"reuse_for":0,
					"cookie":{"name":"__Secure-session","same_site":"lax","domain":"a.test"}},
				"organizations":{"acme":{}},
				"profiles":{"demo":{"issuers":["urn:attest:dev:demo"],"audiences":["urn:attest:dev"],"dev":true}}}`,
		},
		"keys of files name their algorithm": {`{"keys":{"files":["a"]}}`, `{
			"local_cache":{"entries":10000,"max_age":5000000000},"on_store_outage":{},"keys":{"files":["a"]},
			"session":{"duration":3600000000000,"max_duration":2592000000000000,"jwt_lifetime":300000000000,"reuse_for":30000000000,
				"cookie":{"name":"__Host-session","same_site":"lax"}}}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var a App
			decode(t, test.app, &a)
			a.fill()
			a.setDefaults()
			sameJSON(t, &a, test.want)
		})
	}
}

// TestRouteDefaults is the same for the handlers.
func TestRouteDefaults(t *testing.T) {
	app := App{Issuer: "https://a.test", Profiles: map[string]*Profile{"b": {}, "a": {}}, Templates: map[string]*Template{"default": {}}}
	bare, token, off := Attest{Any: true}, Attest{Profiles: []string{"b"}, ForwardJWT: &ForwardJWT{Header: "X-Jwt"}}, Attest{Off: true}
	for _, h := range []*Attest{&bare, &token, &off} {
		h.setDefaults(&app)
	}
	sameJSON(t, &bare, `{"profiles":["a","b"],"any":true,"audiences":["https://a.test"],"template":"default","jwt_lifetime":60000000000,"forward_jwt":{"header":"Authorization","scheme":"Bearer"}}`)
	sameJSON(t, &token, `{"profiles":["b"],"audiences":["https://a.test"],"template":"default","jwt_lifetime":60000000000,"forward_jwt":{"header":"X-Jwt"}}`)
	sameJSON(t, &off, `{"off":true}`)

	scopes := map[string][]ProjectSecret{
		`{"serve":["keys"]}`:                         nil,
		`{"serve":["keys","sessions"]}`:              {{Scopes: []string{"sessions"}}},
		`{"serve":["keys","directory"]}`:             {{Scopes: []string{"directory", "read"}}},
		`{"serve":["keys","sessions","directory"]}`:  {{Scopes: []string{"read"}}},
		`{"serve":[ "keys","sessions","directory"]}`: {{}},
	}
	for want, secrets := range scopes {
		var h API
		h.setDefaults(&App{Project: &Project{ID: "p", Secrets: secrets}})
		sameJSON(t, &h, want)
	}
}

// TestProfileInTheWordsOfTrust: every field arrives.
func TestProfileInTheWordsOfTrust(t *testing.T) {
	zero, minute := caddy.Duration(0), caddy.Duration(time.Minute)
	p := Profile{
		Issuers: []string{"i"}, Audiences: []string{"a"}, AudienceClaim: "c", Dev: true, Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Leeway: &minute, MaxTokenAge: minute, MaxLifetime: minute, RequireClaims: []RequiredClaim{{"n", "v"}},
		Map: map[string]string{"email": "m"}, Roles: map[string][]string{"V": {"r"}}, EmailDomains: []string{"*"}, AssumeEmailVerified: true,
		Namespace: "n", Organization: "o", Create: &Create{true, 1, true, 2}, Factor: &Factor{"f", true, minute},
		SessionKey: []string{"s"}, Session: &ProfileSession{minute, minute},
	}
	want := trust.Config{
		Name: "name", Issuers: []string{"i"}, Audiences: []string{"a"}, AudienceClaim: "c", Algorithms: []string{"RS256"}, Types: []string{"JWT"},
		Leeway: time.Minute, MaxTokenAge: time.Minute, MaxLifetime: time.Minute, RequireClaims: []trust.RequiredClaim{{Path: "n", Value: "v"}},
		Map: map[string]string{"email": "m"}, Roles: map[string][]string{"V": {"r"}}, EmailDomains: []string{"*"}, AssumeEmailVerified: true,
		Namespace: "n", Organization: "o", CreateMembers: true, CreateMembersPerHour: 1, CreateOrganizations: true, CreateOrganizationsPerHour: 2,
		Factor: trust.Factor{Type: "f", SecondOnly: true, ValidFor: time.Minute}, SessionKey: []string{"s"},
		SessionDuration: time.Minute, SessionIdle: time.Minute, Dev: true,
	}
	if diff := cmp.Diff(want, p.trusted("name")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for leeway, want := range map[*caddy.Duration]time.Duration{nil: 0, &zero: -1, &minute: time.Minute} {
		if got := (&Profile{Leeway: leeway}).trusted("").Leeway; got != want {
			t.Errorf("leeway: got %v, want %v", got, want)
		}
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := caddy.StrictUnmarshalJSON([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// sameJSON compares a value with the JSON that it should be.
func sameJSON(t *testing.T, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var g, w any
	decode(t, string(text), &g)
	decode(t, want, &w)
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
