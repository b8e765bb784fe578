package caddymodule

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
	"github.com/attestgate/caddy-attest/trust"
)

// profile checks one profile, by itself and within the app. Package
// trust has the rules of a profile; here are those of the language, and those that
// only the whole configuration can break.
func (c *checker) profile(at grammar.Place, name string, p *Profile, a *App) {
	before := len(c.Problems)
	c.profileTexts(at, p)
	c.profileKeys(at, p)
	c.profileNumbers(at, p)
	if len(c.Problems) > before {
		return
	}
	if profile := c.trusts(at, name, p); profile != nil {
		c.profileIsNotGateway(at, profile, a)
		c.profileIsAdmitted(at, name, p, a)
	}
}

// profileTexts checks for placeholders: where one is replaced, that it can be;
// everywhere else, that there is none.
func (c *checker) profileTexts(at grammar.Place, p *Profile) {
	for _, issuer := range p.Issuers {
		c.KnownButCaptures(at.At("issuer", issuer), issuer)
	}
	c.Plain(at.At("issuer"), p.SubjectPrefix)
	for _, audience := range p.Audiences {
		c.Known(at.At("audience", audience), audience)
	}
	c.Plain(at.At("audience"), p.AudienceClaim)
	c.Plain(at.At("namespace"), p.Namespace)
	c.Plain(at.At("organization"), p.Organization)
	for attribute, path := range sorted(p.Map) {
		c.Plain(at.At("map", attribute), path)
	}
	c.Plain(at.At("map", trust.AttributeRoles), p.RolesForm.Field+p.RolesForm.Split)
	for _, r := range p.RequireClaims {
		c.Plain(at.At("require_claims", r.Claim), r.Claim+r.Value)
	}
	for value, roles := range sorted(p.Roles) {
		c.Plain(at.At("roles"), value+strings.Join(roles, ""))
	}
}

// profileNumbers refuses a negative leeway and age of keys, which package trust takes
// for none.
func (c *checker) profileNumbers(at grammar.Place, p *Profile) {
	if p.Leeway != nil {
		c.NotNegative(at.At("leeway"), *p.Leeway)
	}
	if p.StaleKeys != nil {
		c.NotNegative(at.At("stale_keys"), *p.StaleKeys)
	}
}

// profileIsNotGateway refuses a profile that would accept tokens of the gateway
// itself: what it signs must never start a session with it (RFC 8725 §3.12).
func (c *checker) profileIsNotGateway(at grammar.Place, profile *trust.Profile, a *App) {
	own := a.issuer()
	if own == "" {
		return
	}
	set, err := trust.NewSet(profile)
	if err == nil {
		err = set.CheckIssuer(grammar.StandIn(own))
	}
	if err != nil {
		c.Refuse(at.At("issuer"), "a token of the gateway itself would fit, and what it signs is never evidence for it")
	}
}

// profileIsAdmitted refuses an organization that is known to be out of reach.
func (c *checker) profileIsAdmitted(at grammar.Place, name string, p *Profile, a *App) {
	id, ok := a.organizationNamed(p.Organization)
	if ok && !slices.Contains(a.Organizations[id].Profiles, name) {
		c.Refuse(at.At("organization"), "organization '%s' does not admit this profile; add it to its 'profiles'", id)
	}
}

// organizationNamed is the configured organization that the operator's word
// names: by its id, else by its external id.
func (a *App) organizationNamed(text string) (id string, ok bool) {
	if _, ok := a.Organizations[text]; ok {
		return text, true
	}
	for id, o := range sorted(a.Organizations) {
		if text != "" && o.ExternalID == text {
			return id, true
		}
	}
	return "", false
}

// profileKeys checks that a profile's keys come from one place.
func (c *checker) profileKeys(at grammar.Place, p *Profile) {
	switch sources := p.keySources(); len(sources) {
	case 1:
	case 0:
		c.Refuse(at, "expected keys: one of %s", grammar.OneOf(keySources...))
	default:
		c.Refuse(at.At(sources[len(sources)-1]), "the keys come from '%s' already; a profile has one of %s", sources[0], grammar.OneOf(keySources...))
	}
	if p.keysURL() != nil {
		c.jwksURL(at, p)
	}
	if p.Introspect != nil {
		c.introspect(at, p.Introspect)
	}
	if p.JWKSFile != "" {
		c.paths(at.At("jwks_file"), p.JWKSFile)
	}
	c.paths(at.At("public_key_file"), p.PublicKeyFiles...)
	c.sharedSecrets(at.At("shared_secret"), p.SharedSecrets)
	c.secretFiles(at.At("shared_secret"), p)
	if p.StaleKeys != nil && p.keysURL() == nil {
		c.Refuse(at.At("stale_keys"), "only keys from 'jwks_url' and 'discover' can become stale")
	}
}

// keySources are the words that say where keys come from.
var keySources = []string{"jwks_url", "discover", "introspect", "jwks_file", "public_key_file", "shared_secret", "dev"}

// keySources are those of the words that the profile uses.
func (p *Profile) keySources() []string {
	used := []bool{p.JWKSURL != nil, p.Discover != nil, p.Introspect != nil, p.JWKSFile != "", len(p.PublicKeyFiles) > 0, len(p.SharedSecrets) > 0 || p.SecretFiles != nil, p.Dev}
	var sources []string
	for i, source := range keySources {
		if used[i] {
			sources = append(sources, source)
		}
	}
	return sources
}

// jwksURL checks where keys are fetched from, as far as no placeholder hides it.
func (c *checker) jwksURL(at grammar.Place, p *Profile) {
	k, word := p.keysURL(), "jwks_url"
	remote := k.config()
	remote.URL, remote.StaleFor = keysURL, orNone(p.StaleKeys)
	if p.Discover != nil {
		word = "discover"
	}
	switch known := c.Known(at.At(word), k.URL); {
	case known && p.Discover != nil:
		remote.URL, remote.Discover = "", k.URL
	case known:
		remote.URL = k.URL
	default:
		remote.AllowHTTP = false
	}
	if err := remote.Check(); err != nil {
		c.Problems = append(c.Problems, profileProblem(at, err))
	}
	c.remoteOptions(at.At(word), k)
}

// remoteOptions checks what says how an address is reached.
func (c *checker) remoteOptions(at grammar.Place, k *JWKSURL) {
	for name, file := range map[string]string{"bearer": k.Bearer, "ca": k.CA, "client_cert": k.ClientCert} {
		if file != "" {
			c.paths(at.At(name), file)
		}
	}
	if (k.ClientCert == "") != (k.ClientKey == "") {
		c.Refuse(at.At("client_cert"), "expected a certificate and its key")
	}
	if u, err := url.Parse(k.Proxy); k.Proxy != "" && c.Known(at.At("proxy"), k.Proxy) && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		c.Refuse(at.At("proxy"), "expected an http or https URL")
	}
	for name, value := range sorted(k.Headers) {
		c.Known(at.At("header"), value)
		if !validHeader(name) {
			c.Refuse(at.At("header"), "'%s' is no header that can be set here", name)
		}
	}
}

// validHeader tells whether a request for keys may have the header.
func validHeader(name string) bool {
	return httpguts.ValidHeaderFieldName(name) && !slices.Contains([]string{"Accept", "User-Agent", "Host", "Accept-Encoding", "Connection"}, http.CanonicalHeaderKey(name))
}

// secretFiles checks where secrets of installations lie.
func (c *checker) secretFiles(at grammar.Place, p *Profile) {
	f := p.SecretFiles
	switch {
	case f == nil:
	case len(p.SharedSecrets) > 0:
		c.Refuse(at, "the secrets are given here, or lie in a directory")
	default:
		c.paths(at, f.Directory)
	}
}

// sharedSecrets checks them one by one, so that no message names one.
func (c *checker) sharedSecrets(at grammar.Place, secrets []string) {
	for i, secret := range secrets {
		if !c.Known(at, secret) {
			continue
		}
		if _, err := trust.SharedSecrets([]byte(secret)); err != nil {
			c.Refuse(at, "secret %d: expected %d bytes or more that are no key and no certificate", i+1, trust.MinSecretBytes)
		}
	}
}
