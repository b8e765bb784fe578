package mint

import (
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/session"
)

// stytchSessionClaim is the name of the session's claim under Compat.
const stytchSessionClaim = "https://stytch.com/session"

// stytchPayload is the claims set that Stytch's SDKs verify: what the Node, Go and
// Python ones each ask for, and nothing more but custom claims.
type stytchPayload struct {
	registered
	Session      stytchSession     `json:"https://stytch.com/session"`
	Organization organizationClaim `json:"https://stytch.com/organization"`
	Custom       claims.Object     `json:",embed"`
}

type stytchSession struct {
	ID             string           `json:"id"`
	StartedAt      stamp            `json:"started_at"`
	LastAccessedAt stamp            `json:"last_accessed_at"`
	ExpiresAt      stamp            `json:"expires_at"`
	Attributes     stytchAttributes `json:"attributes"`
	Factors        []StytchFactor   `json:"authentication_factors"`
	Roles          []string         `json:"roles"`
}

type stytchAttributes struct {
	UserAgent string `json:"user_agent"`
	IPAddress string `json:"ip_address"`
}

// StytchFactor is a factor as Stytch shows it, in JWTs and in answers of the API.
type StytchFactor struct {
	Type                string          `json:"type"`
	DeliveryMethod      string          `json:"delivery_method"`
	CreatedAt           string          `json:"created_at"`
	UpdatedAt           string          `json:"updated_at"`
	LastAuthenticatedAt string          `json:"last_authenticated_at"`
	SequenceOrder       string          `json:"sequence_order"`
	Trusted             StytchTokenPart `json:"trusted_auth_token_factor"`
}

// StytchTokenPart is the part of a StytchFactor that this kind of factor has.
type StytchTokenPart struct {
	TokenID string `json:"token_id"`
}

// StytchFactors are factors as Stytch shows them. The type is always Stytch's own,
// as its SDKs know no other; the first factor is the primary one. When a factor
// was last authenticated is when it was proved, not when it was last shown.
func StytchFactors(factors []session.Factor) []StytchFactor {
	shown := make([]StytchFactor, len(factors))
	for i, f := range factors {
		shown[i] = StytchFactor{
			Type:                trustedAuthToken,
			DeliveryMethod:      "trusted_token_exchange",
			CreatedAt:           Timestamp(f.CreatedAt),
			UpdatedAt:           Timestamp(f.UpdatedAt),
			LastAuthenticatedAt: Timestamp(firstKnown(f.ProvedAt, f.CreatedAt)),
			SequenceOrder:       "SECONDARY",
			Trusted:             StytchTokenPart{TokenID: f.TokenID},
		}
	}
	if len(shown) > 0 {
		shown[0].SequenceOrder = "PRIMARY"
	}
	return shown
}

func firstKnown(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func newStytchSession(r Request) stytchSession {
	return stytchSession{
		ID:             r.Session.ID,
		StartedAt:      stamp(r.Session.StartedAt),
		LastAccessedAt: stamp(r.Session.LastAccessedAt),
		ExpiresAt:      stamp(r.Session.ExpiresAt),
		Factors:        StytchFactors(r.Factors),
		Roles:          listed(r.Roles),
	}
}
