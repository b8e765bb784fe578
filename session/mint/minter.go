package mint

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/internal/jose"
	"github.com/attestgate/caddy-attest/session"
)

// DefaultBackdate is how long before iat a JWT may be used, for upstreams whose
// clock is behind.
const DefaultBackdate = 10 * time.Second

// Config says what a Minter puts into every JWT.
type Config struct {
	// Ring signs. Required.
	Ring *Ring
	// Issuer is the iss, without a trailing slash. Required.
	Issuer string
	// ProjectID is the audience of API JWTs. Without one there are none, and Verify
	// takes nothing. Required with Compat.
	ProjectID string
	// Compat gives the JWTs the shape that Stytch's SDKs verify. It needs a ring of
	// RS256.
	Compat bool
	// Backdate is how long nbf lies before iat. Default: 10 s. With Compat nbf is iat.
	Backdate time.Duration
	// Now tells the time. Default: time.Now.
	Now func() time.Time
}

// Minter makes and verifies session JWTs. It is safe for concurrent use.
type Minter struct {
	ring      *Ring
	issuer    string
	projectID string
	compat    bool
	backdate  time.Duration
	now       func() time.Time
}

// New makes a Minter.
func New(c Config) (*Minter, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if err := c.checkRing(); err != nil {
		return nil, err
	}
	if c.Backdate == 0 {
		c.Backdate = DefaultBackdate
	}
	if c.Compat {
		c.Backdate = 0
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Minter{
		ring: c.Ring, issuer: c.Issuer, projectID: c.ProjectID,
		compat: c.Compat, backdate: c.Backdate, now: c.Now,
	}, nil
}

// At is the Minter at another time: what it mints then began there.
func (m *Minter) At(now time.Time) *Minter {
	then := *m
	then.now = func() time.Time { return now }
	return &then
}

func (c Config) checkRing() error {
	switch {
	case c.Ring == nil:
		return errors.New("mint: no ring")
	case c.Compat && c.Ring.algorithm != jose.RS256:
		return &ConfigError{"algorithm", "must be RS256 under compat"}
	}
	return nil
}

// Request is one JWT to be minted.
type Request struct {
	// Session is whose JWT it is. It must be live.
	Session session.Session
	// Factors are those that count where the JWT goes.
	Factors []session.Factor
	// Roles are the member's there.
	Roles []string
	// OrganizationID and MemberID are the session's; another's are an error.
	// OrganizationSlug may be empty.
	OrganizationID, OrganizationSlug, MemberID string
	// Claims are the effective claims, at the top level of the JWT. They were checked
	// where they were made; one with a reserved name is an error here all the same.
	Claims claims.Object
	// Audience is the aud. Default: the issuer. With Compat or API the project id
	// comes first.
	Audience []string
	// API makes the JWT a credential for the session API and the gateway. Only such a
	// JWT may have the project id in its audience, but for Compat, whose SDKs want it
	// in every one.
	API bool
	// Lifetime is how long the JWT lives, at least a second and at most the ring's
	// MaxLifetime; never past the session's end.
	Lifetime time.Duration
	// ClientID makes the JWT an access token (RFC 9068): typ at+jwt, with this client_id, a
	// jti of its own and, if it is not empty, Scope. Not with Compat.
	ClientID, Scope string
}

// Mint makes a JWT. A session that has ended, or will before the JWT had lived
// for a second, is session.ErrExpired or session.ErrRevoked.
func (m *Minter) Mint(r Request) (JWT, error) {
	if err := m.check(r); err != nil {
		return JWT{}, err
	}
	issued, expires, err := m.life(r)
	if err != nil {
		return JWT{}, err
	}
	payload, err := m.payload(r, issued, expires)
	if err != nil {
		return JWT{}, fmt.Errorf("mint: claims: %w", err)
	}
	if err := checkSize(payload); err != nil {
		return JWT{}, err
	}
	kind := jose.TypeJWT
	if r.ClientID != "" {
		kind = jose.TypeAccessToken
	}
	text, keyID, err := m.ring.sign(kind, payload)
	if err != nil {
		return JWT{}, fmt.Errorf("mint: %w", err)
	}
	return JWT{Text: text, IssuedAt: issued, ExpiresAt: expires, KeyID: keyID}, nil
}

func (m *Minter) check(r Request) error {
	switch {
	case r.MemberID != r.Session.MemberID || r.OrganizationID != r.Session.OrganizationID:
		return errors.New("mint: member or organization is not the session's")
	case r.MemberID == "" || r.OrganizationID == "":
		return errors.New("mint: member or organization is missing")
	case !r.Session.RevokedAt.IsZero():
		return fmt.Errorf("mint: %w", session.ErrRevoked)
	case r.API && m.projectID == "":
		return errors.New("mint: an API JWT needs a project id")
	case !r.API && !m.compat && m.projectID != "" && slices.Contains(r.Audience, m.projectID):
		return errors.New("mint: an injected JWT may not have the project id as audience")
	case m.compat && r.ClientID != "":
		return errors.New("mint: Stytch's SDKs take no access token for a session JWT")
	case r.Lifetime < time.Second:
		return errors.New("mint: lifetime is less than a second")
	case m.ring.store != nil && r.Lifetime > m.ring.maxLifetime:
		return fmt.Errorf("mint: lifetime %s is above the ring's maximum %s", r.Lifetime, m.ring.maxLifetime)
	}
	policy := claims.Policy{Compat: m.compat}
	for name := range r.Claims {
		if policy.Reserved(name) {
			return fmt.Errorf("mint: claim %q is not the caller's to set", name)
		}
	}
	return nil
}

// life is when the JWT begins and ends, in whole seconds. It never outlives the
// session, used or not from now on.
func (m *Minter) life(r Request) (issued, expires time.Time, err error) {
	now := m.now().UTC()
	end := now.Add(r.Lifetime)
	if r.Session.ExpiresAt.Before(end) {
		end = r.Session.ExpiresAt
	}
	if idle := r.Session.Idle; idle > 0 && now.Add(idle).Before(end) {
		end = now.Add(idle)
	}
	issued, expires = now.Truncate(time.Second), end.UTC().Truncate(time.Second)
	if !expires.After(now) {
		return issued, expires, fmt.Errorf("mint: %w", session.ErrExpired)
	}
	return issued, expires, nil
}

// audience is the aud of the JWT: always a list, so that readers meet one shape.
func (m *Minter) audience(r Request) []string {
	if !r.API && !m.compat {
		if len(r.Audience) == 0 {
			return []string{m.issuer}
		}
		return r.Audience
	}
	aud := make([]string, 1, 1+len(r.Audience))
	aud[0] = m.projectID
	for _, each := range r.Audience {
		if each != m.projectID {
			aud = append(aud, each)
		}
	}
	return aud
}
