package strictjson

import (
	"errors"
	"fmt"
	"io"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

var (
	// ErrDepth reports a value that nests deeper than allowed.
	ErrDepth = errors.New("strictjson: nested too deep")
	// ErrDuplicateName reports an object that names one member twice, or two
	// members whose names fold to one.
	ErrDuplicateName = errors.New("strictjson: duplicate member name")
	// ErrNotObject reports a value other than an object where one is required.
	ErrNotObject = errors.New("strictjson: not an object")

	errTooMany   = fmt.Errorf("strictjson: more than %d values", MaxValues)
	errEmpty     = errors.New("strictjson: no value")
	errTrailing  = errors.New("strictjson: text after the value")
	errNotNumber = errors.New("strictjson: not a number")
	errNotUTF8   = errors.New("strictjson: text is not UTF-8")
)

// UnknownNameError reports a member that UnmarshalExact does not allow.
type UnknownNameError struct {
	// Name is where the member stands: a JSON pointer (RFC 6901) without its first
	// slash, which at the top level is the name itself.
	Name string
}

func (e *UnknownNameError) Error() string { return "strictjson: unknown member " + quote(e.Name) }

// TypeError reports a value that is not of the type it must have.
type TypeError struct {
	// Name is where it stands, as in UnknownNameError; empty for the whole.
	Name string
}

func (e *TypeError) Error() string {
	if e.Name == "" {
		return "strictjson: the value has the wrong type"
	}
	return fmt.Sprintf("strictjson: member %s has the wrong type", quote(e.Name))
}

// syntaxError says where the text is wrong and never what stands there: the text
// may be a token or hold a secret.
func syntaxError(err error) error {
	if err == io.EOF { // not ErrUnexpectedEOF, which is of a value begun
		return errEmpty
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return fmt.Errorf("strictjson: not valid JSON at byte %d", syntax.ByteOffset)
	}
	return errors.New("strictjson: not valid JSON")
}

// redact keeps what the decoder says about types and places, and drops the
// values it quotes.
func redact(err error) error {
	var semantic *jsonv2.SemanticError
	if !errors.As(err, &semantic) {
		return syntaxError(err)
	}
	place := strings.TrimPrefix(string(semantic.JSONPointer), "/")
	if errors.Is(err, jsonv2.ErrUnknownName) {
		return &UnknownNameError{Name: place}
	}
	return &TypeError{Name: place}
}

// quote shows a name, which may come from outside, at a length fit for a log
// line.
func quote(name string) string {
	const most = 64
	if r := []rune(name); len(r) > most {
		name = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", name)
}
