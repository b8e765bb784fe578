package trust

import "github.com/attestgate/caddy-attest/internal/jose"

// TokenFacts are what a token says of itself, unverified, cut to what an operator may
// see in a log: no claim but those that every token has. Each text is at most 128
// bytes long, quoted where it holds control characters.
type TokenFacts struct {
	Algorithm, KeyID, Type        string
	Issuer, Audience              string
	IssuedAt, NotBefore, ExpireAt string
}

// Describe tells what a token says of itself; false where it is none.
func Describe(token string) (TokenFacts, bool) {
	t, err := jose.Parse(token)
	if err != nil {
		return TokenFacts{}, false
	}
	claim := func(name string) string {
		if v := lookup(t.Claims, name); v != nil {
			return printableValue(v)
		}
		return ""
	}
	facts := TokenFacts{
		Algorithm: printable(t.Header.Algorithm), Issuer: claim("iss"), Audience: claim("aud"),
		IssuedAt: claim("iat"), NotBefore: claim("nbf"), ExpireAt: claim("exp"),
	}
	if t.Header.HasKeyID {
		facts.KeyID = printable(t.Header.KeyID)
	}
	if t.Header.HasType {
		facts.Type = printable(t.Header.Type)
	}
	return facts, true
}

// CheckNames are the names of the checks in the order of Verify: of a refused token
// those before the one of the refusal have passed.
func CheckNames() []string {
	all := checks()
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	return names
}

// ClaimsOf are the claims of a token, unverified; nil where it is none. They are for
// whoever has the token.
func ClaimsOf(token string) map[string]any {
	t, err := jose.Parse(token)
	if err != nil {
		return nil
	}
	return t.Claims
}
