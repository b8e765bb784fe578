package trust

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ConfigError is a mistake in a Config or a RemoteConfig.
type ConfigError struct {
	// Profile is empty for a RemoteConfig.
	Profile string
	// Option is spelled as in the configuration language.
	Option string
	// Value is the one of the option's values that is wrong, empty where there is no
	// such one. Reason begins with it, in quotes.
	Value string
	// Reason says what is wrong.
	Reason string
}

func (e *ConfigError) Error() string {
	if e.Profile == "" {
		return fmt.Sprintf("trust: %s: %s", e.Option, e.Reason)
	}
	return fmt.Sprintf("trust: profile %q: %s: %s", e.Profile, e.Option, e.Reason)
}

func configErrorf(option, format string, args ...any) *ConfigError {
	return &ConfigError{Option: option, Reason: fmt.Sprintf(format, args...)}
}

// valueErrorf is about one value of the option.
func valueErrorf(option, value, format string, args ...any) *ConfigError {
	return &ConfigError{Option: option, Value: value, Reason: fmt.Sprintf("%q ", value) + fmt.Sprintf(format, args...)}
}

// checkUnique refuses a value that is listed twice, which is most likely a typing
// error.
func checkUnique(option string, values []string) *ConfigError {
	for n, value := range values {
		if slices.Contains(values[:n], value) {
			return valueErrorf(option, value, "is listed twice")
		}
	}
	return nil
}

// MaxDuration is the longest duration that an option takes, so that no date
// computed with it lies outside of what a store can hold (UnixNano ends in 2262).
const MaxDuration = 10 * 365 * 24 * time.Hour

func checkDuration(option string, d time.Duration) *ConfigError {
	switch {
	case d < 0:
		return configErrorf(option, "is negative")
	case d > MaxDuration:
		return configErrorf(option, "is longer than ten years")
	}
	return nil
}

// firstError is the first of the mistakes, nil if there is none.
func firstError(mistakes ...*ConfigError) *ConfigError {
	for _, mistake := range mistakes {
		if mistake != nil {
			return mistake
		}
	}
	return nil
}

// reservedNames are words of the configuration language that stand where a
// profile's name can.
var reservedNames = [...]string{"any", "off", ownNamespace, apiNamespace}

func (p *Profile) readName() *ConfigError {
	if !validName(p.config.Name) || slices.Contains(reservedNames[:], p.config.Name) {
		return configErrorf("name", "must be 1 to 64 of a–z 0–9 _ and -, begin with a letter or digit, and not be any, off, own or api")
	}
	return nil
}

func (p *Profile) readTimes() *ConfigError {
	c := p.config
	if c.Leeway > MaxLeeway {
		return configErrorf("leeway", "%s is more than %s", c.Leeway, MaxLeeway)
	}
	return firstError(checkDuration("max_token_age", c.MaxTokenAge), checkDuration("max_lifetime", c.MaxLifetime))
}

func (p *Profile) readRequired() *ConfigError {
	var paths []string
	for _, r := range p.config.RequireClaims {
		if r.Path == "" {
			return configErrorf("require_claims", "a name is missing")
		}
		if strings.Contains(r.Path, "/") && !strings.Contains(r.Path, "://") {
			return valueErrorf("require_claims", r.Path, "has a slash and is no URL; a claim and its value are written as in repository=acme/api")
		}
		paths = append(paths, r.Path)
	}
	return checkUnique("require_claims", paths)
}

func (p *Profile) readCreate() *ConfigError {
	switch c := p.config; {
	case c.CreateMembersPerHour < 0 || c.CreateOrganizationsPerHour < 0:
		return configErrorf("create", "a rate is negative")
	case c.CreateMembersPerHour != 0 && !c.CreateMembers || c.CreateOrganizationsPerHour != 0 && !c.CreateOrganizations:
		return configErrorf("create", "a rate without what it limits")
	case c.Factor.SecondOnly && (c.CreateMembers || c.CreateOrganizations):
		return configErrorf("create", "a second_only factor never creates anybody")
	case c.CreateOrganizations && p.organization.isEmpty():
		return configErrorf("create", "organizations can only be created if organization says which the token names")
	}
	return nil
}

func (p *Profile) readFactor() *ConfigError {
	f := p.config.Factor
	if !validName(f.Type) {
		return valueErrorf("factor", f.Type, "must be made of a–z 0–9 _ and -")
	}
	if !slices.Contains(provedBy, f.Proved) {
		return valueErrorf("factor proved", f.Proved, "expected one of %s", strings.Join(provedBy, ", "))
	}
	return checkDuration("factor valid_for", f.ValidFor)
}

func (p *Profile) readSessions() *ConfigError {
	c := p.config
	if slices.Contains(c.SessionKey, "") {
		return configErrorf("session_key", "a name is missing")
	}
	if c.SessionDuration > 0 && c.SessionIdle > c.SessionDuration {
		return configErrorf("session idle", "is longer than the session itself")
	}
	return firstError(
		checkUnique("session_key", c.SessionKey),
		checkDuration("session duration", c.SessionDuration), checkDuration("session idle", c.SessionIdle),
	)
}
