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
	variables := claims.Variables{"member": a.memberVariables(m, m.Roles), "organization": claims.Object{}}
	return tooLarge(fitTemplates(a.ClaimPolicy(), a.Templates, variables))
}

// checkOrganizationClaims refuses an organization whose own data no template can take.
func (a *Authenticator) checkOrganizationClaims(o directory.Organization) error {
	return tooLarge(CheckOrganizationClaims(a.ClaimPolicy(), a.Templates, o))
}

func tooLarge(err error) error {
	if err == nil {
		return nil
	}
	return Refuse("metadata_too_large", err)
}

// CheckOrganizationClaims refuses an organization whose own data make the claims of a
// template too large or too deep, whoever its member is.
func CheckOrganizationClaims(policy claims.Policy, templates map[string]*claims.Template, o directory.Organization) error {
	return fitTemplates(policy, templates, claims.Variables{"member": claims.Object{}, "organization": organizationVariables(o)})
}

func fitTemplates(policy claims.Policy, templates map[string]*claims.Template, variables claims.Variables) error {
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		_, err := policy.Effective(templates[name], variables, claims.Overlay{})
		var unusable *claims.Error
		if errors.As(err, &unusable) && (unusable.Code == claims.CodeTooLarge || unusable.Code == claims.CodeUnrepresentable) {
			return fmt.Errorf("authn: template %s: %w", name, err)
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
