package trust_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/attestgate/caddy-attest/trust"
)

// installations have a secret each, which a test may change.
type installations map[string][]byte

func (i installations) keys(t *testing.T) *trust.SecretFiles {
	t.Helper()
	keys, err := trust.NewSecretFiles(func() (map[string][]byte, error) {
		now := map[string][]byte{}
		for name, secret := range i {
			now[name] = secret
		}
		return now, nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func byInstallation(keys trust.KeySource) func(*trust.Config) {
	return func(c *trust.Config) {
		c.Keys, c.SecretClaim, c.Organization = keys, "install", "{claims.install}"
	}
}

// Whoever has the secret of one installation is nobody in another, whatever the token says.
func TestClaimThatSelectsTheSecretCannotPickAnotherTenant(t *testing.T) {
	w := newWorld(t)
	p := w.profile(byInstallation(installations{"acme": secretA, "globex": secretB, "1.2": secretA}.keys(t)))
	signed := func(secret []byte, install any) string {
		return hs256(t, w, secret, map[string]any{"install": install})
	}
	a, b := accept(t, p, signed(secretA, "acme")), accept(t, p, signed(secretB, "globex"))
	if a.Organization.Value != "acme" || b.Organization.Value != "globex" || a.Namespace == b.Namespace || a.Issuer == b.Issuer {
		t.Errorf("%q in %q and %q in %q", a.Organization.Value, a.Namespace, b.Organization.Value, b.Namespace)
	}
	if same := accept(t, p, signed(secretA, "1.2")); same.Namespace == a.Namespace {
		t.Error("two installations of one secret are one")
	}
	for _, token := range map[string]string{
		"another's":        signed(secretA, "globex"),
		"nobody's":         signed(secretA, "initech"),
		"none":             hs256(t, w, secretA, nil),
		"an empty one":     signed(secretA, ""),
		"another spelling": signed(secretA, "Acme"),
		"a path":           signed(secretA, "../acme"),
		"a path below":     signed(secretA, "acme/"),
		"an array":         signed(secretA, []string{"acme"}),
		"a truth":          signed(secretA, true),
		"the zero secret":  signed(make([]byte, 32), "initech"),
	} {
		refuse(t, p, token, trust.CodeSignatureInvalid) // one answer, whatever there is
	}
}

func TestSecretsOfInstallationsChange(t *testing.T) {
	w := newWorld(t)
	held := installations{"acme": secretA}
	keys := held.keys(t)
	p := w.profile(byInstallation(keys))
	set, err := trust.NewSet(p)
	if err != nil {
		t.Fatal(err)
	}
	token := hs256(t, w, secretA, map[string]any{"install": "acme"})
	good := func(want bool) {
		t.Helper()
		if _, err := set.Verify(t.Context(), token, []string{p.Name()}); (err == nil) != want {
			t.Errorf("got %v", err)
		}
	}
	good(true)
	held["acme"] = secretB
	good(true)
	keys.Reload()
	good(false) // also though it was verified before
	held["acme"] = secretA
	keys.Reload()
	good(true)
	delete(held, "acme")
	keys.Reload()
	good(false)
}

// A secret that cannot be used is refused for its installation alone.
func TestBadSecretOfOneInstallation(t *testing.T) {
	w := newWorld(t)
	var refused []string
	fails := errors.New("away")
	var failing error
	held := map[string][]byte{"acme": secretA, "short": secretA[:31], "key": w.Key().PEM(t), ".hidden": secretA, "a..b": secretA, "a/b": secretA}
	keys, err := trust.NewSecretFiles(func() (map[string][]byte, error) { return held, failing }, func(names []string, err error) { refused = append(names, fmt.Sprint(err)) })
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(refused); got != "[.hidden a..b a/b key short <nil>]" {
		t.Errorf("refused %s", got)
	}
	p := w.profile(byInstallation(keys))
	failing = fails
	keys.Reload()
	accept(t, p, hs256(t, w, secretA, map[string]any{"install": "acme"}))
	refuse(t, p, hs256(t, w, secretA[:31], map[string]any{"install": "short"}), trust.CodeSignatureInvalid)
	if _, err := trust.NewSecretFiles(func() (map[string][]byte, error) { return nil, fails }, nil); !errors.Is(err, fails) {
		t.Errorf("got %v", err)
	}
}

// The organization must follow from the installation, or all be one.
func TestOrganizationFollowsFromTheInstallation(t *testing.T) {
	w := newWorld(t)
	keys := installations{"acme": secretA}.keys(t)
	for organization, good := range map[string]bool{
		"{claims.install}": true, "{claims.install}:x": true, "{claims.org}": false, "acme": false, "": false, "{claims.install}_{claims.org}": false, "{claims.install}.{claims.org}": false,
	} {
		_, err := trust.NewProfile(w.config(byInstallation(keys), func(c *trust.Config) { c.Organization = organization }))
		if (err == nil) != good {
			t.Errorf("%s: %v", organization, err)
		}
	}
	pinned := func(c *trust.Config) {
		c.Organization, c.RequireClaims = "acme", []trust.RequiredClaim{{Path: "install", Value: "acme"}}
	}
	if _, err := trust.NewProfile(w.config(byInstallation(keys), pinned)); err != nil {
		t.Error(err)
	}
	if _, err := trust.NewProfile(w.config(byInstallation(keys), func(c *trust.Config) { c.SecretClaim = "" })); err == nil {
		t.Error("a directory without a claim is taken")
	}
}
