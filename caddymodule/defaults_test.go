package caddymodule

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/attestgate/caddy-attest/session"
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

// TestZeroIsNone: a leeway and an age of keys of 0 are none, not the default.
func TestZeroIsNone(t *testing.T) {
	zero, minute := caddy.Duration(0), caddy.Duration(time.Minute)
	for d, want := range map[*caddy.Duration]time.Duration{nil: 0, &zero: -1, &minute: time.Minute} {
		p := Profile{Leeway: d, StaleKeys: d, JWKSURL: new(JWKSURL)}
		remote, err := p.remote()
		if got := p.trusted("").Leeway; err != nil || got != want || remote.StaleFor != want {
			t.Errorf("got %v and %v, %v; want %v", got, remote.StaleFor, err, want)
		}
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := caddy.StrictUnmarshalJSON([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// TestRedisCertAndKeyInOneFile: many tools write both into one file, which is then
// named twice. The certificate was lost.
func TestRedisCertAndKeyInOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(file, []byte("both"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := RedisStore{Addresses: []string{"rediss://a:1"}, TLS: &RedisTLS{Cert: file, Key: file}}
	c, err := s.config()
	if err != nil || string(c.TLS.Cert) != "both" || string(c.TLS.Key) != "both" {
		t.Errorf("got cert %q and key %q, %v", c.TLS.Cert, c.TLS.Key, err)
	}
}
