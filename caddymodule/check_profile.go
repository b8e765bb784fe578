package caddymodule

import (
	"slices"
	"strings"

	"github.com/attestgate/caddy-attest/trust"
)

// profile checks one profile, by itself and within the app. What makes a profile
// sound is the trust room's to say; here are the rules of the language, and those
// that only the whole configuration can break.
func (c *checker) profile(at where, name string, p *Profile, a *App) {
	before := len(c.problems)
	c.profileTexts(at, p)
	c.profileKeys(at, p)
	c.profileLists(at, p)
	c.profileRoles(at, p)
	c.profileNumbers(at, p)
	if len(c.problems) > before {
		return
	}
	if profile := c.trusts(at, name, p); profile != nil {
		c.profileIsNotGateway(at, profile, a)
		c.profileIsAdmitted(at, name, p, a)
	}
}

// profileTexts checks for placeholders: where one is replaced, that it can be;
// everywhere else, that there is none.
func (c *checker) profileTexts(at where, p *Profile) {
	for _, issuer := range p.Issuers {
		c.knownButCaptures(at.at("issuer", issuer), issuer)
	}
	for _, audience := range p.Audiences {
		c.known(at.at("audience", audience), audience)
	}
	c.plain(at.at("audience"), p.AudienceClaim)
	c.plain(at.at("namespace"), p.Namespace)
	c.plain(at.at("organization"), p.Organization)
	for attribute, path := range sorted(p.Map) {
		c.plain(at.at("map", attribute), path)
	}
	for _, r := range p.RequireClaims {
		c.plain(at.at("require_claims", r.Claim), r.Claim+r.Value)
	}
	for value, roles := range sorted(p.Roles) {
		c.plain(at.at("roles"), value+strings.Join(roles, ""))
	}
}

// knownButCaptures is known for a text in which {name} may be a capture.
func (c *checker) knownButCaptures(at where, issuer string) {
	for _, name := range placeholders(issuer) {
		if !c.replaced && strings.Contains(name, ".") && !isReplaced(name) {
			c.refuse(at, "the placeholder {%s} is neither {env.NAME} nor {file.PATH}, nor a capture such as {tid}", name)
		}
	}
	if !c.replaced && unfinished.MatchString(issuer) {
		c.refuse(at, "%s", noEnd)
	}
}

// profileLists checks that nothing is said twice.
func (c *checker) profileLists(at where, p *Profile) {
	var required []string
	for _, r := range p.RequireClaims {
		required = append(required, r.Claim)
	}
	c.unique(at.at("issuer"), p.Issuers)
	c.unique(at.at("audience"), p.Audiences)
	c.unique(at.at("algorithms"), p.Algorithms)
	c.unique(at.at("types"), p.Types)
	c.unique(at.at("require_claims"), required)
	c.unique(at.at("email_domains"), p.EmailDomains)
	c.unique(at.at("session_key"), p.SessionKey)
	if len(p.EmailDomains) > 1 && slices.Contains(p.EmailDomains, anyDomain) {
		c.refuse(at.at("email_domains", anyDomain), "'*' is every domain and stands alone")
	}
}

// anyDomain covers every address.
const anyDomain = "*"

// profileRoles refuses a mapping that could give nothing.
func (c *checker) profileRoles(at where, p *Profile) {
	if p.Map[trust.AttributeRoles] != "" && len(p.Roles) == 0 {
		c.refuse(at.at("map", trust.AttributeRoles), "every role would be dropped: list those that the profile may give with 'roles'")
	}
	for _, roles := range sorted(p.Roles) {
		c.unique(at.at("roles"), roles)
	}
}

// profileNumbers refuses a negative leeway, which the trust room would take for
// none, a rate without what it limits, and an idle time that is never reached.
func (c *checker) profileNumbers(at where, p *Profile) {
	if p.Leeway != nil {
		c.notNegative(at.at("leeway"), *p.Leeway)
	}
	if create := p.Create; create != nil && (create.MembersPerHour != 0 && !create.Members || create.OrganizationsPerHour != 0 && !create.Organizations) {
		c.refuse(at.at("create"), "a rate without what it limits")
	}
	if s := p.Session; s != nil && s.Duration > 0 && s.Idle > s.Duration {
		c.refuse(at.at("session", "idle"), "longer than the session itself")
	}
}

// profileIsNotGateway refuses a profile that believes the gateway: what it signs
// is never evidence for it (RFC 8725, section 3.12).
func (c *checker) profileIsNotGateway(at where, profile *trust.Profile, a *App) {
	own := a.issuer()
	if own == "" {
		return
	}
	set, err := trust.NewSet(profile)
	if err == nil {
		err = set.CheckIssuer(standIn(own))
	}
	if err != nil {
		c.refuse(at.at("issuer"), "a token of the gateway itself would fit, and what it signs is never evidence for it")
	}
}

// profileIsAdmitted refuses an organization that is known to be out of reach.
func (c *checker) profileIsAdmitted(at where, name string, p *Profile, a *App) {
	id, ok := a.organizationNamed(p.Organization)
	if ok && !slices.Contains(a.Organizations[id].Profiles, name) {
		c.refuse(at.at("organization"), "organization '%s' does not admit this profile; add it to its 'profiles'", id)
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
