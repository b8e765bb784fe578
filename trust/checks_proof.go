package trust

import (
	"encoding/json"
	"time"
)

// What Factor.Proved may be.
const (
	ProvedAuthTime = "auth_time"
	ProvedIssuedAt = "iat"
	ProvedAge      = "fva"
)

// provedBy are the words of Factor.Proved.
var provedBy = []string{ProvedAuthTime, ProvedIssuedAt, ProvedAge}

// checkProof sets when the person proved who they are, never later than iat. A token
// that does not say is good all the same.
func checkProof(v *verification) *failure {
	at, f := v.provedAt()
	if f != nil {
		return f
	}
	if !v.issuedAt.IsZero() && v.issuedAt.Before(at) {
		at = v.issuedAt
	}
	v.id.ProvedAt = at
	return nil
}

// provedAt is auth_time (OpenID Connect Core §2) or, where the profile says so, Clerk's
// fva or iat.
func (v *verification) provedAt() (time.Time, *failure) {
	at, f := v.authTime()
	switch proved := v.profile.config.Factor.Proved; {
	case f != nil || !at.IsZero():
		return at, f
	case proved == ProvedAge:
		return v.provedByAge()
	case proved == ProvedIssuedAt:
		return v.issuedAt, nil
	}
	return time.Time{}, nil
}

func (v *verification) authTime() (time.Time, *failure) {
	value := v.dateClaim("auth_time")
	if value == nil {
		return time.Time{}, nil
	}
	at, ok := numericDate(value)
	if !ok {
		return at, &failure{code: CodeAuthTime, remedy: v.notSeconds("auth_time")}
	}
	return at, v.checkNotFuture(at, CodeAuthTime)
}

// maxFactorAge is the greatest fva that is read, in minutes; an older proof is as good
// as none.
const maxFactorAge = 10 * 365 * 24 * 60

// provedByAge reads fva, the whole minutes since each factor of a Clerk session was
// verified when the token was issued; −1 is never. The minute that they leave open counts,
// or a proof would be younger in each new token.
func (v *verification) provedByAge() (time.Time, *failure) {
	list, _ := v.dateClaim("fva").([]any)
	if len(list) == 0 || v.issuedAt.IsZero() {
		return time.Time{}, nil
	}
	n, _ := list[0].(json.Number)
	minutes, err := n.Int64()
	if err != nil || minutes < 0 || minutes > maxFactorAge {
		return time.Time{}, nil
	}
	return v.issuedAt.Add(-time.Duration(minutes+1) * time.Minute), nil
}

// checkProofAge refuses a token whose proof no longer counts, or that does not say.
func checkProofAge(v *verification) *failure {
	most, proved := v.profile.config.Factor.ValidFor, v.id.ProvedAt
	switch {
	case most == 0:
		return nil
	case proved.IsZero():
		return &failure{code: CodeAuthTimeMissing, remedy: "valid_for needs claim auth_time in the token; where the issuer makes one only for a new proof, proved iat takes iat"}
	case v.now.Before(proved.Add(most)):
		return nil
	}
	return &failure{code: CodeProofTooOld, remedy: "sign in again at the issuer; this proof was given " + roundSeconds(v.now.Sub(proved)) + " ago; " + v.clockText()}
}

func configuredProofAge(p *Profile) string {
	if p.config.Factor.ValidFor == 0 {
		return "any age"
	}
	return "valid_for " + p.config.Factor.ValidFor.String()
}

func configuredProof(p *Profile) string {
	if p.config.Factor.Proved == ProvedAuthTime {
		return "auth_time"
	}
	return "auth_time, else " + p.config.Factor.Proved
}

func foundProof(v *verification) string {
	switch {
	case v.dateClaim("auth_time") != nil:
		return foundTime("auth_time")(v)
	case v.id.ProvedAt.IsZero():
		return "the token does not say when its proof was given: it meets no age"
	}
	return v.fromNow(v.id.ProvedAt)
}
