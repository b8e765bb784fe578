package record

import (
	"errors"
	"fmt"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// ErrMalformed reports bytes that are no record.
var ErrMalformed = errors.New("record: malformed")

// FormatError reports a record that a newer release has written.
type FormatError struct {
	Found  byte // the record's format
	Newest byte // the newest this release reads
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("record: format %d is newer than %d, the newest this release reads; upgrade it", e.Found, e.Newest)
}

// Encode writes v, a struct or map, in the given format, which is at least 1.
func Encode(format byte, v any) ([]byte, error) {
	if format == 0 {
		return nil, fmt.Errorf("%w: format 0", ErrMalformed)
	}
	body, err := strictjson.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	if body[0] != '{' {
		return nil, fmt.Errorf("%w: not an object", ErrMalformed)
	}
	return append([]byte{format}, body...), nil
}

// Decode reads into v, a pointer to a struct, a record of any format from 1 to
// newest. Format answers which of them it is. The error is a *FormatError for a
// newer one and an ErrMalformed for what is no record; neither repeats any of it.
func Decode(data []byte, newest byte, v any) error {
	if len(data) < 2 || data[0] == 0 {
		return ErrMalformed
	}
	if data[0] > newest {
		return &FormatError{Found: data[0], Newest: newest}
	}
	if data[1] != '{' {
		return fmt.Errorf("%w: not an object", ErrMalformed)
	}
	if err := strictjson.Unmarshal(data[1:], v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return nil
}

// Format is the format of a record, 0 for what is none.
func Format(data []byte) byte {
	if len(data) == 0 {
		return 0
	}
	return data[0]
}
