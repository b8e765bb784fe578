package trust

import (
	"fmt"
	"strings"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// maxKept is how long the kept claims of a token may be as compact JSON.
const maxKept = 2048

// checkKept copies the claims that templates name.
func checkKept(v *verification) *failure {
	for _, path := range v.profile.config.KeepClaims {
		value := lookup(v.token.Claims, path)
		if _, ok := storable(value); !ok || value == nil {
			continue
		}
		if v.id.Claims == nil {
			v.id.Claims = map[string]any{}
		}
		v.id.Claims[path] = value
	}
	if len(v.id.Claims) == 0 {
		return nil
	}
	if data, err := strictjson.Marshal(v.id.Claims); err != nil || len(data) > maxKept {
		return &failure{code: CodeClaimsTooLarge, remedy: fmt.Sprintf("the claims that templates name (%s) must come to at most %d bytes together", strings.Join(v.profile.config.KeepClaims, ", "), maxKept)}
	}
	return nil
}

func configuredKept(p *Profile) string { return joinOr(p.config.KeepClaims, "none") }

func foundKept(v *verification) string {
	var names []string
	for _, path := range v.profile.config.KeepClaims {
		if lookup(v.token.Claims, path) != nil {
			names = append(names, path)
		}
	}
	return joinOr(names, "-")
}
