package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/internal/expression"
)

// Profile is a Config that has been checked. It does not change and is safe for
// concurrent use.
type Profile struct {
	config Config

	issuers      []issuer
	types        []string // lower case, without "application/"; nil for the default
	onlyPSS      bool
	email        emailRule
	organization organizationTemplate
	metadata     []metadataKey
	when         []*expression.Expression
	conditions   []*expression.Expression          // of config.Conditions
	mapped       map[string]*expression.Expression // by attribute
	checks       []check
}

// defaultTypes are accepted where a profile lists none, and then a token may also
// have no typ (RFC 7519 §5.1, RFC 9068 §2.1).
var defaultTypes = [...]string{"jwt", "at+jwt"}

// defaultMap is what attributes are read from that Config.Map does not name.
var defaultMap = map[string]string{
	AttributeExternalID: "sub",
	AttributeEmail:      "email",
	AttributeTokenID:    "jti",
}

// NewProfile checks a Config. Every mistake is a *ConfigError.
//
// Where a claim of the token chooses the issuer, by a capture, the organization
// must follow from the same claim: Organization must begin with the captures,
// each followed by the end or a character that no captured value has
// ("{claims.tid}", "{claims.tid}:{claims.project}"), or else be fixed with every
// capture pinned by RequireClaims. Otherwise one tenant of the issuer could sign
// for another's organization.
func NewProfile(c Config) (*Profile, error) {
	p := &Profile{config: c.withDefaults(), checks: checks()}
	for _, step := range []func(*Profile) *ConfigError{
		(*Profile).readName, (*Profile).readIssuers, (*Profile).readAudiences, (*Profile).readAlgorithms,
		(*Profile).readIntrospection, (*Profile).readTypes, (*Profile).readKeys, (*Profile).readTimes, (*Profile).readRequired, (*Profile).readWhen,
		(*Profile).readMap, (*Profile).readRoles, (*Profile).readEmail, (*Profile).readNamespace,
		(*Profile).readSecretClaim, (*Profile).readOrganization, (*Profile).readCreate, (*Profile).readFactor, (*Profile).readPlace, (*Profile).readSessions,
	} {
		if err := step(p); err != nil {
			err.Profile = c.Name
			return nil, err
		}
	}
	return p, nil
}

// Name of the profile.
func (p *Profile) Name() string { return p.config.Name }

// Config of the profile, with its defaults filled in. Its slices and maps must
// not be changed.
func (p *Profile) Config() Config { return p.config }

// matchIssuer finds the issuer that iss matches.
func (p *Profile) matchIssuer(iss string) (captured map[string]string, ok bool) {
	for _, i := range p.issuers {
		if captured, ok := i.match(iss); ok {
			return captured, true
		}
	}
	return nil, false
}

// captures are the names that every issuer captures.
func (p *Profile) captures() []string {
	if len(p.issuers) == 0 {
		return nil
	}
	return p.issuers[0].captures
}

// hasTenants tells whether tokens of the profile have several values of iss.
func (p *Profile) hasTenants() bool {
	return len(p.issuers) > 1 || len(p.captures()) > 0 || p.config.SecretClaim != ""
}

// selectors are the names of what in a token chooses its issuer or its secret.
func (p *Profile) selectors() []string {
	if c := p.config.SecretClaim; c != "" && !slices.Contains(p.captures(), c) {
		return append(slices.Clone(p.captures()), c)
	}
	return p.captures()
}

// takesNoIssuer tells whether a token without iss is one of this profile's.
func (p *Profile) takesNoIssuer(claims map[string]any) bool {
	if !p.config.WithoutIssuer || claims["iss"] != nil {
		return false
	}
	sub, _ := claims["sub"].(string)
	return strings.HasPrefix(sub, p.config.SubjectPrefix)
}

// acceptsAudience tells whether one of a token's audiences is one of the profile's.
func (p *Profile) acceptsAudience(audiences []string) bool {
	for _, held := range audiences {
		if slices.Contains(p.config.Audiences, held) {
			return true
		}
	}
	return false
}

// Namespace is where the external ids of tokens of that iss live, as
// Identity.Namespace says. Where a profile has several issuers, each has its own:
// the same sub of two issuers is two people. A namespace is a name (Config.Namespace)
// and an iss is not, so its digest stands for it.
func (p *Profile) Namespace(iss string) string {
	switch ns := p.config.Namespace; {
	case ns != "" && ns != ownNamespace:
		return ns
	case ns == "" && p.config.DefaultNamespace != "" && !p.hasTenants():
		return p.config.DefaultNamespace
	case p.hasTenants():
		sum := sha256.Sum256([]byte(iss))
		return p.config.Name + "-" + hex.EncodeToString(sum[:16])
	}
	return p.config.Name
}

// FormerNamespace is that of the profile's own name where the profile shares the namespace
// of API callers: there its external ids were before, and are kept too. Else it is empty.
func (p *Profile) FormerNamespace() string {
	if !p.hasTenants() && p.Namespace("") == apiNamespace {
		return p.config.Name
	}
	return ""
}

// attributePath is the path of the claim an attribute is read from, empty where it is not read, and
// whether Config.Map names it.
func (p *Profile) attributePath(attribute string) (path string, explicit bool) {
	if path, found := p.config.Map[attribute]; found {
		return path, true
	}
	if e := p.mapped[attribute]; e != nil {
		return "expression " + e.String(), true
	}
	return defaultMap[attribute], false
}

func (p *Profile) typesOrDefault() []string {
	if p.types == nil {
		return defaultTypes[:]
	}
	return p.types
}

// Covers answers an address as it identifies, in lower case, if the profile
// vouches for its domain (email_domains), and false otherwise.
func (p *Profile) Covers(address string) (string, bool) { return p.email.covers(address) }
