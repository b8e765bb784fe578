package trust_test

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/trust"
	"github.com/attestgate/caddy-attest/trust/trusttest"
)

func TestNewProfileRefuses(t *testing.T) {
	captured := func(organization string, issuers ...string) func(*trust.Config) {
		return func(c *trust.Config) { c.Issuers, c.Organization = issuers, organization }
	}
	const entra = "https://login.example/{tid}/v2"
	for _, c := range []struct {
		name   string
		config func(*trust.Config)
		option string
		reason string
	}{
		{"no name", func(c *trust.Config) { c.Name = "" }, "name", "must be"},
		{"name any", func(c *trust.Config) { c.Name = "any" }, "name", "any, off, own or api"},
		{"name off", func(c *trust.Config) { c.Name = "off" }, "name", "any, off, own or api"},
		{"name in capitals", func(c *trust.Config) { c.Name = "Acme" }, "name", "must be"},
		{"name that begins with a hyphen", func(c *trust.Config) { c.Name = "-acme" }, "name", "must be"},
		{"name with a dot", func(c *trust.Config) { c.Name = "ac.me" }, "name", "must be"},
		{"name too long", func(c *trust.Config) { c.Name = strings.Repeat("a", 65) }, "name", "must be"},
		{"no issuer", func(c *trust.Config) { c.Issuers = nil }, "issuer", "missing"},
		{"issuer empty", captured("", ""), "issuer", "1 to 2048"},
		{"issuer with a newline", captured("", "https://a\n"), "issuer", "control"},
		{"issuer with an open capture", captured("", "https://{tid"), "issuer", "without }"},
		{"issuer with a closed capture", captured("", "https://tid}"), "issuer", "without {"},
		{"capture without a name", captured("", "https://{}"), "issuer", "named by"},
		{"capture twice", captured("", "https://{a}/{a}"), "issuer", "twice"},
		{"captures without anything between", captured("", "https://{a}{b}"), "issuer", "followed by"},
		{"capture that runs into the next text", captured("", "https://{a}x.example"), "issuer", "followed by"},
		{"X-03 issuers of which one leaves the tenant free", captured("{claims.tid}", entra, "https://other.example"), "issuer", "same names"},
		{"issuers that capture differently", captured("{claims.tid}", entra, "https://{x}.example"), "issuer", "same names"},
		{"no audience", func(c *trust.Config) { c.Audiences = nil }, "audience", "missing"},
		{"audience empty", func(c *trust.Config) { c.Audiences = []string{""} }, "audience", "empty"},
		{"CVE-2026-27586 no keys", func(c *trust.Config) { c.Keys = nil }, "keys", "missing"},
		{"keys for none of the algorithms", func(c *trust.Config) { c.Algorithms = []string{"RS256"} }, "keys", "none is for any"},
		{"J-02 HS256", func(c *trust.Config) { c.Algorithms = []string{"HS256"} }, "algorithms", "shared secret"},
		{"J-01 none", func(c *trust.Config) { c.Algorithms = []string{"none"} }, "algorithms", "not supported"},
		{"algorithm in lower case", func(c *trust.Config) { c.Algorithms = []string{"es256"} }, "algorithms", "not supported"},
		{"type empty", types(""), "types", "not a media type"},
		{"type with a space", types("a b"), "types", "not a media type"},
		{"C-01 leeway over a minute", func(c *trust.Config) { c.Leeway = 61 * time.Second }, "leeway", "more than 1m0s"},
		{"negative age", func(c *trust.Config) { c.MaxTokenAge = -1 }, "max_token_age", "negative"},
		{"negative lifetime", func(c *trust.Config) { c.MaxLifetime = -1 }, "max_lifetime", "negative"},
		{"required claim without a name", requires("", "x"), "require_claims", "missing"},
		{"attribute that is none", maps("user_id", "sub"), "map", "not an attribute"},
		{"attribute without a claim", maps("email", ""), "map", "missing"},
		{"metadata without a key", maps("trusted_metadata.", "x"), "map", "missing"},
		{"roles that nothing is mapped to", func(c *trust.Config) { c.Roles = map[string][]string{"a": {"b"}} }, "roles", "no claim is mapped"},
		{"roles of nothing", func(c *trust.Config) {
			maps("roles", "groups")(c)
			c.Roles = map[string][]string{"a": nil}
		}, "roles", "empty"},
		{"email domain with @", domains("@example.com"), "email_domains", "not a domain"},
		{"email domain with a star", domains("*.example.com"), "email_domains", "not a domain"},
		{"email domain not ASCII", domains("exämple.com"), "email_domains", "not a domain"},
		{"email assumed verified of no domain", func(c *trust.Config) { c.AssumeEmailVerified = true }, "email_verified", "no effect"},
		{"namespace in capitals", func(c *trust.Config) { c.Namespace = "Staff" }, "namespace", "must be"},
		{"profile api, whose namespace is that of the API", func(c *trust.Config) { c.Name = "api" }, "name", "any, off, own or api"},
		{"profile own, which is the word for a namespace", func(c *trust.Config) { c.Name = "own" }, "name", "any, off, own or api"},
		{"organization with a space", organization("a b"), "organization", "may hold"},
		{"organization too long", organization(strings.Repeat("o", 129)), "organization", "128"},
		{"organization with an open placeholder", organization("{claims.org"), "organization", "spelled"},
		{"organization with another placeholder", organization("{env.ORG}"), "organization", "spelled"},
		{"organization with an empty placeholder", organization("{claims.}"), "organization", "spelled"},
		{"organization with a lone }", organization("org}"), "organization", "may hold"},
		{"X-03 captured issuer and no organization", captured("", entra), "organization", "begin with"},
		{"X-03 captured issuer and a fixed organization", captured("acme", entra), "organization", "begin with"},
		{"X-03 captured issuer and another claim", captured("{claims.org}", entra), "organization", "begin with"},
		{"X-03 captured issuer, another claim first", captured("{claims.org}:{claims.tid}", entra), "organization", "begin with"},
		{"X-03 captured issuer, ambiguous end", captured("{claims.tid}-{claims.org}", entra), "organization", "begin with"},
		{"X-03 captured issuer, no end", captured("{claims.tid}{claims.org}", entra), "organization", "begin with"},
		{"X-03 one of two captures", captured("{claims.tid}", "https://{region}.example/{tid}"), "organization", "begin with"},
		{"X-03 one capture twice instead of two", captured("{claims.tid}:{claims.tid}", "https://{region}.example/{tid}"), "organization", "begin with"},
		{"X-03 fixed, but the wrong claim is pinned", func(c *trust.Config) {
			captured("acme", entra)(c)
			requires("org", "x")(c)
		}, "organization", "begin with"},
		{"X-03 fixed, but the capture is only required", func(c *trust.Config) {
			captured("acme", entra)(c)
			requires("tid", "")(c)
		}, "organization", "begin with"},
		{"a rate without what it limits", func(c *trust.Config) { c.CreateOrganizationsPerHour = 5 }, "create", "what it limits"},
		{"roles mapped and none listed", maps("roles", "groups"), "map", "every role would be dropped"},
		{"a role twice", func(c *trust.Config) {
			roles(c)
			c.Roles["admins"] = []string{"admin", "admin"}
		}, "roles", "twice"},
		{"every email domain and one more", domains("*", "example.com"), "email_domains", "stands alone"},
		{"email domain twice", domains("example.com", "Example.COM"), "email_domains", "twice"},
		{"issuer twice", captured("", "https://a", "https://a"), "issuer", "twice"},
		{"audience twice", func(c *trust.Config) { c.Audiences = []string{"a", "a"} }, "audience", "twice"},
		{"algorithm twice", func(c *trust.Config) { c.Algorithms = []string{"ES256", "ES256"} }, "algorithms", "twice"},
		{"type twice", types("JWT", "application/jwt"), "types", "twice"},
		{"required claim twice", func(c *trust.Config) { c.RequireClaims = []trust.RequiredClaim{{Path: "a"}, {Path: "a", Value: "x"}} }, "require_claims", "twice"},
		{"idle time that is never reached", func(c *trust.Config) { c.SessionDuration, c.SessionIdle = time.Hour, 2*time.Hour }, "session idle", "is longer than the session"},
		{"an age of 292 years", func(c *trust.Config) { c.MaxTokenAge = math.MaxInt64 }, "max_token_age", "ten years"},
		{"a lifetime of 292 years", func(c *trust.Config) { c.MaxLifetime = math.MaxInt64 }, "max_lifetime", "ten years"},
		{"a factor for 292 years", func(c *trust.Config) { c.Factor.ValidFor = math.MaxInt64 }, "factor valid_for", "ten years"},
		{"a session of 292 years", func(c *trust.Config) { c.SessionDuration = math.MaxInt64 }, "session duration", "ten years"},
		{"an idle time of 292 years", func(c *trust.Config) { c.SessionIdle = math.MaxInt64 }, "session idle", "ten years"},
		{"negative rate", func(c *trust.Config) { c.CreateMembersPerHour = -1 }, "create", "negative"},
		{"second factor that creates", func(c *trust.Config) { c.CreateMembers, c.Factor.SecondOnly = true, true }, "create", "never creates"},
		{"organizations to create that nobody names", func(c *trust.Config) { c.CreateOrganizations = true }, "create", "only be created"},
		{"factor with a space", func(c *trust.Config) { c.Factor.Type = "a b" }, "factor", "must be"},
		{"factor with a negative time", func(c *trust.Config) { c.Factor.ValidFor = -1 }, "factor valid_for", "negative"},
		{"negative session", func(c *trust.Config) { c.SessionIdle = -1 }, "session idle", "negative"},
		{"session key without a name", sessionKey("a", ""), "session_key", "missing"},
		{"session key twice", sessionKey("a", "a"), "session_key", "twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := newWorld(t).config(c.config)
			p, err := trust.NewProfile(config)
			var e *trust.ConfigError
			if p != nil || !errors.As(err, &e) {
				t.Fatalf("%v, %v", p, err)
			}
			if e.Profile != config.Name || e.Option != c.option || !strings.Contains(e.Reason, c.reason) {
				t.Errorf("%+v, want option %s and %q", e, c.option, c.reason)
			}
			if e.Value != "" && !strings.HasPrefix(e.Reason, strconv.Quote(e.Value)+" ") {
				t.Errorf("reason %q does not begin with value %q", e.Reason, e.Value)
			}
			if config.Name != "" && !strings.HasPrefix(err.Error(), `trust: profile "`+config.Name+`": `+c.option+": ") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestNewProfileDefaults(t *testing.T) {
	w := newWorld(t)
	c := w.profile(func(c *trust.Config) { c.Now = nil }).Config()
	if c.AudienceClaim != "aud" || c.Leeway != time.Minute || c.MaxLifetime != 24*time.Hour || c.Factor.Type != "trusted_auth_token" || c.Now == nil {
		t.Errorf("%+v", c)
	}
	want := []string{jose.RS256, jose.RS384, jose.RS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA}
	if !slices.Equal(c.Algorithms, want) {
		t.Errorf("algorithms %v", c.Algorithms)
	}
}

// What the caller does to its Config afterwards is not the profile's affair.
func TestNewProfileKeepsItsConfig(t *testing.T) {
	w := newWorld(t)
	config := w.config(maps("name", "n"))
	p := profile(t, config)
	config.Audiences[0], config.Issuers[0], config.Map["external_id"] = "x", "x", "x"
	accept(t, p, w.Sign(nil))
}

func TestKeySources(t *testing.T) {
	k := trusttest.NewKey(t, jose.ES256)
	var seventeen [][]byte
	for range 17 {
		seventeen = append(seventeen, trusttest.NewKey(t, jose.ES256).PEM(t))
	}
	for name, try := range map[string]func() error{
		"no PEM":               func() error { _, err := trust.PEMKeys(); return err },
		"empty PEM":            func() error { _, err := trust.PEMKeys(nil); return err },
		"a bad PEM among good": func() error { _, err := trust.PEMKeys(k.PEM(t), []byte("x")); return err },
		"too many PEM":         func() error { _, err := trust.PEMKeys(seventeen...); return err },
		"not a key set":        func() error { _, err := trust.FileKeys([]byte("x")); return err },
		"set without keys":     func() error { _, err := trust.FileKeys([]byte(`{"keys":[]}`)); return err },
		"set of bad keys":      func() error { _, err := trust.FileKeys([]byte(`{"keys":[{"kty":"oct","k":"AA"}]}`)); return err },
		"an empty object":      func() error { _, err := trust.FileKeys([]byte(`{}`)); return err },
		"a private key at all": func() error {
			_, err := trust.FileKeys([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"))
			return err
		},
	} {
		if err := try(); err == nil || !strings.HasPrefix(err.Error(), "trust: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
