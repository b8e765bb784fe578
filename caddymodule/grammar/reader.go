package grammar

import (
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// A Reader reads one option or directive of a Caddyfile. It keeps account of
// what it read where, so that a rule broken by the whole is reported with the
// line that broke it.
//
// Its methods read the rest of a line into a field. Each refuses what is
// missing, empty or too much, and a field that already has a value.
type Reader struct {
	*caddyfile.Dispenser
	Path  Place  // where the current line stands
	Usage string // the current line, as the reference shows it
	marks map[string]caddyfile.Token
}

// NewReader begins with the name of the option or directive, which is the place
// of all it reads. The reference shows args after it.
func NewReader(d *caddyfile.Dispenser, at Place, args string) *Reader {
	d.Next()
	r := &Reader{Dispenser: d, Path: at, Usage: usage(at.String(), args), marks: make(map[string]caddyfile.Token)}
	r.marks[Place{}.key()] = r.Token()
	return r
}

// usage is a line as the reference shows it.
func usage(name, args string) string { return strings.TrimSpace(name + " " + args) }

// Mark remembers the current token as the place; the first one stays.
func (r *Reader) Mark(at Place) { r.MarkToken(at, r.Token()) }

func (r *Reader) MarkToken(at Place, token caddyfile.Token) {
	if _, ok := r.marks[at.key()]; !ok {
		r.marks[at.key()] = token
	}
}

// Locate gives a problem the file and line of its place, or of the nearest
// place around it that was read here.
func (r *Reader) Locate(p *Problem) error {
	token := r.nearest(p.Place)
	token.Line += offset(token, p.Line)
	d := caddyfile.NewDispenser([]caddyfile.Token{token})
	d.Next()
	return d.WrapErr(p)
}

// Source is the file and line of a place, or of the nearest place around it that
// was read here.
func (r *Reader) Source(at Place) string {
	token := r.nearest(at)
	return token.File + ":" + strconv.Itoa(token.Line)
}

// nearest is the token that was read for a place, or for the nearest place around
// it: at last for the option or directive itself.
func (r *Reader) nearest(at Place) caddyfile.Token {
	for ; ; at = at[:len(at)-1] {
		if token, ok := r.marks[at.key()]; ok {
			return token
		}
	}
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
func (r *Reader) line(name, args string, read func() error) error {
	defer func(path Place, usage string) { r.Path, r.Usage = path, usage }(r.Path, r.Usage)
	r.Path, r.Usage = r.Path.At(name), usage(name, args)
	r.Mark(r.Path)
	if err := read(); err != nil {
		return err
	}
	return r.End()
}

// Table reads the lines of a block that begin with the operator's own words.
func (r *Reader) Table(read func(line []string) error) error {
	return r.table(func() []string { return append([]string{r.Val()}, r.RemainingArgs()...) }, func(line []string) error {
		if slices.Contains(line, "") {
			return r.Wrong()
		}
		return read(line)
	})
}

// TableRaw is Table with words as they are written, quotes included.
func (r *Reader) TableRaw(read func(line []string) error) error {
	return r.table(func() []string { return append([]string{r.ValRaw()}, r.RemainingArgsRaw()...) }, read)
}

func (r *Reader) table(line func() []string, read func(line []string) error) error {
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		if err := read(line()); err != nil {
			return err
		}
		if err := r.End(); err != nil {
			return err
		}
	}
	return nil
}

// End refuses what is left on a line, and a block that nobody read.
func (r *Reader) End() error {
	if r.NextArg() {
		return r.Wrong()
	}
	for nesting := r.Nesting(); r.NextBlock(nesting); {
		return r.Errf("'%s' takes no block", r.Path)
	}
	return nil
}

// Wrong is the answer to a line that does not have the form it should. It names
// that form only, because what stands there may be a secret.
func (r *Reader) Wrong() error {
	return r.Errf("wrong arguments; expected '%s'", r.Usage)
}

// Unrecognized is the answer to a word that is none of those expected.
func (r *Reader) Unrecognized(what, word string, expected ...string) error {
	return r.Errf("unrecognized %s '%s'; expected %s", what, word, OneOf(expected...))
}

// Again is the answer to a line that may stand once only.
func (r *Reader) Again() error { return r.Errf("'%s' is already given", r.Path) }

// Args reads at least min arguments, and marks each as a place.
func (r *Reader) Args(min int) ([]string, error) {
	var args []string
	for _, token := range r.RemainingArgsAsTokens() {
		args = append(args, token.Text)
		r.MarkToken(r.Path.At(token.Text), token)
	}
	if len(args) < min || slices.Contains(args, "") {
		return nil, r.Wrong()
	}
	return args, nil
}

// OneOrTwo reads one argument, or two.
func (r *Reader) OneOrTwo() (first, second string, err error) {
	args, err := r.Args(1)
	switch {
	case err != nil:
		return "", "", err
	case len(args) > 2:
		return "", "", r.Wrong()
	case len(args) == 2:
		second = args[1]
	}
	return args[0], second, nil
}

// Word reads exactly one argument.
func (r *Reader) Word() (string, error) {
	args, err := r.Args(1)
	if err != nil {
		return "", err
	}
	if len(args) != 1 {
		return "", r.Wrong()
	}
	return args[0], nil
}

// Text reads one argument.
func (r *Reader) Text(into *string) (err error) {
	if *into != "" {
		return r.Again()
	}
	*into, err = r.Word()
	return err
}

// Texts reads one argument or more, and adds them to those of earlier lines.
func (r *Reader) Texts(into *[]string) error {
	args, err := r.Args(1)
	if err != nil {
		return err
	}
	*into = append(*into, args...)
	return nil
}

// Choice reads one argument that is one of the words.
func (r *Reader) Choice(into *string, words ...string) error {
	if err := r.Text(into); err != nil {
		return err
	}
	if !slices.Contains(words, *into) {
		return r.Unrecognized(r.Path[len(r.Path)-1], *into, words...)
	}
	return nil
}

// Choices reads one argument or more, each one of the words.
func (r *Reader) Choices(into *[]string, words ...string) error {
	before := len(*into)
	if err := r.Texts(into); err != nil {
		return err
	}
	for _, word := range (*into)[before:] {
		if !slices.Contains(words, word) {
			return r.Unrecognized(r.Path[len(r.Path)-1], word, words...)
		}
	}
	return nil
}

// Flag reads a line that is only its word.
func (r *Reader) Flag(into *bool) error {
	if *into {
		return r.Again()
	}
	*into = true
	return nil
}

// Number reads a whole number that is at least min.
func (r *Reader) Number(into *int, min int) error {
	if *into != 0 {
		return r.Again()
	}
	text, err := r.Word()
	if err != nil {
		return err
	}
	*into, err = r.ParseNumber(text, min)
	return err
}

// ParseNumber reads a whole number that is at least min.
func (r *Reader) ParseNumber(text string, min int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < min {
		return 0, r.Errf("'%s' is not a whole number of at least %d", text, min)
	}
	return n, nil
}

// Duration reads a length of time greater than 0.
func (r *Reader) Duration(into *caddy.Duration) error {
	if *into != 0 {
		return r.Again()
	}
	text, err := r.Word()
	if err != nil {
		return err
	}
	*into, err = r.ParseDuration(text)
	if err == nil && *into == 0 {
		return r.Errf("'%s' is no time at all; expected a duration such as 30s, 5m, 12h or 30d", text)
	}
	return err
}

// DurationOrZero reads a length of time that may be 0.
func (r *Reader) DurationOrZero(into **caddy.Duration) error {
	if *into != nil {
		return r.Again()
	}
	text, err := r.Word()
	if err != nil {
		return err
	}
	d, err := r.ParseDuration(text)
	*into = &d
	return err
}

// ParseDuration reads a length of time that is not negative.
func (r *Reader) ParseDuration(text string) (caddy.Duration, error) {
	d, err := caddy.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, r.Errf("'%s' is not a duration; expected one such as 30s, 5m, 12h or 30d", text)
	}
	return caddy.Duration(d), nil
}
