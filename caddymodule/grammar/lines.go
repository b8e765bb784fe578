package grammar

import "github.com/caddyserver/caddy/v2"

// Constructors of the kinds of lines that most blocks are made of. field is where
// a line's value goes; a line whose value is there already is refused, but for
// those that add to a list.

// Text is a line of one argument.
func Text[T any](name, args, help string, field func(*T) *string) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Text(field(t)) }}
}

// Texts is a line of one argument or more; lines add up.
func Texts[T any](name, args, help string, field func(*T) *[]string) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Texts(field(t)) }}
}

// Choice is a line of one argument that is one of the words.
func Choice[T any](name, args, help string, words []string, field func(*T) *string) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Choice(field(t), words...) }}
}

// Choices is a line of one argument or more, each one of the words; lines add up.
func Choices[T any](name, args, help string, words []string, field func(*T) *[]string) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Choices(field(t), words...) }}
}

// Flag is a line that is only its word.
func Flag[T any](name, help string, field func(*T) *bool) Line[T] {
	return Line[T]{Name: name, Help: help, Read: func(r *Reader, t *T) error { return r.Flag(field(t)) }}
}

// Number is a line of one whole number that is at least min.
func Number[T any](name, args, help string, min int, field func(*T) *int) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Number(field(t), min) }}
}

// Duration is a line of one length of time greater than 0.
func Duration[T any](name, args, help string, field func(*T) *caddy.Duration) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.Duration(field(t)) }}
}

// DurationOrZero is a line of one length of time that may be 0.
func DurationOrZero[T any](name, args, help string, field func(*T) **caddy.Duration) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: func(r *Reader, t *T) error { return r.DurationOrZero(field(t)) }}
}

// Custom is a line with a form of its own.
func Custom[T any](name, args, help string, read func(*Reader, *T) error) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Read: read}
}

// Sub is a line that is only its word and a block. It may stand once.
func Sub[T, S any](name, help string, block Block[S], field func(*T) **S) Line[T] {
	return Line[T]{Name: name, Help: help, Block: block, Read: func(r *Reader, t *T) error {
		s, err := Once(r, field(t))
		if err != nil {
			return err
		}
		return block.Read(r, s)
	}}
}

// SubText is a line of one argument, which goes into text of the block's value, and
// a block. It may stand once.
func SubText[T, S any](name, args, help string, block Block[S], field func(*T) **S, text func(*S) *string) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Block: block, Read: func(r *Reader, t *T) error {
		s, err := Once(r, field(t))
		if err != nil {
			return err
		}
		if err := r.Text(text(s)); err != nil {
			return err
		}
		return block.Read(r, s)
	}}
}

// Named is a line of one name and a block: an entry of a map.
func Named[T, S any](name, args, help string, block Block[S], field func(*T) *map[string]*S) Line[T] {
	return Line[T]{Name: name, Args: args, Help: help, Block: block, Read: func(r *Reader, t *T) error {
		return readNamed(r, field(t), block)
	}}
}

func readNamed[S any](r *Reader, into *map[string]*S, block Block[S]) error {
	name, err := r.Word()
	if err != nil {
		return err
	}
	if _, ok := (*into)[name]; ok {
		return r.Errf("%s '%s' is already defined", r.Path[len(r.Path)-1], name)
	}
	r.Path = r.Path.At(name)
	value := new(S)
	Put(into, name, value)
	return block.Read(r, value)
}

// Put sets an entry of a map that need not be there yet.
func Put[V any](into *map[string]V, name string, value V) {
	if *into == nil {
		*into = make(map[string]V)
	}
	(*into)[name] = value
}

// Within are the lines of a block whose value is a part of T.
func Within[T, S any](block Block[S], part func(*T) *S) []Line[T] {
	lines := make([]Line[T], len(block.Lines))
	for i, l := range block.Lines {
		lines[i] = Line[T]{Name: l.Name, Args: l.Args, Help: l.Help, Block: l.Block, Either: l.Either, Read: func(r *Reader, t *T) error { return l.Read(r, part(t)) }}
	}
	return lines
}

// Once begins a value that may be given once only.
func Once[T any](r *Reader, into **T) (*T, error) {
	if *into != nil {
		return nil, r.Again()
	}
	*into = new(T)
	return *into, nil
}
