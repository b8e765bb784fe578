package caddymodule

import (
	"slices"
	"strings"
)

// A grammar lists the words that may begin a line of one block of the
// Caddyfile. It is the only list there is: the parser follows it, the errors
// name its words, and the reference is printed from it.
type grammar[T any] struct {
	name  string // what errors call the block
	words []word[T]
}

// A word is one kind of line.
type word[T any] struct {
	name   string
	args   string                  // what follows it, as the reference shows it
	help   string                  // what it is for
	block  section                 // what its braces may hold, nil if it takes none
	either bool                    // it takes arguments or a block, not both
	read   func(*reader, *T) error // reads its arguments and block into T
}

// A section is a block that the reference can print.
type section interface {
	describe(out *description, depth int)
}

// read reads the lines of a block, which need not be there, into T.
func (g grammar[T]) read(r *reader, into *T) error {
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		w, err := g.find(r)
		if err != nil {
			return err
		}
		if err := r.line(w.name, w.args, func() error { return w.read(r, into) }); err != nil {
			return err
		}
	}
	return nil
}

// find is the word that begins the current line.
func (g grammar[T]) find(r *reader) (word[T], error) {
	i := slices.IndexFunc(g.words, func(w word[T]) bool { return w.name == r.Val() })
	if i < 0 {
		return word[T]{}, r.unrecognized(g.name+" option", r.Val(), g.names()...)
	}
	return g.words[i], nil
}

// names are the words, in the order of the reference.
func (g grammar[T]) names() []string {
	names := make([]string, len(g.words))
	for i, w := range g.words {
		names[i] = w.name
	}
	return names
}

// describe prints the block's lines.
func (g grammar[T]) describe(out *description, depth int) {
	for _, w := range g.words {
		if w.either {
			out.line(depth, w.name, w.args, w.help, nil)
			out.line(depth, w.name, "", "", w.block)
			continue
		}
		out.line(depth, w.name, w.args, w.help, w.block)
	}
}

// oneOf lists words for an error: a, b or c.
func oneOf(words ...string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
