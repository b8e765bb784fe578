package mint

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// notBeforeLeeway is how far the clocks of two nodes may differ: a JWT that one
// has just minted is good at the other.
const notBeforeLeeway = 60 * time.Second

// VerifyOptions says what else Verify takes.
type VerifyOptions struct {
	// AllowExpired takes JWTs past their exp too. It is for callers that have proved
	// themselves by other means, and for naming a session only.
	AllowExpired bool
}

// Verify tells which session an API JWT names: one of ours, signed with a key of
// the ring, issued by our issuer, with the project id in its audience, within its
// time. Its other claims are not relied on, and whether the session is live must be
// asked of the session. A JWT that is not good is a *VerifyError, whose code tells
// somebody else's (CodeIssuer) from a bad one; any other error is a fault of the
// store.
func (m *Minter) Verify(ctx context.Context, text string, o VerifyOptions) (sessionID string, err error) {
	v, err := m.Read(ctx, text, o)
	return v.SessionID, err
}

// Verified is what is taken from an API JWT: which session it names, and until when
// it does.
type Verified struct {
	SessionID string
	ExpiresAt time.Time
}

// Read is Verify, and tells the end of the JWT too, for callers that remember the
// answer.
func (m *Minter) Read(ctx context.Context, text string, o VerifyOptions) (Verified, error) {
	t, err := jose.Parse(text)
	if err != nil {
		return Verified{}, &VerifyError{Code: CodeMalformed, err: err}
	}
	// What is not ours by its own account is refused before the ring is looked at: no
	// stranger's kid makes us ask the store.
	if iss, _ := t.Claims["iss"].(string); iss != m.issuer {
		return Verified{}, &VerifyError{Code: CodeIssuer, foreign: t}
	}
	if t.Header.Type != "JWT" || !t.Header.HasKeyID {
		return Verified{}, &VerifyError{Code: CodeMalformed}
	}
	if err := m.verifySignature(ctx, t); err != nil {
		return Verified{}, err
	}
	if err := m.verifyClaims(t.Claims, o); err != nil {
		return Verified{}, err
	}
	id, err := m.sessionID(t.Claims)
	exp, _ := seconds(t.Claims["exp"])
	return Verified{id, exp}, err
}

func (m *Minter) verifySignature(ctx context.Context, t *jose.Token) error {
	k, ok, err := m.ring.lookup(ctx, t.Header.KeyID)
	switch {
	case err != nil:
		return fmt.Errorf("mint: looking for a key: %w", err)
	case !ok:
		return &VerifyError{Code: CodeKey}
	}
	if err := t.Verify(k); err != nil {
		return &VerifyError{Code: CodeSignature, err: err}
	}
	return nil
}

func (m *Minter) verifyClaims(c map[string]any, o VerifyOptions) error {
	if !m.isAudience(c["aud"]) {
		return &VerifyError{Code: CodeAudience}
	}
	exp, ok := seconds(c["exp"])
	if !ok {
		return &VerifyError{Code: CodeClaims}
	}
	nbf, ok := seconds(c["nbf"])
	if !ok {
		return &VerifyError{Code: CodeClaims}
	}
	now := m.now()
	if !o.AllowExpired && !now.Before(exp) {
		return &VerifyError{Code: CodeExpired}
	}
	if now.Add(notBeforeLeeway).Before(nbf) {
		return &VerifyError{Code: CodeNotYet}
	}
	return nil
}

// isAudience tells whether the project is among those the JWT is for. Ours have
// always a list.
func (m *Minter) isAudience(aud any) bool {
	list, _ := aud.([]any)
	return m.projectID != "" && slices.Contains(list, any(m.projectID))
}

func seconds(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	s, err := n.Int64()
	return time.Unix(s, 0), err == nil
}

// sessionID is the one thing that is taken from a JWT: which session it names.
func (m *Minter) sessionID(c map[string]any) (string, error) {
	name := "session"
	if m.compat {
		name = stytchSession
	}
	s, _ := c[name].(map[string]any)
	id, _ := s["id"].(string)
	if id == "" {
		return "", &VerifyError{Code: CodeClaims}
	}
	return id, nil
}
