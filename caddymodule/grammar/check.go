package grammar

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
)

// A Checker collects what breaks the rules of a configuration. Rules are applied
// twice: to what was written, where the text behind a placeholder is not known
// yet, and to what came of it.
type Checker struct {
	Replaced bool // placeholders stand for nothing any more
	Problems []*Problem
}

// Err is everything that breaks the rules.
func (c *Checker) Err() error {
	errs := make([]error, len(c.Problems))
	for i, p := range c.Problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// Refuse records a problem.
func (c *Checker) Refuse(at Place, format string, args ...any) {
	c.Problems = append(c.Problems, &Problem{Place: at, Text: fmt.Sprintf(format, args...)})
}

// Known tells whether a text that may hold placeholders is known yet. It refuses
// placeholders that would not be replaced.
func (c *Checker) Known(at Place, text string) bool {
	if c.Replaced {
		return true
	}
	if !c.ends(at, text) {
		return false
	}
	known := true
	for _, name := range Placeholders(text) {
		known = false
		if !IsReplaced(name) {
			c.Refuse(at, "the placeholder {%s} is not replaced here; expected {env.NAME} or {file.PATH}", name)
		}
	}
	return known
}

// KnownButCaptures is Known for a text in which {name}, without a dot, is a capture.
func (c *Checker) KnownButCaptures(at Place, text string) {
	if c.Replaced {
		return
	}
	for _, name := range Placeholders(text) {
		if isQualified(name) && !IsReplaced(name) {
			c.Refuse(at, "the placeholder {%s} is neither {env.NAME} nor {file.PATH}, nor a capture such as {tid}", name)
		}
	}
	c.ends(at, text)
}

// ends refuses a placeholder without an end.
func (c *Checker) ends(at Place, text string) bool {
	if unfinished.MatchString(text) {
		c.Refuse(at, "a placeholder has no end; expected {env.NAME} or {file.PATH}")
		return false
	}
	return true
}

// Plain refuses placeholders in a text where none is replaced: they would be
// taken for the text itself. It tells whether it found none.
func (c *Checker) Plain(at Place, text string) bool {
	for _, name := range Placeholders(text) {
		if IsReplaced(name) {
			c.Refuse(at, "placeholders are not replaced here, and {%s} would be taken as it stands", name)
			return false
		}
	}
	return true
}

// Form refuses a text that does not have the form, which want describes.
func (c *Checker) Form(at Place, text string, form *regexp.Regexp, want string) {
	if c.Plain(at, text) && !form.MatchString(text) {
		c.Refuse(at, "expected %s", want)
	}
}

// Label refuses what could not stand in a log line: nothing, too much, or what
// is no printable text.
func (c *Checker) Label(at Place, text string) {
	if c.Plain(at, text) && !IsLabel(text) {
		c.Refuse(at, "expected 1 to %d bytes of text without control characters", MaxLabel)
	}
}

// MaxLabel is the most that a label has, in bytes.
const MaxLabel = 256

// IsLabel tells whether a text is one to MaxLabel bytes without control characters.
func IsLabel(text string) bool {
	return text != "" && len(text) <= MaxLabel && utf8.ValidString(text) &&
		!slices.ContainsFunc([]rune(text), unicode.IsControl)
}

// Unique refuses a value that stands twice in a list.
func (c *Checker) Unique(at Place, values []string) {
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			c.Refuse(at.At(value), "given twice")
			return
		}
	}
}

// Choices refuses values that are not among the words.
func (c *Checker) Choices(at Place, values []string, words ...string) {
	for _, value := range values {
		if !slices.Contains(words, value) {
			c.Refuse(at.At(value), "unrecognized; expected %s", OneOf(words...))
		}
	}
	c.Unique(at, values)
}

// Choice refuses a value that is given and not among the words.
func (c *Checker) Choice(at Place, value string, words ...string) {
	if value != "" {
		c.Choices(at, []string{value}, words...)
	}
}

// NotNegative refuses a negative length of time.
func (c *Checker) NotNegative(at Place, durations ...caddy.Duration) {
	for _, d := range durations {
		if d < 0 {
			c.Refuse(at, "a duration cannot be negative")
		}
	}
}
