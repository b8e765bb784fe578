package mint

import (
	"slices"
	"strings"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// ConfigError reports an option that cannot be.
type ConfigError struct {
	// Option is spelled as in the configuration language.
	Option string
	// Reason says what is wrong with it.
	Reason string
}

func (e *ConfigError) Error() string { return "mint: " + e.Option + ": " + e.Reason }

// maxRotateEvery keeps every date that is computed with it within what a record can
// hold.
const maxRotateEvery = 10 * 365 * 24 * time.Hour

// algorithms are those that a ring signs with.
var algorithms = []string{jose.ES256, jose.RS256, jose.EdDSA}

// Check refuses values that OpenRing would refuse, key files among them, without a
// store. The error is a *ConfigError.
func (c RingConfig) Check() error {
	c.setDefaults()
	switch {
	case !slices.Contains(algorithms, c.Algorithm):
		return &ConfigError{"algorithm", "must be ES256, RS256 or EdDSA"}
	case c.RotateEvery < 0:
		return &ConfigError{"rotate_every", "is negative"}
	case c.RotateEvery > maxRotateEvery:
		return &ConfigError{"rotate_every", "is longer than ten years"}
	case c.MaxLifetime < 0:
		return &ConfigError{"jwt_lifetime", "is negative"}
	case len(c.Files) == 0:
		return nil
	}
	_, err := keysOfFiles(c.Files)
	return err
}

// Check refuses values that New would refuse, without a ring. The error is a
// *ConfigError.
func (c Config) Check() error {
	switch {
	case c.Issuer == "" || strings.HasSuffix(c.Issuer, "/"):
		return &ConfigError{"issuer", "is empty or ends in a slash"}
	case c.Issuer == c.ProjectID:
		return &ConfigError{"issuer", "is the project id too, so injected JWTs would be credentials"}
	case c.Backdate < 0:
		return &ConfigError{"backdate", "is negative"}
	case c.Compat && c.ProjectID == "":
		return &ConfigError{"project", "is needed by compat"}
	}
	return nil
}
