package trust

import (
	"context"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// checkKey finds the keys that may have signed: in the profile's own key source, by
// kid, and only those that allow the algorithm.
func checkKey(v *verification) *failure {
	ctx, cancel := context.WithTimeout(v.ctx, FetchTimeout)
	defer cancel()
	keys, err := v.profile.config.Keys.Keys(ctx, keyHint(v.header()))
	if err != nil {
		return &failure{code: CodeKeysUnavailable, outage: keysUnavailable(err), remedy: "the issuer's keys cannot be fetched, so the token may be good: " + err.Error()}
	}
	if len(keys) == 0 {
		return unknownKey(v)
	}
	fit := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return !v.profile.allowsKey(k, v.header().Algorithm) })
	fit = distinct(fit, v.header().Algorithm)
	switch {
	case len(fit) == 0:
		return &failure{code: CodeKeyUnfit, remedy: "the key is not for the token's algorithm, by its type, its curve or its own alg"}
	case len(fit) > 1 && slices.ContainsFunc(fit, func(k Key) bool { return k.key.ID != "" }):
		return &failure{code: CodeKeyAmbiguous, remedy: "several keys of the set fit the token, by its kid or because it has none; have the issuer write a kid for each key"}
	case len(fit) > maxCandidates:
		return &failure{code: CodeKeyAmbiguous, remedy: "the token names no key and too many fit; have the issuer write kid"}
	}
	v.candidates = fit
	return nil
}

// distinct are the keys that a token of the algorithm may mean, each once: those that
// name the algorithm, if any does. Two entries of one key differ in kid or alg only.
func distinct(keys []Key, alg string) []Key {
	if slices.ContainsFunc(keys, func(k Key) bool { return k.key.Algorithm == alg }) {
		keys = slices.DeleteFunc(keys, func(k Key) bool { return k.key.Algorithm != alg })
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(keys, func(k Key) bool {
		again := seen[k.key.Thumbprint]
		seen[k.key.Thumbprint] = true
		return again
	})
}

func unknownKey(v *verification) *failure {
	f := &failure{code: CodeKeyUnknown, remedy: "no key of the set has the token's kid: another issuer's token, or a key not published yet or no more"}
	status, _ := v.profile.keyStatus()
	for _, d := range status.Dropped {
		if d.ID == v.header().KeyID {
			f.remedy = "the key of this kid is in the set but not used: " + d.Reason
			break
		}
	}
	return f
}

// allowsKey tells whether a key may verify alg. A key serves one family: its own
// alg says which, and an RSA key that has none is for PKCS #1 v1.5 unless the
// profile lists no such algorithm (RFC 8725 §3.1).
func (p *Profile) allowsKey(k Key, alg string) bool {
	if !k.key.Fits(alg) {
		return false
	}
	return k.key.Algorithm != "" || !jose.PSS(alg) || p.onlyPSS
}

func configuredKeys(p *Profile) string {
	status, hasStatus := p.keyStatus()
	switch {
	case !hasStatus:
		return "keys of a source of its own"
	case status.Keys == 0:
		return "no keys held"
	}
	return fmt.Sprintf("%d keys, %d not usable", status.Keys, len(status.Dropped))
}

// keyStatus asks a source that can be asked.
func (p *Profile) keyStatus() (KeyStatus, bool) {
	source, ok := p.config.Keys.(interface{ Status() KeyStatus })
	if !ok {
		return KeyStatus{}, false
	}
	return source.Status(), true
}

func foundKeyID(v *verification) string {
	if !v.header().HasKeyID {
		return "no kid"
	}
	return "kid " + printable(v.header().KeyID)
}

func checkSignature(v *verification) *failure {
	for _, k := range v.candidates {
		if v.token.Verify(k.key) == nil {
			v.key = k
			return nil
		}
	}
	return &failure{code: CodeSignatureInvalid, remedy: "the token was changed, or signed with another key than the issuer's"}
}

// foundKey names the key that signed, or how many did not; never the signature.
func foundKey(v *verification) string {
	if v.key.key.Public == nil {
		return fmt.Sprintf("%d keys tried", len(v.candidates))
	}
	return "key " + v.key.key.Thumbprint
}
