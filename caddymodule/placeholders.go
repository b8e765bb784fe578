package caddymodule

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

// placeholders are the names in braces in a text.
func placeholders(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	return names
}

// isReplaced tells the placeholders that configuration may use from all others:
// they name where the operator put a value, never anything of a request.
func isReplaced(name string) bool {
	return strings.HasPrefix(name, "env.") || strings.HasPrefix(name, "file.")
}

// A replacer replaces the placeholders of a configuration, each text once:
// braces in what comes out mean nothing (CVE-2026-30852). It collects errors,
// which never hold what came out.
type replacer struct {
	get      func(name string) (string, bool)
	problems []error
}

func newReplacer() *replacer { return &replacer{get: caddy.NewReplacer().GetString} }

// text replaces the placeholders of one text. One that comes out empty is an
// error: a missing secret or address must refuse the configuration, not leave it
// open (CVE-2026-27586).
func (r *replacer) text(at where, text *string) {
	*text = placeholder.ReplaceAllStringFunc(*text, func(match string) string {
		name := match[1 : len(match)-1]
		if !isReplaced(name) {
			return match
		}
		value, ok := r.get(name)
		if !ok || value == "" {
			r.problems = append(r.problems, &problem{where: at, text: fmt.Sprintf("the placeholder %s is empty or cannot be read", match)})
		}
		return value
	})
}

// texts replaces the placeholders of a list.
func (r *replacer) texts(at where, texts []string) {
	for i := range texts {
		r.text(at, &texts[i])
	}
}

// err is everything that could not be replaced.
func (r *replacer) err() error { return errors.Join(r.problems...) }

// provision checks what was written, replaces its placeholders, and checks what
// came of it.
func provision(rules func(*checker), replace func(*replacer)) error {
	if err := check(false, rules); err != nil {
		return err
	}
	r := newReplacer()
	replace(r)
	if err := r.err(); err != nil {
		return err
	}
	return check(true, rules)
}
