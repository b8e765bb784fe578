package caddymodule

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/session"
	"github.com/attestgate/caddy-attest/trust"
)

// TestCompatDefaults: Stytch lets a session last for 366 days (527,040 minutes), has
// no cap of sessions, and its SDKs verify RS256 only. What is given holds.
func TestCompatDefaults(t *testing.T) {
	const compat = `"project":{"id":"p"},"compat":{"mode":"stytch"}`
	for text, want := range map[string]session.Config{
		`{}`:               {},
		`{` + compat + `}`: {MaxDuration: 527_040 * time.Minute, PerMember: -1},
		`{` + compat + `,"session":{"max_duration":"1h","per_member":5}}`: {MaxDuration: time.Hour, PerMember: 5},
	} {
		var a App
		decode(t, text, &a)
		if diff := cmp.Diff(want, a.sessionConfig()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
		if err := check(false, func(c *checker) { c.app(&a) }); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	var a App
	decode(t, `{`+compat+`}`, &a)
	if got := a.ringConfig().Algorithm; got != "RS256" {
		t.Errorf("compat signs with %q", got)
	}
	if got := a.issuer(); got != "stytch.com/p" {
		t.Errorf("compat is %q", got)
	}
}

// TestServedParts: what an attest_api serves that names nothing.
func TestServedParts(t *testing.T) {
	for want, secrets := range map[string][]ProjectSecret{
		"keys":                     nil,
		"keys sessions":            {{Scopes: []string{"sessions"}}},
		"keys directory":           {{Scopes: []string{"directory", "read"}}},
		"keys sessions directory":  {{Scopes: []string{"read"}}},
		"keys sessions  directory": {{}},
	} {
		a := App{Project: &Project{ID: "p", Secrets: secrets}}
		if got := a.serves(); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%v: got %v, want %s", secrets, got, want)
		}
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
