package trust

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/jose"
)

func (p *Profile) readIssuers() *ConfigError {
	switch c := p.config; {
	case c.WithoutIssuer && len(c.Issuers) > 0:
		return configErrorf("issuer", "none stands alone: the profile takes tokens without iss only")
	case c.WithoutIssuer:
		return nil
	case c.SubjectPrefix != "":
		return configErrorf("issuer", "a prefix of sub goes with issuer none")
	}
	if len(p.config.Issuers) == 0 {
		return configErrorf("issuer", "is missing")
	}
	for _, text := range p.config.Issuers {
		i, err := parseIssuer(text)
		if err != nil {
			return valueErrorf("issuer", text, "%v", err)
		}
		p.issuers = append(p.issuers, i)
	}
	// With {claims.tid} bound by one issuer and free in another, the other could
	// name any organization of the first.
	for _, i := range p.issuers[1:] {
		if !sameNames(i.captures, p.issuers[0].captures) {
			return configErrorf("issuer", "all issuers of a profile must capture the same names")
		}
	}
	return checkUnique("issuer", p.config.Issuers)
}

func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// readAudiences: the audience is never optional (RFC 8725 §3.9).
func (p *Profile) readAudiences() *ConfigError {
	if len(p.config.Audiences) == 0 {
		return configErrorf("audience", "is missing")
	}
	for _, audience := range p.config.Audiences {
		if audience == "" || hasControl(audience) {
			return valueErrorf("audience", audience, "is empty or has control characters")
		}
	}
	return checkUnique("audience", p.config.Audiences)
}

func (p *Profile) readAlgorithms() *ConfigError {
	p.onlyPSS = true
	for _, alg := range p.config.Algorithms {
		switch {
		case strings.HasPrefix(alg, "HS") && !p.shares():
			return configErrorf("algorithms", "%s needs a shared secret, and this profile has public keys", alg)
		case p.shares() && !jose.Shared(alg):
			return configErrorf("algorithms", "%s needs public keys, and this profile has shared_secret: HS256, HS384 or HS512", alg)
		case !jose.Known(alg):
			return valueErrorf("algorithms", alg, "is not supported")
		case strings.HasPrefix(alg, "RS"):
			p.onlyPSS = false
		}
	}
	return checkUnique("algorithms", p.config.Algorithms)
}

func (p *Profile) readTypes() *ConfigError {
	for _, typ := range p.config.Types {
		name := typeName(typ)
		if name == "" || hasControl(name) || strings.ContainsAny(name, " \t") {
			return valueErrorf("types", typ, "is not a media type")
		}
		p.types = append(p.types, name)
	}
	return checkUnique("types", p.types)
}

// readKeys refuses keys that fit none of the profile's algorithms. Those of
// any other source are not known yet.
func (p *Profile) readKeys() *ConfigError {
	if p.config.Keys == nil {
		return configErrorf("keys", "are missing: jwks_url, jwks_file or public_key_file")
	}
	static, ok := p.config.Keys.(staticKeys)
	if files, reloading := p.config.Keys.(*ReloadingKeys); reloading {
		static, ok = *files.current.Load(), true
	}
	if !ok {
		return nil // a secret fits what readAlgorithms takes
	}
	for _, k := range static.index.all {
		for _, alg := range p.config.Algorithms {
			if p.allowsKey(k, alg) {
				return nil
			}
		}
	}
	return configErrorf("keys", "none is for any of the algorithms %s", strings.Join(p.config.Algorithms, ", "))
}
