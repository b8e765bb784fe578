package caddymodule

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
)

// Words that name no profile, and the namespace of the ids that API callers
// give.
var reservedNames = []string{"any", "off"}

const apiNamespace = "api"

// maxLeeway is the widest clock difference a profile may allow.
const maxLeeway = caddy.Duration(time.Minute)

var tokenAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

// profile checks one profile, by itself and within the app.
func (c *checker) profile(at where, name string, p *Profile, a *App) {
	c.profileName(at, name, p)
	c.profileIssuers(at, name, p, a)
	c.profileAudiences(at, p)
	c.profileKeys(at, p)
	c.profileTokens(at, p)
	c.profileMap(at, p)
	c.profileRoles(at, p)
	c.profileEmails(at, p)
	c.profileOrganization(at, name, p, a)
	c.profileCreate(at, p)
	c.profileSessions(at, p)
}

// profileName checks the name and the namespace that comes of it.
func (c *checker) profileName(at where, name string, p *Profile) {
	c.form(at, name, nameForm, wantName)
	if slices.Contains(reservedNames, name) {
		c.refuse(at, "'any' and 'off' are words of the attest directive")
	}
	if name == apiNamespace && p.Namespace == "" {
		c.refuse(at, "its namespace would be that of the ids which API callers give; choose another name, or share them on purpose with 'namespace api'")
	}
	if p.Namespace != "" {
		c.form(at.at("namespace"), p.Namespace, nameForm, wantName)
	}
}

// capture is a part of an issuer that the token fills in.
var capture = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

// profileIssuers checks whom the profile believes, which is never the gateway:
// its own JWTs are told from a stranger's by their issuer (RFC 8725, section
// 3.8).
func (c *checker) profileIssuers(at where, name string, p *Profile, a *App) {
	if len(p.issuers(name)) == 0 {
		c.refuse(at, "expected an 'issuer'")
	}
	at = at.at("issuer")
	for _, issuer := range p.Issuers {
		c.issuerText(at.at(issuer), issuer)
		if own := a.issuer(); own != "" && issuer == own {
			c.refuse(at.at(issuer), "this is the gateway itself")
		}
	}
	c.unique(at, p.Issuers)
}

// issuerText checks the text of one issuer.
func (c *checker) issuerText(at where, issuer string) {
	for _, name := range placeholders(issuer) {
		if !capture.MatchString(name) && (c.replaced || !isReplaced(name)) {
			c.refuse(at, "'{%s}' is neither {env.NAME} or {file.PATH} nor a capture such as {tid}", name)
		}
	}
	if !isLabel(issuer) {
		c.refuse(at, "expected 1 to %d bytes of text without control characters", maxLabel)
	}
}

// profileAudiences checks for whom the tokens must be.
func (c *checker) profileAudiences(at where, p *Profile) {
	if len(p.audiences()) == 0 {
		c.refuse(at, "expected an 'audience': without one, a token made for any other app would be good here")
	}
	at = at.at("audience")
	for _, audience := range p.Audiences {
		if c.known(at.at(audience), audience) && !isLabel(audience) {
			c.refuse(at.at(audience), "expected 1 to %d bytes of text without control characters", maxLabel)
		}
	}
	c.unique(at, p.Audiences)
	if p.AudienceClaim != "" {
		c.label(at, p.AudienceClaim)
	}
}

// profileKeys checks that the keys come from one place.
func (c *checker) profileKeys(at where, p *Profile) {
	switch sources := p.keySources(); len(sources) {
	case 1:
	case 0:
		c.refuse(at, "expected keys: one of %s", oneOf(keySources...))
	default:
		c.refuse(at.at(sources[len(sources)-1]), "the keys come from '%s' already; a profile has one of %s", sources[0], oneOf(keySources...))
	}
	if p.JWKSURL != nil {
		c.jwksURL(at.at("jwks_url"), p.JWKSURL)
	}
	if p.JWKSFile != "" {
		c.paths(at.at("jwks_file"), p.JWKSFile)
	}
	c.paths(at.at("public_key_file"), p.PublicKeyFiles...)
	if p.StaleKeys != nil {
		c.notNegative(at.at("stale_keys"), *p.StaleKeys)
		if p.JWKSURL == nil {
			c.refuse(at.at("stale_keys"), "only keys from 'jwks_url' can become stale")
		}
	}
}

// keySources are the words that say where keys come from.
var keySources = []string{"jwks_url", "jwks_file", "public_key_file", "dev"}

// keySources are those of the words that the profile uses.
func (p *Profile) keySources() []string {
	used := []bool{p.JWKSURL != nil, p.JWKSFile != "", len(p.PublicKeyFiles) > 0, p.Dev}
	var sources []string
	for i, source := range keySources {
		if used[i] {
			sources = append(sources, source)
		}
	}
	return sources
}

// jwksURL checks where keys are fetched from: what anyone on the way could
// change is no key.
func (c *checker) jwksURL(at where, k *JWKSURL) {
	if c.known(at, k.URL) {
		c.url(at, k.URL, "https", "http")
		if strings.HasPrefix(k.URL, "http://") && !isLoopbackURL(k.URL) {
			c.refuse(at, "expected https: http is for loopback addresses only")
		}
	}
	if k.Bearer != "" {
		c.paths(at.at("bearer"), k.Bearer)
	}
	if k.CA != "" {
		c.paths(at.at("ca"), k.CA)
	}
}

// profileTokens checks which tokens are good.
func (c *checker) profileTokens(at where, p *Profile) {
	c.choices(at.at("algorithms"), p.Algorithms, tokenAlgorithms...)
	for _, typ := range p.Types {
		c.label(at.at("types", typ), typ)
	}
	c.unique(at.at("types"), p.Types)
	if p.Leeway != nil {
		c.notNegative(at.at("leeway"), *p.Leeway)
		if *p.Leeway > maxLeeway {
			c.refuse(at.at("leeway"), "expected at most 60s: with more, a token outlives its own end by too much")
		}
	}
	c.notNegative(at.at("max_token_age"), p.MaxTokenAge)
	c.notNegative(at.at("max_lifetime"), p.MaxLifetime)
	c.requireClaims(at.at("require_claims"), p.RequireClaims)
}

// requireClaims checks the claims that a token must have.
func (c *checker) requireClaims(at where, required []RequiredClaim) {
	var paths []string
	for _, r := range required {
		paths = append(paths, r.Claim)
		c.label(at.at(r.Claim), r.Claim)
		if r.Value != "" {
			c.label(at.at(r.Claim), r.Value)
		}
	}
	c.unique(at, paths)
}
