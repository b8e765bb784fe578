package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/attestgate/caddy-attest/session/mint"
)

// apiJWTs remember API JWTs that were verified, so that one presented with every
// request costs one signature. An entry is good while the JWT is, and while the
// ring holds the keys it held then: one that an emergency takes out is not
// believed from memory.
type apiJWTs struct {
	verified *otter.Cache[jwtDigest, mint.Verified]
}

type jwtDigest struct {
	digest [sha256.Size]byte
	ring   [sha256.Size]byte
}

func newAPIJWTs(o CacheOptions) *apiJWTs {
	if o.Entries <= 0 {
		return &apiJWTs{}
	}
	return &apiJWTs{otter.Must(&otter.Options[jwtDigest, mint.Verified]{MaximumSize: o.Entries})}
}

func (a *apiJWTs) sessionOf(k jwtDigest, now time.Time) (string, bool) {
	if a.verified == nil {
		return "", false
	}
	v, ok := a.verified.GetIfPresent(k)
	return v.SessionID, ok && now.Before(v.ExpiresAt)
}

func (a *apiJWTs) remember(k jwtDigest, v mint.Verified) {
	if a.verified != nil {
		a.verified.Set(k, v)
	}
}

// apiJWT answers which session an API JWT names, for a proxied request: it must
// not have expired.
func (g *Gateway) apiJWT(ctx context.Context, text string, digest [sha256.Size]byte) (string, error) {
	k, now := jwtDigest{digest, g.Ring.Published()}, g.now()
	if id, ok := g.cache.apiJWTs.sessionOf(k, now); ok {
		return id, nil
	}
	v, err := g.Minter.Read(ctx, text, mint.VerifyOptions{})
	if err == nil {
		g.cache.apiJWTs.remember(k, v)
	}
	return v.SessionID, err
}

// notOurs tells a JWT of somebody else's, or what is no JWT at all, from a bad one
// of ours.
func notOurs(err error) bool {
	var refused *mint.VerifyError
	return errors.As(err, &refused) && (refused.Code == mint.CodeIssuer || refused.Code == mint.CodeMalformed)
}

// refusalOfJWT says that a JWT of ours is not good. Where the ring could not be
// read that is an outage and not a refusal.
func refusalOfJWT(err error, code string) error {
	var refused *mint.VerifyError
	if !errors.As(err, &refused) {
		return err
	}
	r := refuse(code, err)
	r.Reason = refused.Code
	return r
}
