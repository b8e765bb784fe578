package caddymodule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"

	"github.com/caddyserver/caddy/v2"
)

// A checker applies the rules of the configuration and collects what breaks
// them. It is used twice: on what was written, where the text behind a
// placeholder is not known yet, and on what came of it.
type checker struct {
	replaced bool // placeholders stand for nothing any more
	problems []error
}

// check answers everything that breaks the rules.
func check(replaced bool, rules func(*checker)) error {
	c := checker{replaced: replaced}
	rules(&c)
	return errors.Join(c.problems...)
}

// firstProblem answers one thing that breaks the rules, nil if nothing does.
func firstProblem(replaced bool, rules func(*checker)) *problem {
	c := checker{replaced: replaced}
	rules(&c)
	if len(c.problems) == 0 {
		return nil
	}
	return c.problems[0].(*problem)
}

// refuse records a problem.
func (c *checker) refuse(at where, format string, args ...any) {
	c.problems = append(c.problems, &problem{where: at, text: fmt.Sprintf(format, args...)})
}

// known tells whether a text that may hold placeholders is known yet. It refuses
// placeholders that would not be replaced.
func (c *checker) known(at where, text string) bool {
	if c.replaced {
		return true
	}
	if unfinished.MatchString(text) {
		c.refuse(at, "%s", noEnd)
		return false
	}
	known := true
	for _, name := range placeholders(text) {
		known = false
		if !isReplaced(name) {
			c.refuse(at, "the placeholder {%s} is not replaced here; expected {env.NAME} or {file.PATH}", name)
		}
	}
	return known
}

const noEnd = "a placeholder has no end; expected {env.NAME} or {file.PATH}"

// plain refuses placeholders in a text where none is replaced: they would be
// taken for the text itself. It tells whether it found none.
func (c *checker) plain(at where, text string) bool {
	for _, name := range placeholders(text) {
		if isReplaced(name) {
			c.refuse(at, "placeholders are not replaced here, and {%s} would be taken as it stands", name)
			return false
		}
	}
	return true
}

// form refuses a text that does not have the form, which want describes.
func (c *checker) form(at where, text string, form *regexp.Regexp, want string) {
	if c.plain(at, text) && !form.MatchString(text) {
		c.refuse(at, "expected %s", want)
	}
}

// label refuses what could not stand in a log line: nothing, too much, or what
// is no printable text.
func (c *checker) label(at where, text string) {
	if c.plain(at, text) && !isLabel(text) {
		c.refuse(at, "expected 1 to %d bytes of text without control characters", maxLabel)
	}
}

const maxLabel = 256

func isLabel(text string) bool {
	return text != "" && len(text) <= maxLabel && utf8.ValidString(text) &&
		!slices.ContainsFunc([]rune(text), unicode.IsControl)
}

// unique refuses a value that stands twice in a list.
func (c *checker) unique(at where, values []string) {
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			c.refuse(at.at(value), "given twice")
			return
		}
	}
}

// choices refuses values that are not among the words.
func (c *checker) choices(at where, values []string, words ...string) {
	for _, value := range values {
		if !slices.Contains(words, value) {
			c.refuse(at.at(value), "unrecognized; expected %s", oneOf(words...))
		}
	}
	c.unique(at, values)
}

// choice refuses a value that is given and not among the words.
func (c *checker) choice(at where, value string, words ...string) {
	if value != "" {
		c.choices(at, []string{value}, words...)
	}
}

// notNegative refuses a negative length of time.
func (c *checker) notNegative(at where, durations ...caddy.Duration) {
	for _, d := range durations {
		if d < 0 {
			c.refuse(at, "a duration cannot be negative")
		}
	}
}

// Forms of names. What a stranger chooses is never one of these.
var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	idForm       = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	slugForm     = regexp.MustCompile(`^[A-Za-z0-9._~-]{2,128}$`)
	externalForm = regexp.MustCompile(`^[A-Za-z0-9._:@|-]{1,128}$`)
	projectForm  = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	wordForm     = regexp.MustCompile(`^[!-~]{1,128}$`)
)

const (
	wantName     = "1 to 64 of a-z 0-9 _ -, beginning with a letter or digit"
	wantID       = "1 to 128 of A-Z a-z 0-9 . _ -"
	wantSlug     = "2 to 128 of A-Z a-z 0-9 . _ ~ -"
	wantExternal = "1 to 128 of A-Z a-z 0-9 . _ : @ | -"
	wantProject  = "1 to 128 of A-Z a-z 0-9 . _ ~ -"
	wantWord     = "1 to 128 printable ASCII characters without spaces"
)
