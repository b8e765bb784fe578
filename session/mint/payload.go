package mint

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/internal/strictjson"
	"github.com/attestgate/caddy-attest/session"
)

// errText reports a name or an id that no JSON can hold.
var errText = errors.New("not UTF-8")

// payload is the claims set of a JWT, ours and then the caller's, among which
// check has found none of ours. Only an access token has a jti: nothing is looked up by it,
// and Stytch's Go SDK takes it for a custom claim.
func (m *Minter) payload(r Request, issued, expires time.Time) ([]byte, error) {
	custom, err := strictjson.Marshal(r.Claims)
	if err != nil {
		return nil, err
	}
	w := writer{buf: make([]byte, 0, 1024+len(custom))}
	w.open('{')
	w.member("iss", m.issuer)
	w.member("sub", r.MemberID)
	w.texts("aud", m.audience(r))
	w.seconds("iat", issued)
	w.seconds("nbf", issued.Add(-m.backdate))
	w.seconds("exp", expires)
	if r.ClientID != "" { // RFC 9068 §2.2
		w.member("client_id", r.ClientID)
		w.member("jti", rand.Text())
		if r.Scope != "" {
			w.member("scope", r.Scope)
		}
	}
	if m.compat {
		w.stytchClaims(r)
	} else {
		w.ourClaims(r)
	}
	if inner := custom[1 : len(custom)-1]; len(inner) > 0 {
		w.sep()
		w.buf = append(w.buf, inner...)
	}
	w.close('}')
	return w.buf, w.err
}

// ourClaims are session and organization in our own shape.
func (w *writer) ourClaims(r Request) {
	w.name("session")
	w.open('{')
	w.session(r)
	w.name("authentication_factors")
	w.open('[')
	for _, f := range r.Factors {
		w.factor(f)
	}
	w.close(']')
	w.close('}')
	w.organization("organization", r)
}

// session is what both shapes of the session have.
func (w *writer) session(r Request) {
	w.member("id", r.Session.ID)
	w.timestamp("started_at", r.Session.StartedAt)
	w.timestamp("last_accessed_at", r.Session.LastAccessedAt)
	w.timestamp("expires_at", r.Session.ExpiresAt)
	w.texts("roles", r.Roles)
}

// trustedAuthToken is the type of a factor whose profile names none.
const trustedAuthToken = "trusted_auth_token"

// factor is a factor in our own shape. proved_at is absent where the token did
// not say.
func (w *writer) factor(f session.Factor) {
	kind := f.Type
	if kind == "" {
		kind = trustedAuthToken
	}
	w.open('{')
	w.member("type", kind)
	w.member("profile", f.Profile)
	w.member("issuer", f.Issuer)
	w.member("token_id", f.TokenID)
	if !f.ProvedAt.IsZero() {
		w.timestamp("proved_at", f.ProvedAt)
	}
	w.close('}')
}

func (w *writer) organization(name string, r Request) {
	w.name(name)
	w.open('{')
	w.member("organization_id", r.OrganizationID)
	w.member("slug", r.OrganizationSlug)
	w.close('}')
}
