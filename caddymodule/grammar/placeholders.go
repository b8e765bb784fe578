package grammar

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// placeholder is how Caddy writes one.
var placeholder = regexp.MustCompile(`\{([^{}]+)\}`)

// unfinished is the beginning of one that never ends.
var unfinished = regexp.MustCompile(`\{(env|file)\.[^{}]*$|\{(env|file)\.[^{}]*\{`)

// Placeholders are the names in braces in a text.
func Placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// IsReplaced tells the placeholders that a configuration may use from all others:
// they name where the operator put a value, never anything of a request.
func IsReplaced(name string) bool {
	return strings.HasPrefix(name, "env.") || strings.HasPrefix(name, "file.")
}

func isQualified(name string) bool { return strings.Contains(name, ".") }

// StandIn is a text whose placeholders are taken for plain text, so that equal
// ones stay equal and none is taken for a capture.
func StandIn(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		if name := strings.Trim(match, "{}"); IsReplaced(name) {
			return name
		}
		return match
	})
}

// A Replacer replaces the placeholders of a configuration, each text once:
// braces in what comes out mean nothing (CVE-2026-30852). It collects errors,
// which never hold what came out.
type Replacer struct {
	// Get answers the value of a placeholder, by its name.
	Get func(name string) (string, bool)

	problems []error
}

// NewReplacer replaces by Caddy's global placeholders.
func NewReplacer() *Replacer { return &Replacer{Get: caddy.NewReplacer().GetString} }

// Text replaces the placeholders of one text. One that comes out empty is an
// error: a missing secret or address must refuse the configuration, not leave it
// open (CVE-2026-27586).
func (r *Replacer) Text(at Place, text *string) {
	*text = placeholder.ReplaceAllStringFunc(*text, func(match string) string {
		name := match[1 : len(match)-1]
		if !IsReplaced(name) {
			return match
		}
		value, ok := r.Get(name)
		if !ok || value == "" {
			r.problems = append(r.problems, &Problem{Place: at, Text: fmt.Sprintf("the placeholder %s is empty or cannot be read", match)})
		}
		return value
	})
}

// Texts replaces the placeholders of a list.
func (r *Replacer) Texts(at Place, texts []string) {
	for i := range texts {
		r.Text(at, &texts[i])
	}
}

// Err is everything that could not be replaced.
func (r *Replacer) Err() error { return errors.Join(r.problems...) }
