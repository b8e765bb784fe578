package session

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// MaxTokenBytes is the longest text that ParseToken looks at.
	MaxTokenBytes = 128

	secretBytes  = 32
	secretLength = 43 // of its base64url
)

// GracePeriod is how long the former secret of a session is still good after a
// renewal, so that requests under way with it do not fail.
const GracePeriod = 30 * time.Second

// secret is the second half of a session token. It is held by pointer and holds
// its bytes by pointer: package fmt follows one pointer out of a field whose
// methods it may not call, even where the verb does not fit, and prints the
// address of the second.
type secret struct{ bytes *[secretBytes]byte }

func newSecret(random io.Reader) (*secret, error) {
	b := new([secretBytes]byte)
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return nil, fmt.Errorf("session: random bytes: %w", err)
	}
	return &secret{b}, nil
}

// secretOf takes bytes of a record.
func secretOf(b []byte) (*secret, error) {
	if len(b) != secretBytes {
		return nil, errRecord
	}
	return &secret{(*[secretBytes]byte)(b)}, nil
}

// parseSecret takes the one spelling that a secret has: RFC 7515's base64url,
// unpadded, the bits beyond its last byte zero.
func parseSecret(text string) (*secret, error) {
	if len(text) != secretLength {
		return nil, ErrToken
	}
	var held struct { // in one piece, as each request with a session token makes one
		secret
		space [secretBytes]byte
	}
	if n, err := base64.RawURLEncoding.Strict().Decode(held.space[:], []byte(text)); err != nil || n != secretBytes {
		return nil, ErrToken
	}
	held.bytes = &held.space
	return &held.secret, nil
}

func (s *secret) text() string { return base64.RawURLEncoding.EncodeToString(s.bytes[:]) }

// equal compares in constant time; no secret equals the absent one.
func (s *secret) equal(t *secret) bool {
	return s != nil && t != nil && subtle.ConstantTimeCompare(s.bytes[:], t.bytes[:]) == 1
}

// secrets are those of one session: the current one and, for GracePeriod after
// a renewal, the one before.
type secrets struct {
	current     *secret
	former      *secret
	formerUntil time.Time
}

// Token is a session token, `<session id>.<secret>`: whoever shows it is let in
// as the session's member. It prints as its id only.
type Token struct {
	id     string
	secret *secret
}

// ParseToken reads a session token. It judges the shape alone; the error is
// ErrToken and repeats nothing of the text.
func ParseToken(text string) (Token, error) {
	if len(text) > MaxTokenBytes {
		return Token{}, ErrToken
	}
	id, rest, _ := strings.Cut(text, ".")
	if !ValidID(id) {
		return Token{}, ErrToken
	}
	s, err := parseSecret(rest)
	if err != nil {
		return Token{}, err
	}
	return Token{id: id, secret: s}, nil
}

// LooksLikeToken tells whether text means to be one of our tokens, whole or not.
// One that does and is not good is a bad credential, not somebody else's.
func LooksLikeToken(text string) bool { return strings.HasPrefix(text, idPrefix) }

// SessionID is the id of the session that the token names.
func (t Token) SessionID() string { return t.id }

// Reveal is the token as its bearer shows it: a secret.
func (t Token) Reveal() string {
	if t.secret == nil {
		return ""
	}
	return t.id + "." + t.secret.text()
}

// String is the token without its secret.
func (t Token) String() string { return t.id + ".[redacted]" }

// Format writes String whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) } //nolint:errcheck // fmt's own buffer

// MarshalText is String, so that no encoder can write the secret.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// RenewedWithin tells whether the secret was renewed less than GracePeriod ago, so that the
// former one is still good: to renew it again would end that of another request.
func (s Session) RenewedWithin(now time.Time) bool {
	return s.secrets != nil && s.secrets.former != nil && now.Before(s.secrets.formerUntil)
}

// Holds tells, in constant time, whether t is the token of this session, or was
// until a renewal less than GracePeriod ago. It does not tell whether the session
// is live; see Manager.Check.
func (s Session) Holds(t Token, now time.Time) bool {
	if s.secrets == nil || s.ID != t.id {
		return false
	}
	if s.secrets.current.equal(t.secret) {
		return true
	}
	return now.Before(s.secrets.formerUntil) && s.secrets.former.equal(t.secret)
}
