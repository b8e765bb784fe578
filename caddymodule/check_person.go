package caddymodule

import (
	"regexp"
	"slices"
	"strings"
)

// attributes are what a claim can be mapped to.
var attributes = []string{"email", "token_id", "external_id", "name", "roles", metadataPrefix + "<key>"}

const metadataPrefix = "trusted_metadata."

func isAttribute(name string) bool {
	if key, ok := strings.CutPrefix(name, metadataPrefix); ok {
		return key != "" && isLabel(key)
	}
	return slices.Contains(attributes, name)
}

// profileMap checks which claim says what.
func (c *checker) profileMap(at where, p *Profile) {
	at = at.at("map")
	for attribute, path := range sorted(p.Map) {
		if !isAttribute(attribute) {
			c.refuse(at.at(attribute), "no such attribute; expected %s", oneOf(attributes...))
		}
		c.label(at.at(attribute), path)
	}
}

// profileRoles checks the roles a token may give, and that a claim names them.
func (c *checker) profileRoles(at where, p *Profile) {
	for value, roles := range sorted(p.Roles) {
		c.label(at.at("roles"), value)
		for _, role := range roles {
			c.form(at.at("roles"), role, wordForm, wantWord)
		}
		c.unique(at.at("roles"), roles)
		if len(roles) == 0 {
			c.refuse(at.at("roles"), "expected at least one role for '%s'", value)
		}
	}
	mapped := p.Map["roles"] != ""
	if mapped && len(p.Roles) == 0 {
		c.refuse(at.at("map", "roles"), "every role would be dropped: list those that the profile may give with 'roles'")
	}
	if !mapped && len(p.Roles) > 0 {
		c.refuse(at.at("roles"), "no claim names the roles of a token: add 'map roles <claim path>'")
	}
}

// profileEmails checks whose addresses the profile speaks for.
func (c *checker) profileEmails(at where, p *Profile) {
	domains := at.at("email_domains")
	for _, domain := range p.EmailDomains {
		if domain == anyDomain && len(p.EmailDomains) > 1 {
			c.refuse(domains.at(domain), "'*' is every domain and stands alone")
		}
		if c.plain(domains.at(domain), domain) && domain != anyDomain && !isDomain(domain) {
			c.refuse(domains.at(domain), "expected a whole domain in lower case, such as example.com")
		}
	}
	c.unique(domains, p.EmailDomains)
	if p.AssumeEmailVerified && len(p.EmailDomains) == 0 {
		c.refuse(at.at("email_verified"), "it applies to the addresses in 'email_domains' only, and there are none")
	}
}

// anyDomain covers every address.
const anyDomain = "*"

// profileOrganization checks where tokens belong.
func (c *checker) profileOrganization(at where, name string, p *Profile, a *App) {
	at = at.at("organization")
	text := p.Organization
	if text == "" {
		return
	}
	if !organizationText.MatchString(text) {
		if c.plain(at, text) {
			c.refuse(at, "expected a text of A-Z a-z 0-9 . _ : @ | - in which {claims.<path>} may stand")
		}
		return
	}
	if strings.Contains(text, "{") {
		return
	}
	c.form(at, text, externalForm, wantExternal)
	if id, ok := a.organizationNamed(text); ok && !slices.Contains(a.Organizations[id].Profiles, name) {
		c.refuse(at, "organization '%s' does not admit this profile; add it to its 'profiles'", id)
	}
}

// organizationText is the form of what an organization line says.
var organizationText = regexp.MustCompile(`^([A-Za-z0-9._:@|-]|\{claims\.[^{}\s]+\})+$`)

// organizationNamed is the configured organization that the operator's word
// names: by its id, else by its external id.
func (a *App) organizationNamed(text string) (id string, ok bool) {
	if _, ok := a.Organizations[text]; ok {
		return text, true
	}
	for id, o := range sorted(a.Organizations) {
		if o.ExternalID == text {
			return id, true
		}
	}
	return "", false
}

// profileCreate checks what tokens bring into being.
func (c *checker) profileCreate(at where, p *Profile) {
	create := p.Create
	if create == nil {
		return
	}
	at = at.at("create")
	if create.MembersPerHour < 0 || create.OrganizationsPerHour < 0 {
		c.refuse(at, "a rate cannot be negative")
	}
	if create.MembersPerHour != 0 && !create.Members || create.OrganizationsPerHour != 0 && !create.Organizations {
		c.refuse(at, "a rate without what it limits")
	}
	if create.Organizations && p.Organization == "" {
		c.refuse(at, "organizations are made of what a token names, and no 'organization' line says what that is")
	}
	if p.Factor != nil && p.Factor.SecondOnly && (create.Members || create.Organizations) {
		c.refuse(at, "a factor that is 'second_only' never creates anybody")
	}
}

// profileSessions checks the factor and the sessions that come of tokens.
func (c *checker) profileSessions(at where, p *Profile) {
	if f := p.Factor; f != nil {
		c.form(at.at("factor"), f.Type, nameForm, wantName)
		c.notNegative(at.at("factor", "valid_for"), f.ValidFor)
	}
	for _, claim := range p.SessionKey {
		c.label(at.at("session_key", claim), claim)
	}
	c.unique(at.at("session_key"), p.SessionKey)
	if s := p.Session; s != nil {
		c.notNegative(at.at("session"), s.Duration, s.Idle)
		if s.Duration > 0 && s.Idle > s.Duration {
			c.refuse(at.at("session", "idle"), "longer than the session itself")
		}
	}
}
