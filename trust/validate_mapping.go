package trust

import (
	"maps"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/email"
	"github.com/attestgate/caddy-attest/internal/expression"
)

func (p *Profile) readMap() *ConfigError {
	if err := p.compileMap(); err != nil {
		return err
	}
	all := maps.Clone(p.config.Map)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, p.config.MapExpressions)
	for attribute, path := range all {
		key, metadata := strings.CutPrefix(attribute, MetadataPrefix)
		if !metadata && !slices.Contains(attributes[:], attribute) {
			return valueErrorf("map", attribute, "is not an attribute; it may be %s or %s<key>", strings.Join(attributes[:], ", "), MetadataPrefix)
		}
		if path == "" || metadata && key == "" {
			return configErrorf("map", "%s: a name is missing", attribute)
		}
		if metadata {
			p.metadata = append(p.metadata, metadataKey{key, path})
		}
	}
	slices.SortFunc(p.metadata, func(a, b metadataKey) int { return strings.Compare(a.key, b.key) })
	return nil
}

// compileMap reads the expressions that attributes are mapped to.
func (p *Profile) compileMap() *ConfigError {
	p.mapped = make(map[string]*expression.Expression, len(p.config.MapExpressions))
	for _, attribute := range slices.Sorted(maps.Keys(p.config.MapExpressions)) {
		if _, twice := p.config.Map[attribute]; twice {
			return valueErrorf("map", attribute, "is mapped to a claim and to an expression")
		}
		e, err := expression.Value(p.config.MapExpressions[attribute], claimsVariable)
		if err != nil {
			return valueErrorf("map", attribute, "is mapped to an expression that %v", err)
		}
		p.mapped[attribute] = e
	}
	return nil
}

var attributes = [...]string{AttributeEmail, AttributeTokenID, AttributeExternalID, AttributeName, AttributeRoles}

func (p *Profile) readRoles() *ConfigError {
	switch _, mapped := p.attributePath(AttributeRoles); {
	case !mapped && (len(p.config.Roles) > 0 || p.config.AnyRole):
		return configErrorf("roles", "are listed, but no claim is mapped to roles")
	case p.config.AnyRole && p.hasTenants():
		return valueErrorf("roles", "*", "goes with one issuer without captures: else every tenant of the issuer gives every role")
	case mapped && len(p.config.Roles) == 0 && !p.config.AnyRole:
		return valueErrorf("map", AttributeRoles, "is read in vain, every role would be dropped: list those that the profile may give with roles")
	}
	if err := p.config.RolesForm.check(); err != nil {
		return err
	}
	for value, roles := range p.config.Roles {
		if value == "" || len(roles) == 0 || slices.Contains(roles, "") {
			return configErrorf("roles", "a value or a role is empty")
		}
		if err := checkUnique("roles", roles); err != nil {
			return err
		}
	}
	return nil
}

func (f RolesForm) check() *ConfigError {
	n := 0
	for _, set := range []bool{f.Split != "", f.FromJSON, f.ObjectKeys, f.Field != ""} {
		if set {
			n++
		}
	}
	if n > 1 {
		return valueErrorf("map", AttributeRoles, "is written in one way: split, from_json, object_keys or field")
	}
	return nil
}

func (p *Profile) readEmail() *ConfigError {
	for _, domain := range p.config.EmailDomains {
		domain = lowerASCII(domain)
		if domain != "*" && !email.IsDomain(domain) {
			return valueErrorf("email_domains", domain, "is not a domain: ASCII letters, digits, hyphens and dots, or * alone")
		}
		p.email.domains = append(p.email.domains, domain)
	}
	if len(p.email.domains) > 1 && slices.Contains(p.email.domains, "*") {
		return valueErrorf("email_domains", "*", "is every domain and stands alone")
	}
	if err := checkUnique("email_domains", p.email.domains); err != nil {
		return err
	}
	if p.config.AssumeEmailVerified && len(p.config.EmailDomains) == 0 {
		return configErrorf("email_verified", "assume has no effect without email_domains")
	}
	return nil
}

// readNamespace keeps a profile's people apart from those an API caller names,
// unless the configuration gives them one namespace.
func (p *Profile) readNamespace() *ConfigError {
	if ns := p.config.Namespace; ns != "" && !validName(ns) {
		return valueErrorf("namespace", ns, "must be made of a–z 0–9 _ and -")
	}
	return nil
}

// The namespaces that have a meaning of their own: that of the profile's name, and that of
// the external ids of API callers.
const (
	ownNamespace = "own"
	apiNamespace = "api"
)

// readSecretClaim keeps a claim that names a secret and a directory of them together.
func (p *Profile) readSecretClaim() *ConfigError {
	if _, files := p.config.Keys.(*SecretFiles); files != (p.config.SecretClaim != "") {
		return configErrorf("shared_secret", "a directory of secrets and the claim that names one go together")
	}
	return nil
}

func (p *Profile) readOrganization() (problem *ConfigError) {
	o, err := parseOrganization(p.config.Organization)
	if err != nil {
		return configErrorf("organization", "%v", err)
	}
	p.organization = o
	captures := p.selectors()
	switch {
	case len(captures) == 0 || o.beginsWithCaptures(captures, p.config.SecretClaim):
		return nil
	case o.isFixed() && !o.isEmpty() && p.pinsCaptures(captures):
		return nil
	}
	ends, what := ". _ : @ |", "issuer"
	if p.config.SecretClaim != "" {
		ends, what = ": @ |", "secret"
	}
	return configErrorf("organization", "must begin with {claims.%s}, each followed by the end or one of %s, because the %s is chosen by the token; or be fixed, with each of them pinned by require_claims", strings.Join(captures, "} {claims."), ends, what)
}

// pinsCaptures tells whether RequireClaims leaves each capture one value. (The issuer's
// capture and a claim of its name are equal, or the token is refused.)
func (p *Profile) pinsCaptures(captures []string) bool {
	for _, name := range captures {
		if !slices.ContainsFunc(p.config.RequireClaims, func(r RequiredClaim) bool { return r.Path == name && r.Value != "" }) {
			return false
		}
	}
	return true
}
