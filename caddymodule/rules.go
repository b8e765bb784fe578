package caddymodule

import (
	"regexp"

	"github.com/attestgate/caddy-attest/caddymodule/grammar"
)

// A checker applies the rules of the configuration. Each thing's rules stand with
// the thing.
type checker struct{ grammar.Checker }

// check answers everything that breaks the rules.
func check(replaced bool, rules func(*checker)) error {
	c := checker{grammar.Checker{Replaced: replaced}}
	rules(&c)
	return c.Err()
}

// firstProblem answers one thing that breaks the rules, nil if nothing does.
func firstProblem(replaced bool, rules func(*checker)) *grammar.Problem {
	c := checker{grammar.Checker{Replaced: replaced}}
	rules(&c)
	if len(c.Problems) == 0 {
		return nil
	}
	return c.Problems[0]
}

// provision checks what was written, replaces its placeholders, and checks what
// came of it.
func provision(rules func(*checker), replace func(*grammar.Replacer)) error {
	if err := check(false, rules); err != nil {
		return err
	}
	r := grammar.NewReplacer()
	replace(r)
	if err := r.Err(); err != nil {
		return err
	}
	return check(true, rules)
}

// Forms of names. What a stranger chooses is never one of these.
var (
	nameForm    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
	projectForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	wordForm    = regexp.MustCompile(`^[!-~]{1,128}$`)
)

const (
	wantName    = "1 to 64 of a-z 0-9 _ -, beginning with a letter or digit"
	wantID      = "1 to 128 of A-Z a-z 0-9 . _ -"
	wantProject = "1 to 128 of A-Z a-z 0-9 . _ ~ -"
	wantWord    = "1 to 128 printable ASCII characters without spaces"
)
