package strictjson

import (
	"errors"
	"fmt"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// syntaxError says where the text is wrong and never what stands there: the
// text may be a token or hold a secret.
func syntaxError(err error) error {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return ErrDuplicateName
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

// UnknownNameError reports a member that UnmarshalExact does not allow.
type UnknownNameError struct{ Name string }

func (e *UnknownNameError) Error() string { return fmt.Sprintf("unknown member %q", e.Name) }

// TypeError reports a member whose value is not of the type it must have.
type TypeError struct{ Name string }

func (e *TypeError) Error() string { return fmt.Sprintf("member %q has the wrong type", e.Name) }
