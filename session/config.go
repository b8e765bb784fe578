package session

import "fmt"

// ConfigError reports an option of Config that cannot be.
type ConfigError struct {
	// Option is spelled as in the configuration language.
	Option string
	// Reason says what is wrong with its value.
	Reason string
}

func (e *ConfigError) Error() string { return fmt.Sprintf("session: %s: %s", e.Option, e.Reason) }

// Check judges the values that an operator sets; the error is a *ConfigError. It
// needs no store, so that a configuration can be judged before anything is opened.
func (c Config) Check() error {
	switch {
	case c.MaxDuration < 0:
		return &ConfigError{"max_duration", "is negative"}
	case c.MaxDuration > CompatMaxDuration:
		return &ConfigError{"max_duration", fmt.Sprintf("is above %s", CompatMaxDuration)}
	}
	return nil
}
