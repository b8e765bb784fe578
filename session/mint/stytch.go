package mint

import "github.com/attestgate/caddy-attest/session"

// stytchSession is the name of the session's claim under Compat.
const stytchSession = "https://stytch.com/session"

// stytchClaims are session and organization in the shape that Stytch's SDKs
// verify: what the Node, Go and Python ones each ask for.
func (w *writer) stytchClaims(r Request) {
	w.name(stytchSession)
	w.open('{')
	w.session(r)
	w.name("attributes")
	w.open('{')
	w.member("user_agent", "")
	w.member("ip_address", "")
	w.close('}')
	w.name("authentication_factors")
	w.open('[')
	for i, f := range r.Factors {
		w.stytchFactor(i, f)
	}
	w.close(']')
	w.close('}')
	w.organization("https://stytch.com/organization", r)
}

// stytchFactor is a factor as Stytch shows it. The type is always Stytch's own, as
// its SDKs know no other; the first factor is the primary one. When it was last
// authenticated is when it was proved: showing it again does not make its proof more recent.
func (w *writer) stytchFactor(i int, f session.Factor) {
	order, proved := "SECONDARY", f.ProvedAt
	if i == 0 {
		order = "PRIMARY"
	}
	if proved.IsZero() {
		proved = f.CreatedAt
	}
	w.open('{')
	w.member("type", trustedAuthToken)
	w.member("delivery_method", "trusted_token_exchange")
	w.timestamp("created_at", f.CreatedAt)
	w.timestamp("updated_at", f.UpdatedAt)
	w.timestamp("last_authenticated_at", proved)
	w.member("sequence_order", order)
	w.name("trusted_auth_token_factor")
	w.open('{')
	w.member("token_id", f.TokenID)
	w.close('}')
	w.close('}')
}
