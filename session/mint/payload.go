package mint

import (
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
)

// registered are the claims of RFC 7519 that every JWT of ours has. There is no
// jti: nothing is looked up by it, and Stytch's Go SDK takes it for a custom claim.
type registered struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	IssuedAt  int64    `json:"iat"`
	NotBefore int64    `json:"nbf"`
	ExpiresAt int64    `json:"exp"`
}

// payload is the claims set in our own shape. Should a custom claim have the name
// of one of ours, the encoder refuses the object.
type payload struct {
	registered
	Session      sessionClaim      `json:"session"`
	Organization organizationClaim `json:"organization"`
	Custom       claims.Object     `json:",embed"`
}

type sessionClaim struct {
	ID             string   `json:"id"`
	StartedAt      stamp    `json:"started_at"`
	LastAccessedAt stamp    `json:"last_accessed_at"`
	ExpiresAt      stamp    `json:"expires_at"`
	Roles          []string `json:"roles"`
	Factors        []Factor `json:"authentication_factors"`
}

type organizationClaim struct {
	ID   string `json:"organization_id"`
	Slug string `json:"slug"`
}

// Factor is a factor as our session JWTs show it.
type Factor struct {
	Type     string `json:"type"`
	Profile  string `json:"profile"`
	Issuer   string `json:"issuer"`
	TokenID  string `json:"token_id"`
	ProvedAt string `json:"proved_at,omitempty"` // RFC 3339, seconds, UTC; absent where the token did not say
}

// Factors are factors as our session JWTs show them.
func Factors(factors []session.Factor) []Factor {
	shown := make([]Factor, len(factors))
	for i, f := range factors {
		shown[i] = Factor{Type: factorType(f), Profile: f.Profile, Issuer: f.Issuer, TokenID: f.TokenID}
		if !f.ProvedAt.IsZero() {
			shown[i].ProvedAt = Timestamp(f.ProvedAt)
		}
	}
	return shown
}

// factorType is the type of a factor whose profile names none.
func factorType(f session.Factor) string {
	if f.Type == "" {
		return trustedAuthToken
	}
	return f.Type
}

const trustedAuthToken = "trusted_auth_token"

// Timestamp writes a time as all our JSON does: RFC 3339, seconds, UTC.
func Timestamp(t time.Time) string { return t.UTC().Format(timestampLayout) }

const timestampLayout = "2006-01-02T15:04:05Z"

// stamp is a time that is written as Timestamp does.
type stamp time.Time

// MarshalText implements encoding.TextMarshaler.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Time(s).UTC().AppendFormat(make([]byte, 0, len(timestampLayout)), timestampLayout), nil
}

func (m *Minter) payload(r Request, issued, expires time.Time) any {
	reg := registered{
		Issuer:    m.issuer,
		Subject:   r.MemberID,
		Audience:  m.audience(r),
		IssuedAt:  issued.Unix(),
		NotBefore: issued.Add(-m.backdate).Unix(),
		ExpiresAt: expires.Unix(),
	}
	organization := organizationClaim{ID: r.OrganizationID, Slug: r.OrganizationSlug}
	if m.compat {
		return stytchPayload{reg, newStytchSession(r), organization, r.Claims}
	}
	return payload{reg, sessionClaim{
		ID:             r.Session.ID,
		StartedAt:      stamp(r.Session.StartedAt),
		LastAccessedAt: stamp(r.Session.LastAccessedAt),
		ExpiresAt:      stamp(r.Session.ExpiresAt),
		Roles:          listed(r.Roles),
		Factors:        Factors(r.Factors),
	}, organization, r.Claims}
}

// listed is a list that is written as one even where it is empty.
func listed(roles []string) []string {
	if roles == nil {
		return []string{}
	}
	return roles
}
