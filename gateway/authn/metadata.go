package authn

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/attestgate/caddy-attest/claims"
	"github.com/attestgate/caddy-attest/directory"
)

// Metadata that alone makes the claims of a template too large is refused when it is
// written, by the API or by a token that maps it: else every session of the member, or of the whole organization, would be
// refused from then on.

// checkMemberClaims refuses a member whose own data no template can take.
func (a *Authenticator) checkMemberClaims(m directory.Member) error {
	return a.checkTemplates(claims.Variables{"member": a.memberVariables(m, m.Roles), "organization": claims.Object{}})
}

// checkOrganizationClaims refuses an organization whose own data no template can take.
func (a *Authenticator) checkOrganizationClaims(o directory.Organization) error {
	return a.checkTemplates(claims.Variables{"member": claims.Object{}, "organization": organizationVariables(o)})
}

func (a *Authenticator) checkTemplates(variables claims.Variables) error {
	for _, name := range slices.Sorted(maps.Keys(a.Templates)) {
		_, err := a.ClaimPolicy().Effective(a.Templates[name], variables, claims.Overlay{})
		var unusable *claims.Error
		if errors.As(err, &unusable) && (unusable.Code == claims.CodeTooLarge || unusable.Code == claims.CodeUnrepresentable) {
			return Refuse("metadata_too_large", fmt.Errorf("authn: template %s: %w", name, err))
		}
	}
	return nil
}

// addsMetadata tells whether the change adds anything: what only deletes is never
// refused for its size.
func addsMetadata(changes claims.Object) bool {
	for _, value := range changes {
		if value != nil {
			return true
		}
	}
	return false
}
