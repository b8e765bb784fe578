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

// notSeconds says what a date must be; milliseconds are a common mistake.
func (v *verification) notSeconds(claim string) string {
	if n, ok := v.dateClaim(claim).(json.Number); ok {
		if ms, err := n.Int64(); err == nil && ms > lastDate && ms/1000 <= lastDate {
			return claim + " is in milliseconds; it must be a number of seconds since 1970 (RFC 7519 §2)"
		}
	}
	return claim + " must be a number of seconds since 1970"
}

// dateClaim is the value of a claim that holds a NumericDate, nil where the token
// has none or null. Unlike lookup it keeps "" [] and {}: they are values of the
// wrong type, and a token that carries one must not pass as one without the claim.
func (v *verification) dateClaim(name string) any { return v.token.Claims[name] }

func checkExpiry(v *verification) *failure {
	value := v.dateClaim("exp")
	if value == nil {
		return &failure{code: CodeExpiryMissing, remedy: "the token needs claim exp: one that never ends is not taken"}
	}
	exp, ok := numericDate(value)
	if !ok {
		return &failure{code: CodeExpiryInvalid, remedy: v.notSeconds("exp")}
	}
	v.expiry = exp
	late := v.now.Sub(exp.Add(v.profile.config.leeway()))
	if late < 0 {
		return nil
	}
	return &failure{code: CodeExpired, remedy: "send a fresh token; if it was fresh, the issuer's clock is behind this one's, or its tokens are too short, by " + roundSeconds(late) + " or more beyond the leeway; " + v.clockText()}
}

func checkNotBefore(v *verification) *failure {
	value := v.dateClaim("nbf")
	if value == nil {
		return nil
	}
	nbf, ok := numericDate(value)
	if !ok {
		return &failure{code: CodeNotBefore, remedy: v.notSeconds("nbf")}
	}
	v.notBefore = nbf
	return v.checkNotFuture(nbf, CodeNotYetValid)
}

func checkIssuedAt(v *verification) *failure {
	value := v.dateClaim("iat")
	if value == nil {
		return nil
	}
	iat, ok := numericDate(value)
	if !ok {
		return &failure{code: CodeIssuedAtInvalid, remedy: v.notSeconds("iat")}
	}
	v.issuedAt = iat
	return v.checkNotFuture(iat, CodeIssuedInFuture)
}

// checkNotFuture refuses a time later than now and leeway. The remedy names the
// difference.
func (v *verification) checkNotFuture(at time.Time, code string) *failure {
	ahead := at.Sub(v.now)
	if ahead <= v.profile.config.leeway() {
		return nil
	}
	return &failure{code: code, remedy: "the issuer's clock is ahead of this one's by " + roundSeconds(ahead) + " or more: set both; " + v.clockText()}
}

func (v *verification) clockText() string { return "here it is " + v.now.UTC().Format(time.RFC3339) }

func checkAge(v *verification) *failure {
	most := v.profile.config.MaxTokenAge
	switch {
	case most == 0:
		return nil
	case v.issuedAt.IsZero():
		return &failure{code: CodeIssuedAtMissing, remedy: "max_token_age needs claim iat in the token"}
	case v.now.Before(v.issuedAt.Add(most)):
		return nil
	}
	return &failure{code: CodeTooOld, remedy: "send a fresh token; this one was issued " + roundSeconds(v.now.Sub(v.issuedAt)) + " ago; " + v.clockText()}
}

func checkLifetime(v *verification) *failure {
	if v.lifetime() <= v.profile.config.MaxLifetime {
		return nil
	}
	return &failure{code: CodeLifetime, remedy: "have the issuer make shorter tokens, or raise max_lifetime"}
}

// lifetime counts from iat, else from now, so that max_lifetime also bounds a token
// without iat.
func (v *verification) lifetime() time.Duration {
	if v.issuedAt.IsZero() {
		return v.expiry.Sub(v.now)
	}
	return v.expiry.Sub(v.issuedAt)
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

func foundLifetime(v *verification) string { return roundSeconds(v.lifetime()) }

// foundTime shows a date with its distance from now.
func foundTime(claim string) func(*verification) string {
	return func(v *verification) string {
		value := v.dateClaim(claim)
		at, ok := numericDate(value)
		if !ok {
			return printableValue(value)
		}
		return v.fromNow(at)
	}
}

// fromNow shows a date with its distance from now.
func (v *verification) fromNow(at time.Time) string {
	if d := v.now.Sub(at); d >= 0 {
		return fmt.Sprintf("%s, %s ago", at.Format(time.RFC3339), roundSeconds(d))
	}
	return fmt.Sprintf("%s, in %s", at.Format(time.RFC3339), roundSeconds(at.Sub(v.now)))
}

func roundSeconds(d time.Duration) string { return d.Round(time.Second).String() }
