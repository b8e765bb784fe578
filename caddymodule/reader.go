package caddymodule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// A reader reads one option or directive of a Caddyfile. It keeps account of
// what it read where, so that a rule broken by the whole is reported with the
// line that broke it.
//
// Its methods read the rest of a line into a field. Each refuses what is
// missing, empty or too much, and a field that already has a value.
type reader struct {
	*caddyfile.Dispenser
	path  where
	usage string // the current line, as the reference shows it
	marks map[string]caddyfile.Token
}

// newReader begins with the name of the option or directive, which is the place
// of all it reads. The reference shows args after it.
func newReader(d *caddyfile.Dispenser, at where, args string) *reader {
	d.Next()
	r := &reader{Dispenser: d, path: at, usage: usage(at.String(), args), marks: make(map[string]caddyfile.Token)}
	r.marks[where{}.key()] = r.Token()
	return r
}

// usage is a line as the reference shows it.
func usage(name, args string) string { return strings.TrimSpace(name + " " + args) }

// mark remembers the current token as the place; the first one stays.
func (r *reader) mark(at where) { r.markToken(at, r.Token()) }

func (r *reader) markToken(at where, token caddyfile.Token) {
	if _, ok := r.marks[at.key()]; !ok {
		r.marks[at.key()] = token
	}
}

// locate gives a problem the file and line of its place, or of the nearest
// place around it that was read here.
func (r *reader) locate(p *problem) error {
	for at := p.where; ; at = at[:len(at)-1] {
		if token, ok := r.marks[at.key()]; ok {
			token.Line += offset(token, p.line)
			d := caddyfile.NewDispenser([]caddyfile.Token{token})
			d.Next()
			return d.WrapErr(p)
		}
	}
}

// source is the file and line where the option or directive begins.
func (r *reader) source() string {
	token := r.marks[where{}.key()]
	return token.File + ":" + strconv.Itoa(token.Line)
}

// offset is how many lines below its first the token has its line of that number.
// A heredoc begins on the line after its marker.
func offset(token caddyfile.Token, line int) int {
	if line == 0 {
		return 0
	}
	if token.NumLineBreaks() > strings.Count(token.Text, "\n") {
		return line
	}
	return line - 1
}

// line reads one line that began with the current token, and its block.
func (r *reader) line(name, args string, read func() error) error {
	defer func(path where, usage string) { r.path, r.usage = path, usage }(r.path, r.usage)
	r.path, r.usage = r.path.at(name), usage(name, args)
	r.mark(r.path)
	if err := read(); err != nil {
		return err
	}
	return r.end()
}

// table reads the lines of a block that begin with the operator's own words.
func (r *reader) table(read func(line []string) error) error {
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		line := append([]string{r.Val()}, r.RemainingArgs()...)
		if slices.Contains(line, "") {
			return r.wrong()
		}
		if err := read(line); err != nil {
			return err
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	return nil
}

// end refuses what is left on a line, and a block that nobody read.
func (r *reader) end() error {
	if r.NextArg() {
		return r.wrong()
	}
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		return r.Errf("'%s' takes no block", r.path)
	}
	return nil
}

// wrong is the answer to a line that does not have the form it should. It names
// that form only, because what stands there may be a secret.
func (r *reader) wrong() error {
	return r.Errf("wrong arguments; expected '%s'", r.usage)
}

// unrecognized is the answer to a word that is none of those expected.
func (r *reader) unrecognized(what, word string, expected ...string) error {
	return r.Errf("unrecognized %s '%s'; expected %s", what, word, oneOf(expected...))
}

// again is the answer to a line that may stand once only.
func (r *reader) again() error { return r.Errf("'%s' is already given", r.path) }

// args reads at least min arguments, and marks each as a place.
func (r *reader) args(min int) ([]string, error) {
	var args []string
	for _, token := range r.RemainingArgsAsTokens() {
		args = append(args, token.Text)
		r.markToken(r.path.at(token.Text), token)
	}
	if len(args) < min || slices.Contains(args, "") {
		return nil, r.wrong()
	}
	return args, nil
}

// word reads exactly one argument.
func (r *reader) word() (string, error) {
	args, err := r.args(1)
	if err != nil {
		return "", err
	}
	if len(args) != 1 {
		return "", r.wrong()
	}
	return args[0], nil
}

// text reads one argument.
func (r *reader) text(into *string) (err error) {
	if *into != "" {
		return r.again()
	}
	*into, err = r.word()
	return err
}

// texts reads one argument or more, and adds them to those of earlier lines.
func (r *reader) texts(into *[]string) error {
	args, err := r.args(1)
	if err != nil {
		return err
	}
	*into = append(*into, args...)
	return nil
}

// choice reads one argument that is one of the words.
func (r *reader) choice(into *string, words ...string) error {
	if err := r.text(into); err != nil {
		return err
	}
	if !slices.Contains(words, *into) {
		return r.unrecognized(r.path[len(r.path)-1], *into, words...)
	}
	return nil
}

// choices reads one argument or more, each one of the words.
func (r *reader) choices(into *[]string, words ...string) error {
	before := len(*into)
	if err := r.texts(into); err != nil {
		return err
	}
	for _, word := range (*into)[before:] {
		if !slices.Contains(words, word) {
			return r.unrecognized(r.path[len(r.path)-1], word, words...)
		}
	}
	return nil
}

// flag reads a line that is only its word.
func (r *reader) flag(into *bool) error {
	if *into {
		return r.again()
	}
	*into = true
	return nil
}

// number reads a whole number that is at least min.
func (r *reader) number(into *int, min int) error {
	if *into != 0 {
		return r.again()
	}
	text, err := r.word()
	if err != nil {
		return err
	}
	*into, err = r.parseNumber(text, min)
	return err
}

// parseNumber reads a whole number that is at least min.
func (r *reader) parseNumber(text string, min int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < min {
		return 0, r.Errf("'%s' is not a whole number of at least %d", text, min)
	}
	return n, nil
}

// duration reads a length of time greater than 0.
func (r *reader) duration(into *caddy.Duration) error {
	if *into != 0 {
		return r.again()
	}
	text, err := r.word()
	if err != nil {
		return err
	}
	*into, err = r.parseDuration(text)
	if err == nil && *into == 0 {
		return r.Errf("'%s' is no time at all; expected a duration such as 30s, 5m, 12h or 30d", text)
	}
	return err
}

// durationOrZero reads a length of time that may be 0.
func (r *reader) durationOrZero(into **caddy.Duration) error {
	if *into != nil {
		return r.again()
	}
	text, err := r.word()
	if err != nil {
		return err
	}
	d, err := r.parseDuration(text)
	*into = &d
	return err
}

// parseDuration reads a length of time that is not negative.
func (r *reader) parseDuration(text string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, r.Errf("'%s' is not a duration; expected one such as 30s, 5m, 12h or 30d", text)
	}
	return caddy.Duration(d), nil
}

// named reads a line `<word> <name> { … }` into an entry of the map.
func named[T any](r *reader, into *map[string]*T, block grammar[T]) error {
	name, err := r.word()
	if err != nil {
		return err
	}
	if _, ok := (*into)[name]; ok {
		return r.Errf("%s '%s' is already defined", r.path[len(r.path)-1], name)
	}
	r.path = r.path.at(name)
	value := new(T)
	put(into, name, value)
	return block.read(r, value)
}

// put sets an entry of a map that need not be there yet.
func put[V any](into *map[string]V, name string, value V) {
	if *into == nil {
		*into = make(map[string]V)
	}
	(*into)[name] = value
}

// once begins a block that may stand once only.
func once[T any](r *reader, into **T) (*T, error) {
	if *into != nil {
		return nil, r.again()
	}
	*into = new(T)
	return *into, nil
}
