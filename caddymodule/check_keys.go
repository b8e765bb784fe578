package caddymodule

import (
	"errors"
	"strings"

	"github.com/attestgate/caddy-attest/trust"
)

// profileKeys checks that a profile's keys come from one place.
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
		c.keysMayBeStale(at.at("stale_keys"), p)
		if p.JWKSURL == nil {
			c.refuse(at.at("stale_keys"), "only keys from 'jwks_url' can become stale")
		}
	}
}

// keysMayBeStale asks the trust room for how long.
func (c *checker) keysMayBeStale(at where, p *Profile) {
	var mistake *trust.ConfigError
	err := trust.RemoteConfig{URL: keysURL, StaleFor: orNone(p.StaleKeys)}.Check()
	if errors.As(err, &mistake) {
		c.refuse(at, "%s", mistake.Reason)
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
