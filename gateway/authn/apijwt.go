package authn

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/attestgate/caddy-attest/internal/cache"
	"github.com/attestgate/caddy-attest/session/mint"
)

// apiJWTs remember API JWTs that were verified, so that one presented with every
// request costs one signature. An entry is good while the JWT is, and while the
// ring holds the keys it held then: a key that an emergency rotation denies is no
// longer accepted from memory.
type apiJWTs struct {
	verified *cache.Cache[apiJWTKey, mint.Verified]
}

type apiJWTKey struct {
	text [sha256.Size]byte
	ring [sha256.Size]byte
}

func newAPIJWTs(o CacheOptions) apiJWTs {
	return apiJWTs{cache.New[apiJWTKey, mint.Verified](o.derived())}
}

func (c apiJWTs) session(k apiJWTKey, now time.Time) (id string, ok bool) {
	v, ok := c.verified.Get(k)
	return v.SessionID, ok && now.Before(v.ExpiresAt)
}

// apiJWT answers which session an API JWT names, for a proxied request: it must
// not have expired. digest is that of text.
func (a *Authenticator) apiJWT(ctx context.Context, text string, digest [sha256.Size]byte) (string, error) {
	k, now := apiJWTKey{digest, a.Ring.Published()}, a.Now()
	if id, ok := a.cache.apiJWTs.session(k, now); ok {
		return id, nil
	}
	v, err := a.Minter.Read(ctx, text, mint.VerifyOptions{})
	if err == nil {
		a.cache.apiJWTs.verified.Set(k, v)
	}
	return v.SessionID, err
}

// byJWT finds the live session that a session JWT names, expired or not: only
// callers that have shown the project's secret come here, and the session is looked
// up anyway.
func (a *Authenticator) byJWT(ctx context.Context, text string) (LiveSession, error) {
	id, err := a.sessionOfJWT(ctx, text)
	if err != nil {
		return LiveSession{}, err
	}
	return a.liveSession(ctx, id)
}

// sessionOfJWT is the id of the session that a session JWT names, expired or not.
func (a *Authenticator) sessionOfJWT(ctx context.Context, text string) (string, error) {
	id, err := a.Minter.Verify(ctx, text, mint.VerifyOptions{AllowExpired: true})
	if err != nil {
		return "", refusalOfJWT(err, "unable_to_parse_session_jwt")
	}
	return id, nil
}

// IssuesOrTrusts tells whether an iss is ours or that of an issuer some profile
// trusts.
func (a *Authenticator) IssuesOrTrusts(issuer string) bool {
	return issuer == a.Issuer || a.Profiles.TrustsIssuer(issuer)
}

// notIssuedHere tells a JWT of another issuer, or what is no JWT at all, from a bad
// one of ours.
func notIssuedHere(err error) bool {
	var refused *mint.VerifyError
	return errors.As(err, &refused) && (refused.Code == mint.CodeIssuer || refused.Code == mint.CodeMalformed)
}

// refusalOfJWT refuses a JWT of ours. Where the ring could not be read that is an
// outage and not a refusal.
func refusalOfJWT(err error, code string) error {
	var refused *mint.VerifyError
	if !errors.As(err, &refused) {
		return err
	}
	r := Refuse(code, err)
	r.Reason = refused.Code
	return r
}
