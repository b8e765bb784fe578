package trust

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// lastDate is the last second of the year 9999; later ones are no dates.
const lastDate = 253402300799

// numericDate reads a NumericDate (RFC 7519 §2): a finite number of seconds, with
// or without a fraction.
func numericDate(v any) (time.Time, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || math.Abs(f) > lastDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(f)
	return time.Unix(int64(whole), int64(fraction*1e9)).UTC(), true
}

// dateClaim is the value of a claim that holds a NumericDate, nil where the token
// has none or null. Unlike lookup it keeps "" [] and {}: they are values of the
// wrong type, and a token that carries one must not pass as one without the claim.
func (t *trial) dateClaim(name string) any { return t.token.Claims[name] }

func checkExpiry(t *trial) *failure {
	v := t.dateClaim("exp")
	if v == nil {
		return &failure{code: CodeExpiryMissing, remedy: "the token needs claim exp: one that never ends is not taken"}
	}
	exp, ok := numericDate(v)
	if !ok {
		return &failure{code: CodeExpiryInvalid, remedy: "exp must be a number of seconds since 1970"}
	}
	t.expiry = exp
	late := t.now.Sub(exp.Add(t.profile.config.leeway()))
	if late < 0 {
		return nil
	}
	return &failure{code: CodeExpired, remedy: "send a fresh token; if it was fresh, the issuer's clock is behind this one's, or its tokens are too short, by " + round(late) + " or more beyond the leeway; " + t.clock()}
}

func checkNotBefore(t *trial) *failure {
	v := t.dateClaim("nbf")
	if v == nil {
		return nil
	}
	nbf, ok := numericDate(v)
	if !ok {
		return &failure{code: CodeNotBefore, remedy: "nbf must be a number of seconds since 1970"}
	}
	t.notBefore = nbf
	return t.early(nbf, CodeNotYetValid)
}

func checkIssuedAt(t *trial) *failure {
	v := t.dateClaim("iat")
	if v == nil {
		return nil
	}
	iat, ok := numericDate(v)
	if !ok {
		return &failure{code: CodeIssuedAtInvalid, remedy: "iat must be a number of seconds since 1970"}
	}
	t.issuedAt = iat
	if f := t.early(iat, CodeIssuedInFuture); f != nil {
		return f
	}
	t.id.ProvedAt = iat
	return nil
}

// early refuses a time that has not come, and says by how much the clocks differ.
func (t *trial) early(at time.Time, code string) *failure {
	ahead := at.Sub(t.now)
	if ahead <= t.profile.config.leeway() {
		return nil
	}
	return &failure{code: code, remedy: "the issuer's clock is ahead of this one's by " + round(ahead) + " or more: set both; " + t.clock()}
}

func (t *trial) clock() string { return "here it is " + t.now.UTC().Format(time.RFC3339) }

func checkAge(t *trial) *failure {
	most := t.profile.config.MaxTokenAge
	switch {
	case most == 0:
		return nil
	case t.issuedAt.IsZero():
		return &failure{code: CodeIssuedAtMissing, remedy: "max_token_age needs claim iat in the token"}
	case t.now.Before(t.issuedAt.Add(most)):
		return nil
	}
	return &failure{code: CodeTooOld, remedy: "send a fresh token; this one was issued " + round(t.now.Sub(t.issuedAt)) + " ago; " + t.clock()}
}

func checkLifetime(t *trial) *failure {
	if t.lifetime() <= t.profile.config.MaxLifetime {
		return nil
	}
	return &failure{code: CodeLifetime, remedy: "have the issuer make shorter tokens, or raise max_lifetime"}
}

// lifetime counts from iat, else from now: a token without iat must not escape.
func (t *trial) lifetime() time.Duration {
	if t.issuedAt.IsZero() {
		return t.expiry.Sub(t.now)
	}
	return t.expiry.Sub(t.issuedAt)
}

// checkAuthTime dates the proof. It is never younger than the token, nor younger
// for having been received.
func checkAuthTime(t *trial) *failure {
	v := t.dateClaim("auth_time")
	if v == nil {
		return nil
	}
	at, ok := numericDate(v)
	if !ok {
		return &failure{code: CodeAuthTime, remedy: "auth_time must be a number of seconds since 1970"}
	}
	if f := t.early(at, CodeAuthTime); f != nil {
		return f
	}
	if t.issuedAt.IsZero() || at.Before(t.issuedAt) {
		t.id.ProvedAt = at
	}
	return nil
}

func configuredLeeway(p *Profile) string {
	return "leeway " + p.config.leeway().String()
}

func configuredAge(p *Profile) string {
	if p.config.MaxTokenAge == 0 {
		return "any age"
	}
	return "at most " + p.config.MaxTokenAge.String()
}

func configuredLifetime(p *Profile) string { return "at most " + p.config.MaxLifetime.String() }

func foundLifetime(t *trial) string { return round(t.lifetime()) }

// foundTime shows a date with its distance from now.
func foundTime(claim string) func(*trial) string {
	return func(t *trial) string {
		v := t.dateClaim(claim)
		at, ok := numericDate(v)
		if !ok {
			return shownValue(v)
		}
		if d := t.now.Sub(at); d >= 0 {
			return fmt.Sprintf("%s, %s ago", at.Format(time.RFC3339), round(d))
		}
		return fmt.Sprintf("%s, in %s", at.Format(time.RFC3339), round(at.Sub(t.now)))
	}
}

func round(d time.Duration) string { return d.Round(time.Second).String() }
