package api

import (
	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
	"github.com/attestgate/caddy-attest/gateway/authn"
)

// wireUserSession is a session as the consumer API writes it.
type wireUserSession struct {
	SessionID             string         `json:"session_id"`
	UserID                string         `json:"user_id"`
	StartedAt             string         `json:"started_at"`
	LastAccessedAt        string         `json:"last_accessed_at"`
	ExpiresAt             string         `json:"expires_at"`
	Attributes            wireAttributes `json:"attributes"`
	Roles                 []string       `json:"roles"`
	CustomClaims          claims.Object  `json:"custom_claims"`
	AuthenticationFactors []wireFactor   `json:"authentication_factors"`
}

// wireAttributes are always empty: nothing is kept of where a session came from.
type wireAttributes struct {
	IPAddress string `json:"ip_address"`
	UserAgent string `json:"user_agent"`
}

func wireUserSessionOf(s authn.RenderedSession) wireUserSession {
	w := wireSessionOf(s)
	return wireUserSession{
		SessionID: w.MemberSessionID, UserID: w.MemberID, StartedAt: w.StartedAt, LastAccessedAt: w.LastAccessedAt,
		ExpiresAt: w.ExpiresAt, Roles: w.Roles, CustomClaims: w.CustomClaims, AuthenticationFactors: w.AuthenticationFactors,
	}
}

// wireUser is a member as the consumer API writes it.
type wireUser struct {
	UserID                 string        `json:"user_id"`
	Status                 string        `json:"status"`
	Name                   wireName      `json:"name"`
	Emails                 []wireEmail   `json:"emails"`
	PhoneNumbers           []any         `json:"phone_numbers"`
	WebAuthnRegistrations  []any         `json:"webauthn_registrations"`
	Providers              []any         `json:"providers"`
	TOTPs                  []any         `json:"totps"`
	CryptoWallets          []any         `json:"crypto_wallets"`
	BiometricRegistrations []any         `json:"biometric_registrations"`
	IsLocked               bool          `json:"is_locked"`
	Roles                  []string      `json:"roles"`
	TrustedMetadata        claims.Object `json:"trusted_metadata"`
	UntrustedMetadata      claims.Object `json:"untrusted_metadata"`
	CreatedAt              string        `json:"created_at,omitempty"`
	ExternalID             string        `json:"external_id,omitempty"`
}

// wireName holds the whole name in first_name: where it would have to be split is
// not for us to guess.
type wireName struct {
	FirstName  string `json:"first_name"`
	MiddleName string `json:"middle_name"`
	LastName   string `json:"last_name"`
}

type wireEmail struct {
	EmailID  string `json:"email_id"`
	Email    string `json:"email"`
	Verified bool   `json:"verified"`
}

func (a *API) wireUser(m directory.Member) wireUser {
	w := wireUser{
		UserID: m.ID, Status: m.Status, Name: wireName{FirstName: m.Name}, Emails: []wireEmail{},
		PhoneNumbers: []any{}, WebAuthnRegistrations: []any{}, Providers: []any{}, TOTPs: []any{}, CryptoWallets: []any{},
		BiometricRegistrations: []any{}, Roles: []string{},
		TrustedMetadata: orNone(m.TrustedMetadata), UntrustedMetadata: orNone(m.UntrustedMetadata),
		CreatedAt: timestampOrNone(m.CreatedAt), ExternalID: m.ExternalID(),
	}
	if m.Email != "" {
		w.Emails = append(w.Emails, wireEmail{Email: m.Email, Verified: m.EmailVerified})
	}
	for _, role := range a.wireRoles(m) {
		w.Roles = append(w.Roles, role.RoleID)
	}
	return w
}
