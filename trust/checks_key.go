package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// checkKey finds the keys that may have signed: in the profile's own key source, by
// kid, and only those that allow the algorithm.
func checkKey(v *verification) *failure {
	ctx, cancel := context.WithTimeout(v.ctx, FetchTimeout)
	defer cancel()
	keys, err := v.profile.config.Keys.Keys(ctx, v.keyHint())
	if err != nil {
		return v.unavailableKeys(err)
	}
	if len(keys) == 0 {
		return unknownKey(v)
	}
	return v.choose(keys)
}

// choose takes those keys for candidates that may have made the signature.
func (v *verification) choose(keys []Key) *failure {
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
	case status.Keys == 0 && len(status.Dropped) == 0:
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
	if v.signedBy(v.candidates) {
		return nil
	}
	tried := v.candidates
	if f := v.askReplaced(); f != nil {
		return f
	}
	if hasOther(v.candidates, tried) && v.signedBy(v.candidates) {
		return nil
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

func (v *verification) signedBy(keys []Key) bool {
	i := slices.IndexFunc(keys, func(k Key) bool { return v.token.Verify(k.key) == nil })
	if i >= 0 {
		v.key = keys[i]
	}
	return i >= 0
}

// replacing is a source whose keys may have been replaced without a new kid.
type replacing interface {
	Replaced(ctx context.Context, hint KeyHint, tried []Key) ([]Key, error)
}

// askReplaced has such a source asked again for the candidates.
func (v *verification) askReplaced() *failure {
	source, ok := v.profile.config.Keys.(replacing)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(v.ctx, FetchTimeout)
	defer cancel()
	keys, err := source.Replaced(ctx, v.keyHint(), v.candidates)
	switch {
	case err != nil:
		return v.unavailableKeys(err)
	case len(keys) == 0:
		return nil
	}
	return v.choose(keys)
}

func (v *verification) unavailableKeys(err error) *failure {
	return &failure{code: CodeKeysUnavailable, outage: keysUnavailable(err), remedy: v.unavailableRemedy(err) + ": " + err.Error()}
}

// unavailableRemedy tells a set that was read from one that was not: to wait helps only
// where the issuer may answer otherwise by itself.
func (v *verification) unavailableRemedy(err error) string {
	if unusable := (*unusableError)(nil); errors.As(err, &unusable) {
		return "the issuer answers, but with nothing that can be used: have it publish a key set with a key for signatures, or configure where its keys are"
	}
	if status, _ := v.profile.keyStatus(); status.Keys > 0 {
		return "none of the keys that are held has made the token, and whether the issuer has a new one cannot be asked now"
	}
	return "the issuer's keys cannot be fetched, so the token may be good"
}
