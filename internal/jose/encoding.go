package jose

import (
	"encoding/base64"
	"errors"
	"strings"
)

var errBase64 = errors.New("not strict base64url")

// strictBase64 refuses non-zero bits after the last byte. The standard decoder
// still skips line breaks, so decode looks for those itself (RFC 7515 §2).
var strictBase64 = base64.RawURLEncoding.Strict()

// decode reads base64url in its one spelling: no padding, no line breaks, no
// other alphabet, no left-over bits (J-07).
func decode(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") {
		return nil, errBase64
	}
	data, err := strictBase64.DecodeString(text)
	if err != nil {
		return nil, errBase64
	}
	return data, nil
}

// decodeTolerant reads the bytes of a published key, which issuers write with padding
// or in the standard alphabet too. Only tokens need one spelling.
func decodeTolerant(text string) ([]byte, error) {
	return decode(urlAlphabet.Replace(strings.TrimRight(text, "=")))
}

var urlAlphabet = strings.NewReplacer("+", "-", "/", "_")

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }
