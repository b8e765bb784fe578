package grammar

import (
	"slices"
	"strings"
)

// A Block lists the words that may begin a line of one block of the Caddyfile. It
// is the only list there is: the parser follows it, the errors name its words,
// and the reference is printed from it.
type Block[T any] struct {
	Name  string // what errors call the block
	Lines []Line[T]
}

// A Line is one kind of line.
type Line[T any] struct {
	Name   string
	Args   string                  // what follows it, as the reference shows it
	Help   string                  // what it is for
	Block  Section                 // what its braces may hold, nil if it takes none
	Either bool                    // it takes arguments or a block, not both
	Read   func(*Reader, *T) error // reads its arguments and block into T
}

// A Section is a block that the reference can print.
type Section interface {
	describe(out *description, depth int)
}

// Read reads the lines of a block, which need not be there, into T.
func (b Block[T]) Read(r *Reader, into *T) error {
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		l, err := b.find(r)
		if err != nil {
			return err
		}
		if err := r.line(l.Name, l.Args, func() error { return l.Read(r, into) }); err != nil {
			return err
		}
	}
	return nil
}

// find is the kind of the current line.
func (b Block[T]) find(r *Reader) (Line[T], error) {
	i := slices.IndexFunc(b.Lines, func(l Line[T]) bool { return l.Name == r.Val() })
	if i < 0 {
		return Line[T]{}, r.Unrecognized(b.Name+" option", r.Val(), b.names()...)
	}
	return b.Lines[i], nil
}

// names are the words, in the order of the reference.
func (b Block[T]) names() []string {
	names := make([]string, len(b.Lines))
	for i, l := range b.Lines {
		names[i] = l.Name
	}
	return names
}

// describe prints the block's lines.
func (b Block[T]) describe(out *description, depth int) {
	for _, l := range b.Lines {
		if l.Either {
			out.line(depth, l.Name, l.Args, l.Help, nil)
			out.line(depth, l.Name, "", "", l.Block)
			continue
		}
		out.line(depth, l.Name, l.Args, l.Help, l.Block)
	}
}

// OneOf lists words for an error: a, b or c.
func OneOf(words ...string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
