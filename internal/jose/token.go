package jose

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

const (
	// MaxTokenBytes is the longest compact token that Parse looks at.
	MaxTokenBytes = 16 << 10
	// MaxKeyID is the longest kid, in bytes.
	MaxKeyID = 256
)

// Token is a compact JWS taken apart. Nothing in it is verified before Verify returns
// nil.
type Token struct {
	Header Header
	// Payload is the JSON text of the claims, Claims what it says.
	Payload []byte
	Claims  map[string]any

	text      string
	input     []byte // what the signature is over: header and payload as they came
	signature []byte
}

// Digest names the token: the SHA-256 of its text, with ECDSA that of the text
// before the signature. From an ECDSA token anybody can make another valid
// one without the key (s and n-s verify alike); it must have the same digest, or a
// revoked token could be used again.
func (t *Token) Digest() [32]byte {
	if a := algorithms[t.Header.Algorithm]; a != nil && a.family == ecdsaRS {
		return sha256.Sum256(t.input)
	}
	return sha256.Sum256([]byte(t.text))
}

// Header holds what we read of the protected header; the rest is not looked at.
type Header struct {
	Algorithm, KeyID, Type string
	// HasKeyID and HasType tell a missing member from an empty one.
	HasKeyID, HasType bool
}

// Parse takes a compact JWS apart: exactly three non-empty parts of strict
// base64url, of which the first two are JSON objects (RFC 7515 §7.1, RFC 7519
// §7.2). Every refusal is a *ParseError. Before the number of parts is known
// nothing is allocated, however many dots there are.
func Parse(compact string) (*Token, error) {
	header, payload, signature, err := split(compact)
	if err != nil {
		return nil, err
	}
	t := &Token{text: compact, input: []byte(compact[:len(header)+1+len(payload)])}
	if err := t.readHeader(header); err != nil {
		return nil, err
	}
	if err := t.readPayload(payload); err != nil {
		return nil, err
	}
	if t.signature, err = decode(signature); err != nil {
		return nil, &ParseError{CodeEncoding, err}
	}
	return t, nil
}

func split(compact string) (header, payload, signature string, err error) {
	header, payload, signature, err = splitParts(compact)
	if err == nil && (header == "" || payload == "" || signature == "") {
		err = &ParseError{Code: CodeMalformed}
	}
	return header, payload, signature, err
}

// splitParts is split, and takes empty parts too.
func splitParts(compact string) (header, payload, signature string, err error) {
	if len(compact) > MaxTokenBytes {
		return "", "", "", &ParseError{Code: CodeTooLarge}
	}
	switch strings.Count(compact, ".") {
	case 2:
	case 4: // the compact form of a JWE (RFC 7516 §7.1)
		return "", "", "", &ParseError{Code: CodeEncrypted}
	default:
		return "", "", "", &ParseError{Code: CodeMalformed}
	}
	header, rest, _ := strings.Cut(compact, ".")
	payload, signature, _ = strings.Cut(rest, ".")
	return header, payload, signature, nil
}

// registered are the claims that every reader knows (RFC 7519 §4.1, OpenID Connect Core
// §2, §5.1), so that another spelling of one could be taken for it.
var registered = [...]string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "acr", "amr", "azp", "nonce", "email", "email_verified"}

// Opaque is a token that says nothing itself; claims are what its issuer says of it.
func Opaque(text string, claims map[string]any) *Token { return &Token{text: text, Claims: claims} }

// ReadClaims reads an object of claims as Parse reads a payload.
func ReadClaims(data []byte) (map[string]any, error) {
	claims, err := readClaims(data)
	if err != nil {
		return nil, fmt.Errorf("jose: claims: %w", err)
	}
	return claims, nil
}

func readClaims(data []byte) (map[string]any, error) {
	return strictjson.Claims(data, registered[:]...)
}

func (t *Token) readPayload(part string) (err error) {
	if t.Payload, err = decode(part); err != nil {
		return &ParseError{CodeEncoding, err}
	}
	if t.Claims, err = readClaims(t.Payload); err != nil {
		return &ParseError{CodePayload, err}
	}
	return nil
}

func (t *Token) readHeader(part string) error {
	data, err := decode(part)
	if err != nil {
		return &ParseError{CodeEncoding, err}
	}
	members, err := strictjson.Object(data)
	if err != nil {
		return &ParseError{CodeHeader, err}
	}
	if err := refuseMembers(members); err != nil {
		return err
	}
	return t.Header.setMembers(members)
}

// refuseMembers refuses what would change the meaning of the token in a way we
// do not have: extensions (RFC 7515 §4.1.11, RFC 7797 §7), encryption and
// compression (RFC 8725 §3.6).
func refuseMembers(members map[string]any) error {
	for _, m := range [...]struct{ name, code string }{
		{"crit", CodeCritical}, {"b64", CodeCritical},
		{"enc", CodeEncrypted}, {"zip", CodeEncrypted},
	} {
		if _, found := members[m.name]; found {
			return &ParseError{m.code, errors.New("member " + m.name)}
		}
	}
	return nil
}

func (h *Header) setMembers(members map[string]any) error {
	var ok bool
	if h.Algorithm, ok = members["alg"].(string); !ok || h.Algorithm == "" {
		return &ParseError{Code: CodeAlgorithm}
	}
	if strings.EqualFold(strings.TrimSpace(h.Algorithm), "none") {
		return &ParseError{Code: CodeNone}
	}
	h.Algorithm = canonical(h.Algorithm)
	if h.KeyID, h.HasKeyID, ok = optionalText(members, "kid"); !ok || len(h.KeyID) > MaxKeyID {
		return &ParseError{Code: CodeKeyID}
	}
	if h.Type, h.HasType, ok = optionalText(members, "typ"); !ok {
		return &ParseError{Code: CodeType}
	}
	return nil
}

func optionalText(members map[string]any, name string) (text string, found, ok bool) {
	v, found := members[name]
	if !found {
		return "", false, true
	}
	text, ok = v.(string)
	return text, true, ok
}
