package authn

import (
	"context"
	"fmt"

	"github.com/attestgate/caddy-attest/trust"
)

// onTrial answers nil unless the profile of an identity only observes: then it tells what
// would become of the token, and refuses it. Nothing is written.
func (a *Authenticator) onTrial(ctx context.Context, door string, id *trust.Identity) error {
	if !a.profileOf(id).Config().Observe {
		return nil
	}
	would, code := "it would be admitted", ""
	if _, err := a.observeIdentity(ctx, id); err != nil {
		code = RefusalOf(err).Code
		would = "it would be refused: " + code
	}
	a.Decide(Decided{Door: door, Profile: id.Profile, Code: code, Observed: true})
	refused := Refuse("invalid_trusted_auth_token", fmt.Errorf("authn: profile %s only observes; without that %s", id.Profile, would))
	refused.Reason = "profile_observed"
	return refused
}
