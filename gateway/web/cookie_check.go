package web

import (
	"regexp"
	"strings"
)

// ConfigError is a mistake in a Cookie.
type ConfigError struct {
	// Option is spelled as in the configuration language, with the block it is of.
	Option string
	// Reason says what is wrong with its value.
	Reason string
}

func (e *ConfigError) Error() string { return "web: " + e.Option + ": " + e.Reason }

var (
	// cookieName is a token of RFC 9110.
	cookieName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")
	domainForm = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
)

// Check refuses a cookie that browsers would not keep or not protect: its prefix makes
// them refuse it from any host but the right ones (RFC 6265bis, section 4.1.3). What is
// not set is good. The error is a *ConfigError.
func (c Cookie) Check() error {
	c = c.WithDefaults()
	prefix, why := "__Host-", "so that no other host can set it"
	if c.Domain != "" {
		prefix, why = "__Secure-", "because it has a domain"
	}
	switch {
	case c.SameSite != "lax" && c.SameSite != "strict" && c.SameSite != "none":
		return &ConfigError{"cookie same_site", "expected lax, strict or none"}
	case c.Domain != "" && (len(c.Domain) > 253 || !domainForm.MatchString(c.Domain)):
		return &ConfigError{"cookie domain", "expected a domain in lower case, without a dot before it"}
	case !strings.HasPrefix(c.Name, prefix) || c.Name == prefix || !cookieName.MatchString(c.Name):
		return &ConfigError{"cookie", "expected a name that begins with " + prefix + ", " + why}
	}
	for _, origin := range c.TrustedOrigins {
		if !IsOrigin(origin) {
			return &ConfigError{"cookie trusted_origins", "expected origins as browsers write them, as https://app.example.com"}
		}
	}
	return nil
}
