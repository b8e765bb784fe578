package trust

import (
	"context"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/jose"
)

// checkKey finds the keys that may have signed: inside the profile alone, by kid,
// and only those that serve the algorithm.
func checkKey(t *trial) *failure {
	ctx, cancel := context.WithTimeout(t.ctx, FetchTimeout)
	defer cancel()
	keys, err := t.profile.config.Keys.Keys(ctx, hintOf(t.header()))
	if err != nil {
		return &failure{code: CodeKeysUnavailable, outage: keysUnavailable(err), remedy: "the issuer's keys cannot be fetched; the token may be good, try again later"}
	}
	if len(keys) == 0 {
		return unknownKey(t)
	}
	fit := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return !t.profile.serves(k, t.header().Algorithm) })
	switch {
	case len(fit) == 0:
		return &failure{code: CodeKeyUnfit, remedy: "the key is not for the token's algorithm, by its type, its curve or its own alg"}
	case len(fit) > maxTrials:
		return &failure{code: CodeKeyAmbiguous, remedy: "the token names no key and too many fit; have the issuer write kid"}
	}
	t.candidates = fit
	return nil
}

func unknownKey(t *trial) *failure {
	f := &failure{code: CodeKeyUnknown, remedy: "no key of the set has the token's kid: another issuer's token, or a key not published yet or no more"}
	status, _ := t.profile.keyStatus()
	for _, d := range status.Dropped {
		if d.ID == t.header().KeyID {
			f.remedy = "the key of this kid is in the set but not used: " + d.Reason
			break
		}
	}
	return f
}

// serves tells whether a key may verify alg. A key serves one family: its own
// alg says which, and an RSA key that has none is for PKCS #1 v1.5 unless the
// profile lists no such algorithm (RFC 8725 §3.1).
func (p *Profile) serves(k Key, alg string) bool {
	if !k.key.Fits(alg) {
		return false
	}
	return k.key.Algorithm != "" || !jose.PSS(alg) || p.onlyPSS
}

func configuredKeys(p *Profile) string {
	status, told := p.keyStatus()
	switch {
	case !told:
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

func foundKeyID(t *trial) string {
	if !t.header().HasKeyID {
		return "no kid"
	}
	return "kid " + shown(t.header().KeyID)
}

func checkSignature(t *trial) *failure {
	for _, k := range t.candidates {
		if t.token.Verify(k.key) == nil {
			t.key = k
			return nil
		}
	}
	return &failure{code: CodeSignatureInvalid, remedy: "the token was changed, or signed with another key than the issuer's"}
}

// foundKey says which key signed, or how many did not; never the signature.
func foundKey(t *trial) string {
	if t.key.key.Public == nil {
		return fmt.Sprintf("%d keys tried", len(t.candidates))
	}
	return "key " + t.key.key.Thumbprint
}
