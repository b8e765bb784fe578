package trust

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/attestgate/caddy-attest/internal/strictjson"
)

// Try judges claims as if they stood in a token with a good signature of this profile's.
// It is for tests of a configuration: no key is asked for. The error is that of Verify.
func (p *Profile) Try(ctx context.Context, claims map[string]any) (*Identity, error) {
	payload, err := strictjson.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("trust: claims: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	header := `{"alg":"` + p.config.Algorithms[0] + `","typ":"` + p.typesOrDefault()[0] + `"}`
	v := p.newVerification(ctx, encode([]byte(header))+"."+encode(payload)+".AA")
	for _, c := range p.checks {
		if slices.Contains([]string{"key", "signature"}, c.name) {
			continue
		}
		if f := c.run(v); f != nil {
			return nil, c.refusal(v, f)
		}
	}
	v.fillIdentity()
	return v.id, nil
}
