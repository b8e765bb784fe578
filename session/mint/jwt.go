package mint

import (
	"fmt"
	"io"
	"time"
)

// JWT is a session JWT that was just minted. It prints without its text.
type JWT struct {
	// Text is the compact JWS: a secret for as long as it lives.
	Text string `json:"-"`
	// IssuedAt and ExpiresAt are its iat and exp.
	IssuedAt, ExpiresAt time.Time
	// KeyID is the kid it was signed with.
	KeyID string
}

// String is the JWT without its text.
func (j JWT) String() string {
	return "JWT[redacted, until " + j.ExpiresAt.UTC().Format(time.RFC3339) + "]"
}

// Format writes String whatever the verb.
func (j JWT) Format(f fmt.State, _ rune) { io.WriteString(f, j.String()) } //nolint:errcheck // fmt's own buffer
