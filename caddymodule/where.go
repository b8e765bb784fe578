package caddymodule

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// where is a place in the configuration, in the words of the Caddyfile from the
// app or handler down: profile, okta, leeway.
type where []string

// at is a place below this one.
func (w where) at(words ...string) where { return append(slices.Clip(w), words...) }

// String is the place as errors name it: as one would write it.
func (w where) String() string {
	words := make([]string, len(w))
	for i, word := range w {
		words[i] = word
		if strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || !unicode.IsPrint(r) }) {
			words[i] = strconv.Quote(word)
		}
	}
	return strings.Join(words, " ")
}

// key tells places apart, whatever their words hold.
func (w where) key() string { return strings.Join(w, "\x00") }

// A problem is a mistake in the configuration: where it stands, and what is
// wrong in a way that says what would be right.
type problem struct {
	where where
	text  string
	line  int // of a text of several lines, counted from 1; 0 is all of it
}

// Error is the place and the mistake.
func (p *problem) Error() string {
	if len(p.where) == 0 {
		return p.text
	}
	return p.where.String() + ": " + p.text
}
