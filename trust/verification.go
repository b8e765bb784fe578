package trust

import (
	"context"
	"time"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// verification is the verification of one token with one profile: what the checks so
// far have set.
type verification struct {
	ctx     context.Context
	profile *Profile
	now     time.Time
	raw     string

	token    *jose.Token
	captured map[string]string
	// installation is the value of Config.SecretClaim, empty where it is no name.
	installation string
	candidates   []Key
	key          Key

	expiry, issuedAt, notBefore time.Time
	// id is the result. It is a value of its own, so that a cache of it does not keep
	// the token.
	id *Identity
}

func (p *Profile) newVerification(ctx context.Context, token string) *verification {
	id := &Identity{Profile: p.config.Name, Factor: p.config.Factor}
	return &verification{ctx: ctx, profile: p, now: p.config.Now(), raw: token, id: id}
}

// fillIdentity computes what follows from several checks.
func (v *verification) fillIdentity() {
	v.id.Digest = v.token.Digest()
	v.id.KeyThumbprint = v.key.key.Thumbprint
	v.id.IssuedAt = v.issuedAt
	if v.issuedAt.IsZero() {
		v.id.IssuedAt = v.expiry.Add(-v.profile.config.MaxLifetime)
	}
	v.id.ExpiresAt = v.expiry
	v.id.Until = v.expiry.Add(v.profile.config.leeway())
	if age := v.profile.config.MaxTokenAge; age > 0 {
		v.id.Until = earlier(v.id.Until, v.issuedAt.Add(age))
	}
	if age := v.profile.config.Factor.ValidFor; age > 0 {
		v.id.Until = earlier(v.id.Until, v.id.ProvedAt.Add(age))
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// validFrom tells from when on the token passes its checks of time, for a clock
// that is set back.
func (v *verification) validFrom() time.Time {
	from := v.notBefore
	if v.issuedAt.After(from) {
		from = v.issuedAt
	}
	if from.IsZero() {
		return from
	}
	return from.Add(-v.profile.config.leeway())
}

func (v *verification) header() jose.Header { return v.token.Header }
