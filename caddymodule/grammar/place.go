package grammar

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A Place is a place in the configuration, in the words of the Caddyfile from the
// app or handler down: profile, okta, leeway.
type Place []string

// At is a place below this one.
func (p Place) At(words ...string) Place { return append(slices.Clip(p), words...) }

// String is the place as errors name it: as one would write it.
func (p Place) String() string {
	words := make([]string, len(p))
	for i, word := range p {
		words[i] = word
		if strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || !unicode.IsPrint(r) }) {
			words[i] = strconv.Quote(word)
		}
	}
	return strings.Join(words, " ")
}

// key tells places apart, whatever their words hold.
func (p Place) key() string { return strings.Join(p, "\x00") }

// A Problem is a mistake in the configuration: where it stands, and what is
// wrong in a way that says what would be right.
type Problem struct {
	Place Place
	Text  string
	Line  int // of a text of several lines, counted from 1; 0 is all of it
}

// Error is the place and the mistake.
func (p *Problem) Error() string {
	if len(p.Place) == 0 {
		return p.Text
	}
	return p.Place.String() + ": " + p.Text
}
