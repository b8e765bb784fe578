package trust

import (
	"fmt"
	"slices"
	"strings"
)

// ConfigError is a mistake in a Config. Option is spelled as in the configuration
// language.
type ConfigError struct {
	Profile, Option, Reason string
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("trust: profile %q: %s: %s", e.Profile, e.Option, e.Reason)
}

func configErrorf(option, format string, args ...any) *ConfigError {
	return &ConfigError{Option: option, Reason: fmt.Sprintf(format, args...)}
}

// reservedNames are words of the configuration language that stand where a
// profile's name can.
var reservedNames = [...]string{"any", "off"}

func (p *Profile) readName() *ConfigError {
	if !validName(p.config.Name) || slices.Contains(reservedNames[:], p.config.Name) {
		return configErrorf("name", "must be 1 to 64 of a–z 0–9 _ and -, begin with a letter or digit, and not be any or off")
	}
	return nil
}

func (p *Profile) readTimes() *ConfigError {
	switch c := p.config; {
	case c.Leeway > MaxLeeway:
		return configErrorf("leeway", "%s is more than %s", c.Leeway, MaxLeeway)
	case c.MaxTokenAge < 0:
		return configErrorf("max_token_age", "is negative")
	case c.MaxLifetime < 0:
		return configErrorf("max_lifetime", "is negative")
	}
	return nil
}

func (p *Profile) readRequired() *ConfigError {
	for _, r := range p.config.RequireClaims {
		if r.Path == "" {
			return configErrorf("require_claims", "a name is missing")
		}
	}
	return nil
}

func (p *Profile) readCreate() *ConfigError {
	switch c := p.config; {
	case c.CreateMembersPerHour < 0 || c.CreateOrganizationsPerHour < 0:
		return configErrorf("create", "a rate is negative")
	case c.Factor.SecondOnly && (c.CreateMembers || c.CreateOrganizations):
		return configErrorf("create", "a second_only factor never creates anybody")
	case c.CreateOrganizations && p.organization.empty():
		return configErrorf("create", "organizations can only be created if organization says which the token names")
	}
	return nil
}

func (p *Profile) readFactor() *ConfigError {
	switch f := p.config.Factor; {
	case !validName(f.Type):
		return configErrorf("factor", "%q must be made of a–z 0–9 _ and -", f.Type)
	case f.ValidFor < 0:
		return configErrorf("factor", "valid_for is negative")
	}
	return nil
}

func (p *Profile) readSessions() *ConfigError {
	c := p.config
	if c.SessionDuration < 0 || c.SessionIdle < 0 {
		return configErrorf("session", "a duration is negative")
	}
	for n, path := range c.SessionKey {
		if path == "" || slices.Contains(c.SessionKey[:n], path) {
			return configErrorf("session_key", "%s: a name is missing or stands there twice", strings.Join(c.SessionKey, " "))
		}
	}
	return nil
}
